"""Small parts of the sandbox, each on its own."""

# The places named here are inside the sandbox.
# ruff: noqa: S108

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_llmbench.errors import AnswerFault, GraderError, SandboxError
from pytest_llmbench.sandbox import distributions, interpreter, jobs, layout, watchdog
from pytest_llmbench.sandbox.api import Job, Limits
from pytest_llmbench.sandbox.channel import Channel
from pytest_llmbench.sandbox.driving import start_driver
from pytest_llmbench.sandbox.output import Output
from pytest_llmbench.sandbox.spawner import Command, spawn

PLACES = jobs.Places("/py", "/work", "/trusted", "/bin", "/tmp")


def test_order_replaces_places_and_sets_modes() -> None:
    job = Job(
        ["{python}", "{work}/a", "{trusted}/b"],
        files={"a": b"1", "s": b"2"},
        executable=frozenset({"s"}),
        env={"X": "{trusted}:{work}"},
    )
    order = jobs.order(job, PLACES, ())
    assert order.argv == ["/py", "/work/a", "/trusted/b"]
    assert order.env["X"] == "/trusted:/work"
    assert order.files == [("a", b"1", 0o644), ("s", b"2", 0o755)]
    assert order.lifetime_s > job.limits.wall_s


def test_the_judges_pythonpath_comes_before_distributions() -> None:
    places = jobs.Places("/py", "/work", "/trusted", "/bin", "/tmp", distributions="/dist")
    assert jobs.order(Job(["x"], env={"PYTHONPATH": "{trusted}"}), places, ()).env["PYTHONPATH"] == "/trusted:/dist"
    assert jobs.order(Job(["x"]), places, ()).env["PYTHONPATH"] == "/dist"


def test_a_judge_that_is_wrong_is_told() -> None:
    with pytest.raises(GraderError, match="argv is empty"):
        jobs.order(Job([]), PLACES, ())
    with pytest.raises(GraderError, match="trusted file 'a/b'"):
        jobs.order(Job(["x"], trusted={"a/b": b""}), PLACES, ())


def test_too_many_files_are_refused() -> None:
    with pytest.raises(AnswerFault, match="1001 files"):
        jobs.check_files(Job(["x"], files={str(number): b"" for number in range(1001)}))


@pytest.mark.parametrize("name", ["a.py", "a/b/c.txt", "Größe.md", ".hidden", "a..b", "--help", "x" * 255])
def test_good_names_pass(name: str) -> None:
    assert jobs.name_fault(name) is None


def test_options_make_everything_read_only_but_three_places() -> None:
    plan = layout.Plan(
        [("/usr/bin", "/usr/bin")], [("usr/bin", "/bin")], ["/usr/lib/x"], {"/first.py": 9}, Limits(disk_bytes=4096)
    )
    listed = layout.options(plan, seccomp_fd=7)
    text = " ".join(listed)
    assert [place for option, place in pairwise(listed) if option == "--tmpfs"] == [
        "/usr/lib/x",
        "/dev/shm",
        "/tmp",
        "/work",
    ]
    assert text.count("--size 4096 --tmpfs") == 3
    assert text.index("--remount-ro /usr/lib/x") < text.index("--proc")
    assert " --bind" not in text
    assert not {"--die-with-parent", "--info-fd"} & set(listed), "it would leave a half-made sandbox waiting for ever"
    assert "--clearenv" not in text, "it would leave the environment readable in /proc/1/environ"
    for wanted in (
        "--unshare-net",
        "--unshare-pid",
        "--as-pid-1",
        "--seccomp 7",
        "--remount-ro / ",
    ):
        assert wanted in text


def test_limits_become_rlimits() -> None:
    rows = {name: (soft, hard) for name, soft, hard in layout.rlimits(Limits(processes=10, cpu_s=5))}
    assert rows["RLIMIT_NPROC"] == (11, 11)
    assert rows["RLIMIT_CPU"] == (5, 6)
    assert rows["RLIMIT_CORE"] == (1, 1)
    assert rows["RLIMIT_AS"][0] >= 4 << 30
    assert "RLIMIT_DATA" not in rows
    assert "RLIMIT_NPROC" not in {name for name, *_ in layout.rlimits(Limits(), extra_processes=None)}


def test_pieces_of_a_distribution_are_few_and_hold_no_more_than_it() -> None:
    pieces = distributions.locate(("pyzmq",))
    places = {piece.place for piece in pieces}
    assert "zmq" in places
    assert all(piece.source.exists() for piece in pieces)
    assert len(pieces) < 20
    assert not any(name in place for place in places for name in ("direct_url", "pytest", "cffi"))
    assert all(place.split("/")[0].startswith(("zmq", "pyzmq")) for place in places)


def test_requirements_come_along() -> None:
    places = {piece.place.split("/")[0] for piece in distributions.locate(("pytest",))}
    assert {"pytest", "_pytest", "pluggy", "iniconfig"} <= places


def test_a_folder_shared_by_two_distributions_is_taken_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alpha", "beta"):
        (tmp_path / f"shared/{name}").mkdir(parents=True)
        (tmp_path / f"shared/{name}/code.py").write_text("")
        about = tmp_path / f"ll_{name}-1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ll-{name}\nVersion: 1\n")
        (about / "direct_url.json").write_text("{}")
        own = [
            f"shared/{name}/code.py",
            *(f"{about.name}/{file}" for file in ("METADATA", "RECORD", "direct_url.json")),
        ]
        (about / "RECORD").write_text("".join(f"{line},,\n" for line in own))
    monkeypatch.syspath_prepend(str(tmp_path))
    places = {piece.place for piece in distributions.locate(("ll-alpha",))}
    assert places == {"shared/alpha", "ll_alpha-1.dist-info/METADATA", "ll_alpha-1.dist-info/RECORD"}


def test_an_editable_install_has_no_files_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = tmp_path / "ll_editable-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: ll-editable\nVersion: 1\n")
    (tmp_path / "ll_editable.pth").write_text("/somewhere\n")
    (about / "RECORD").write_text(f"ll_editable.pth,,\n{about.name}/METADATA,,\n{about.name}/RECORD,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SandboxError, match="editable install"):
        distributions.locate(("ll-editable",))


def test_the_interpreter_is_the_real_one() -> None:
    found = interpreter.find_interpreter()
    assert found.executable.is_file()
    assert not found.executable.is_symlink()
    assert ".venv" not in str(found.executable)
    assert Path(os.path.realpath(sys.base_prefix)) in found.executable.parents
    assert all(mask.name.endswith(("-packages", "wheels")) for mask in found.masks)
    assert not any(folder.is_relative_to(sys.prefix) for folder in found.folders if sys.prefix != sys.base_prefix)


def test_a_checkout_below_a_bound_folder_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = interpreter.find_interpreter()
    around = interpreter.Interpreter(real.executable, (*real.folders, tmp_path), real.masks)
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    assert Path(os.path.realpath(tmp_path / "checkout")) in interpreter.hidden_folders(around)
    assert tmp_path / "checkout" not in interpreter.hidden_folders(real)


def test_output_keeps_what_fits_of_both_together() -> None:
    output = Output(10)
    out, err = output.write_fds
    os.write(out, b"123456")
    output.read_ready(output.read_fds)
    os.write(err, b"abcdefgh")
    os.write(out, b"789")
    output.read_ready(reversed(output.read_fds))
    assert output.held() == (b"123456", b"abcd")
    assert output.dropped_bytes == 7
    output.close_write_ends()
    assert sorted(output.read_ready(output.read_fds)) == sorted(output.read_fds)
    output.close()


def test_channel_finds_lines_however_they_are_cut() -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    sent = b"one\n\nthree\nrest"

    def speak() -> None:
        for byte in sent:
            theirs.send(bytes([byte]))
        theirs.close()

    thread = threading.Thread(target=speak)
    thread.start()
    assert [channel.receive_line(20, 100) for _ in range(4)] == [b"one", b"", b"three", None]
    thread.join()
    channel.close()


def test_channel_limits_lines_that_came_whole_too() -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    theirs.sendall(b"12345\n1234\n123456\n")
    assert channel.receive_line(20, 5) == b"12345"
    assert channel.receive_line(20, 5) == b"1234"
    with pytest.raises(AnswerFault):
        channel.receive_line(20, 5)
    channel.close()
    theirs.close()


def test_spawned_processes_have_a_session_of_their_own() -> None:
    read, write = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    process = spawn(Command([sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid())"], null, write, null))
    os.close(write)
    with os.fdopen(read, "rb") as said:
        assert said.read() == b"True\n"
    assert process.wait() == 0
    os.close(null)


def test_a_driver_that_cannot_join_is_the_sandboxs_failure(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("raise SystemExit('it must not run here')")
    no_namespace = os.open(os.devnull, os.O_RDONLY)
    driver = start_driver(tmp_path / "script.py", (), no_namespace)
    with pytest.raises(SandboxError, match=r"script\.py: cannot .* network namespace"):
        driver.receive(30)
    driver.close()
    os.close(no_namespace)


def test_what_cannot_be_spawned_is_an_error_of_the_caller() -> None:
    with pytest.raises(FileNotFoundError):
        spawn(Command(["/nonexistent"], 0, 1, 2))


def test_descendants_are_found_by_proc(tmp_path: Path) -> None:
    for pid, parent, name in ((1, 0, "init"), (5, 1, "a) S 1 (b"), (6, 5, "x"), (7, 6, "y"), (8, 1, "z")):
        (tmp_path / f"{pid}/task/{pid}").mkdir(parents=True)
        (tmp_path / f"{pid}/stat").write_text(f"{pid} ({name}) S {parent} 0 0")
        (tmp_path / f"{pid}/task/{pid}/comm").write_text(f"{name}\n")
    (tmp_path / "9").mkdir()
    assert sorted(watchdog.descendants(5, tmp_path)) == [6, 7]
    assert sorted(task.comm for task in watchdog.tasks_below(1, tmp_path)) == ["a) S 1 (b", "x", "y", "z"]


def test_cpu_time_of_a_process_is_measured() -> None:
    end_s = time.process_time() + 0.05
    while time.process_time() < end_s:
        pass
    fd = os.open("/proc", os.O_RDONLY)
    assert watchdog._cpu_s(fd, os.getpid()) >= 0.04
    assert watchdog._proportional_bytes(fd, str(os.getpid())) > 1 << 20
    assert watchdog._open_files(fd, str(os.getpid())) > 3
    assert watchdog._proportional_bytes(fd, "999999999") == 0
    os.close(fd)


def test_breaches_are_named() -> None:
    fd = os.open("/proc", os.O_RDONLY)

    class Ours:
        proc_fd = fd

        def pids(self) -> list[int]:
            return [os.getpid()]

    for limit, limits in {
        "memory": Limits(memory_bytes=1, cpu_s=10**6, open_files=10**6),
        "cpu": Limits(memory_bytes=1 << 40, cpu_s=0, open_files=10**6),
        "open_files": Limits(memory_bytes=1 << 40, cpu_s=10**6, open_files=0),
    }.items():
        found = watchdog.find_breach(Ours(), (), limits)
        assert found is not None
        assert found.limit == limit
    assert watchdog.find_breach(Ours(), (), Limits(memory_bytes=1 << 40, cpu_s=10**6, open_files=10**6)) is None
    os.close(fd)


def test_kernel_version_is_two_numbers() -> None:
    assert watchdog.kernel_version() > (3, 0)
    assert watchdog.count_tasks(os.geteuid()) >= 1
