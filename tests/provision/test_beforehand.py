from __future__ import annotations

import hashlib
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.provision import beforehand, hashes
from pytest_llmbench.provision.beforehand import Beforehand, probe_version, sound
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind
from tests.provision.line import Line, line_at

LAUNCH = Launch(("serve",), {"SAID": "1.2.3"})
SHOUT = "import os, sys; print('noise', file=sys.stderr); print('version', os.environ['SAID'], os.getcwd())"


class Speaking(ServerKind):
    """Its version is what a program prints."""

    name = "speaking"

    def __init__(self, *argv: str) -> None:
        self._argv = argv

    def launch(self, serve: Serve, port: int) -> Launch:
        del serve, port
        return LAUNCH

    def version_argv(self, serve: Serve) -> tuple[str, ...] | None:
        del serve
        return self._argv or None

    def read_version(self, printed: str) -> Facts:
        return Facts(version=printed)


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files and the cache are, so that none can be overlooked."""
    for name in ("temporary", "cache"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def python(text: str) -> Speaking:
    return Speaking(sys.executable, "-c", text)


def version(kind: ServerKind, **how: Any) -> str | None:
    return probe_version(kind, Serve("speaking", folder="/"), LAUNCH, **how).version


def test_what_the_program_prints_is_read(places: Path) -> None:
    printed = version(python(SHOUT))
    assert printed is not None
    assert sorted(printed.splitlines()) == ["noise", "version 1.2.3 /"]
    assert not list((places / "temporary").iterdir())


@pytest.mark.parametrize(
    "kind",
    [Speaking(), Speaking("/nowhere/serve", "--version"), Speaking("/etc/passwd"), python("print(7); raise SystemExit(2)")],
)  # fmt: skip
def test_a_program_that_does_not_tell(kind: ServerKind, places: Path) -> None:
    assert version(kind) is None
    assert not list((places / "temporary").iterdir())


@pytest.fixture
def line(places: Path) -> Any:
    with line_at(places / "line") as line:
        yield line


def hanging(line: Line) -> Speaking:
    """Say so when it is up, and then nothing, for ever; a child holds on as well."""
    return python(
        f"import os, signal; held = open({str(line.path)!r}, 'w'); os.fork();"
        " print('ready', file=held, flush=True); signal.pause()"
    )


def test_a_program_that_hangs_is_ended_with_its_children(
    line: Line, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beforehand, "VERSION_WITHIN_S", 1.0)
    assert version(hanging(line)) is None
    # It may have been too slow to open the line at all.
    running = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [words for words in running if any(str(line.path) in word for word in words)]
    assert not list((places / "temporary").iterdir())


def test_a_probe_is_given_up_with_the_server(line: Line, places: Path) -> None:
    begun = Beforehand(hanging(line), Serve("speaking"), LAUNCH)
    line.wait_for("ready")
    begun.close()
    assert line.is_over
    assert not list((places / "temporary").iterdir())
    assert begun.version() == Facts()
    begun.close()


def test_a_model_is_hashed_meanwhile(places: Path) -> None:
    (places / "m.gguf").write_bytes(b"x" * 100)
    begun = Beforehand(python("print(7)"), Serve("speaking", "m.gguf", folder=str(places)), LAUNCH)
    assert begun.path == places / "m.gguf"
    assert begun.sha256() == hashlib.sha256(b"x" * 100).hexdigest()
    assert begun.version().version == "7\n"
    begun.close()


def test_hashing_is_given_up_with_the_server(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = threading.Event()
    real = hashes._read

    def read(*arguments: Any, **more: Any) -> str:
        began.set()
        Watched.close_began.wait()
        return real(*arguments, **more)

    class Watched(Beforehand):
        close_began = threading.Event()

        def close(self) -> None:
            self._given_up.set()
            self.close_began.set()
            super().close()

    monkeypatch.setattr(hashes, "_read", read)
    (places / "m.gguf").write_bytes(b"x")
    begun = Watched(Speaking(), Serve("speaking", "m.gguf", folder=str(places)), LAUNCH)
    assert began.wait(60)
    begun.close()
    assert begun.sha256() is None
    assert not [thread for thread in threading.enumerate() if thread.name == "llmbench-facts"]


def test_a_model_that_is_not_here() -> None:
    begun = Beforehand(Speaking(), Serve("speaking", "owner/absent"), LAUNCH)
    assert (begun.path, begun.sha256(), begun.version()) == (None, None, Facts())
    begun.close()


def test_the_work_stands_behind_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(
        beforehand, "probe_version", lambda *_: seen.append(psutil.Process(threading.get_native_id()).nice())
    )
    begun = Beforehand(Speaking(), Serve("speaking"), LAUNCH)
    begun.version()
    begun.close()
    assert seen == [min(psutil.Process().nice() + beforehand.LOWER_PRIORITY, 19)]  # the kernel knows no lower one


def boom() -> Facts:
    raise KeyError("version")


@pytest.mark.parametrize("facts", [Facts(version=7), Facts(context_tokens="many"), Facts(chat_template=["x"])])  # type: ignore[arg-type]
def test_facts_of_wrong_types_are_none(facts: Facts) -> None:
    assert sound(lambda: facts) == Facts()
    assert sound(boom) == Facts()
    assert sound(lambda: Facts(version="1", context_tokens=7)) == Facts(version="1", context_tokens=7)
