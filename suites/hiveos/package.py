"""The package: made on the PC, put on a rig."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pytest_llmbench import AnswerFault, Candidate, GraderError, Job, Limits, Process

from .flight import Flight, draw_word

HERE = Path(__file__).parent
ON_PC = ("pc.py",)
ON_RIG = ("rig.py", "shell.py", "processes.py", "agent.sh", "miner.py")

SCRIPT = "make_package.sh"
FOLDER = "ethminer"
WANTED = ("h-manifest.conf", "h-config.sh", "h-run.sh", "h-stats.sh")
MINER = f"{FOLDER}/ethminer"

READY_S = 30.0
DEADLINE_S = 10.0
"""For everything that a package does at once."""
ANSWER_S = 2 * DEADLINE_S
"""The harness has deadlines of its own; this is for when it is gone or held up."""
MAX_LINE_BYTES = 16 * 1024 * 1024
LIMITS = Limits(wall_s=120.0, open_files=256)

SHELL_VARIABLES = (
    *("CUSTOM_NAME", "CUSTOM_VERSION", "CUSTOM_CONFIG_FILENAME", "CUSTOM_LOG_BASENAME", "CUSTOM_API_PORT"),
    *("CUSTOM_URL", "CUSTOM_TEMPLATE", "CUSTOM_PASS", "CUSTOM_ALGO", "CUSTOM_USER_CONFIG", "CUSTOM_MINER"),
    *("MINER_URL", "MINER_TEMPLATE", "MINER_PASS", "MINER_USER_CONFIG", "MINER_DIR", "MINER_NAME", "MINER_API_PORT"),
)
"""What the PC's owner may have exported in the terminal."""
TERMINAL = {"TERM": "xterm"}
OTHER_MINERS = ("MINER_URL", "MINER_TEMPLATE", "MINER_PASS", "MINER_USER_CONFIG")


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file of the package as it lay on the PC."""

    kind: str
    """`-` for a plain file, as `ls -l` shows it."""
    mode: int
    """Permissions."""
    content: bytes | None = field(repr=False)
    """None if it is no plain file, or too big."""


@dataclass(frozen=True, slots=True)
class Made:
    """One run of the script."""

    status: int
    files: Mapping[str, PackageFile] = field(repr=False)
    """Path below the script's folder -> file."""
    miner_kept: bool | None
    """Whether the miner that lay in the package is still there; None if there was none."""

    @property
    def wanted(self) -> Mapping[str, PackageFile | None]:
        """The four files of the letter."""
        return {name: self.files.get(f"{FOLDER}/{name}") for name in WANTED}

    @property
    def contents(self) -> Mapping[str, bytes]:
        """Name -> content of the four files; empty for one that is not there."""
        return {name: (file.content if file is not None else None) or b"" for name, file in self.wanted.items()}

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the files that are not there as plain files with something in them."""
        return tuple(name for name, content in self.contents.items() if not content)


def make(candidate: Candidate, *, runs: int = 1, environment: Mapping[str, str] | None = None) -> tuple[Made, ...]:
    """Run the script on the PC, more than once with a miner in the package from then on.

    Raises:
        AnswerFault: there is no script, it did not end, or the harness was killed.
    """
    if SCRIPT not in candidate.files:
        raise AnswerFault(f"the answer has no {SCRIPT}")
    job = Job(
        ("{python}", "-sSE", "{trusted}/pc.py", "{work}/pc", str(runs), str(DEADLINE_S)),
        {f"pc/{SCRIPT}": candidate.files[SCRIPT].encode()},
        trusted=_trusted(ON_PC),
        env={**TERMINAL, **(environment or {})},
        limits=LIMITS,
    )
    with candidate.start(job) as process:
        _require_start(process)
        made: list[Made] = []
        while len(made) < runs:
            said = _take(process, f"{SCRIPT} ran")
            if said["status"] is None:
                raise AnswerFault(f"{SCRIPT} did not end within {DEADLINE_S:g} s")
            made.append(
                Made(said["status"], {path: _file(about) for path, about in said["files"].items()}, said["miner_kept"])
            )
        return tuple(made)


class Rig:
    """A rig on which the package was unpacked, with the agent at work."""

    def __init__(self, candidate: Candidate, made: Made) -> None:
        if made.missing:
            raise AnswerFault(f"{SCRIPT} ended with status {made.status} and did not make {', '.join(made.missing)}")
        rng = candidate.rng
        place = f"{draw_word(rng)}/custom"
        self.other_miners = {name: draw_word(rng) for name in OTHER_MINERS}
        self.miner_status = rng.randint(40, 120)
        """Exit status of the miner after SIGTERM."""
        self._stage = "the rig was started"
        files = {
            path: file.content
            for path, file in made.files.items()
            if file.content is not None and not f"{path}/".startswith(f"{MINER}/")
        }
        self.process = candidate.start(
            Job(
                ("{python}", "-sSE", "{trusted}/rig.py", "{trusted}", str(self.miner_status)),
                {f"{place}/{path}": content for path, content in files.items()},
                # How the script left them is seen on the PC; that must not decide about everything else.
                executable=frozenset(f"{place}/{path}" for path in files if path.endswith(".sh")),
                trusted=_trusted(ON_RIG),
                env={**TERMINAL, "MINER_DIR": f"{{work}}/{place}", "CUSTOM_MINER": FOLDER, **self.other_miners},
                limits=LIMITS,
            )
        )
        try:
            self.miner_dir = str(_require_start(self.process)["miner_dir"])
        except BaseException:
            self.process.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close()

    def do(self, verb: str, *arguments: Any) -> dict[str, Any]:
        """Have the harness carry out a command.

        Raises:
            AnswerFault: it was killed or held up by what the package does.
        """
        self.process.send(json.dumps([verb, *arguments]).encode() + b"\n")
        return _take(self.process, f"the rig carried out '{verb}'")

    def boot(self, *, in_package: bool) -> None:
        """Start the agent's shell, with the package's folder or another one as its working directory."""
        self.do("agent", in_package)

    def config(self, flight: Flight) -> dict[str, Any]:
        """Have the agent source h-config.sh."""
        return self.do("config", list(flight.fields), DEADLINE_S)

    def start(self, **env: str) -> dict[str, Any]:
        """Have the rig execute h-run.sh."""
        return self.do("start", env, DEADLINE_S)


def _trusted(names: tuple[str, ...]) -> dict[str, bytes]:
    return {name: (HERE / name).read_bytes() for name in names}


def _file(about: Mapping[str, Any]) -> PackageFile:
    content = about["content"]
    return PackageFile(about["kind"], about["mode"], None if content is None else base64.b64decode(content))


def _require_start(process: Process) -> dict[str, Any]:
    """Take the harness's first line; not a line of the candidate's has run yet."""
    try:
        line = process.receive_line(READY_S, MAX_LINE_BYTES)
    except TimeoutError:
        line = None
    if line is None:
        raise GraderError(f"the hiveos harness did not start: {_last_words(process)}")
    ready: dict[str, Any] = json.loads(line)
    return ready


def _take(process: Process, stage: str) -> dict[str, Any]:
    try:
        line = process.receive_line(ANSWER_S, MAX_LINE_BYTES)
    except TimeoutError as error:
        raise AnswerFault(f"nothing was heard for {ANSWER_S:g} s while {stage}") from error
    if line is None:
        raise AnswerFault(f"the judge's own process ended or was killed while {stage}: {_last_words(process)}")
    said: dict[str, Any] = json.loads(line)
    return said


def _last_words(process: Process) -> str:
    try:
        ended = process.wait(DEADLINE_S)
    except TimeoutError:
        return "the channel was closed"
    return f"it ended {ended.how}; the end of its stderr: {process.last_words()!r}"
