"""Calls a candidate's functions, one at a time, and takes what comes back as an observation.

Inputs are revealed one by one, each with an id that nobody can guess; what was expected never goes in. A reply that was
not asked for, a wrong id, or the end of the channel is the answer's failure.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pytest_llmbench.errors import AnswerFault
from pytest_llmbench.sandbox import wire
from pytest_llmbench.sandbox.api import MIB, Job, Limits, Process, Sandbox

CALL_S = 15.0
IMPORT_S = 30.0
END_S = 2.0
"""Between the end of the channel and that of the program."""
MAX_REPLY_BYTES = 8 * MIB
_MAX_NAME = 200
_MAX_MESSAGE = 8000
_OUTPUT_TAIL = 500
_TOGETHER = frozenset({"id", "value"}), frozenset({"id", "raised", "message"}), frozenset({"id", "unfit"})


@dataclass(frozen=True, slots=True)
class Raised:
    """The candidate's function raised instead of returning; both texts are the candidate's word."""

    type_name: str
    message: str


def open_worker(  # noqa: PLR0913 - all but two are keywords with defaults
    sandbox: Sandbox,
    files: Mapping[str, bytes],
    *,
    module: str,
    distributions: Sequence[str] = (),
    limits: Limits | None = None,
    trusted: Mapping[str, bytes] | None = None,
) -> Worker:
    """Start a worker that has imported `module`.

    Args:
        sandbox: where to run it.
        files: the candidate's, relative path -> content.
        module: name of the module to import, from the candidate's files or from `trusted`.
        distributions: importable inside.
        limits: of the job.
        trusted: modules of the judge that are put in front of the candidate's, such as an adapter.

    Raises:
        AnswerFault: the import raised, ended the process or took too long.
        SandboxError: the sandbox could not be built.
    """
    own = {name: Path(__file__).with_name(name).read_bytes() for name in ("worker_side.py", "wire.py")}
    job = Job(
        ["{python}", "{trusted}/worker_side.py", module, "{trusted}", "{work}"],
        files=files,
        trusted={**(trusted or {}), **own},
        distributions=distributions,
        limits=limits or Limits(),
    )
    worker = Worker(sandbox.start(job))
    try:
        answer = worker.exchange({}, IMPORT_S)
    except BaseException:
        worker.close()
        raise
    if isinstance(answer, Raised):
        worker.close()
        raise AnswerFault(f"importing {module!r} raised {answer.type_name}: {answer.message}")
    return worker


class Worker:
    """A running worker."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def call(self, function: str, *args: Any, timeout_s: float = CALL_S) -> Any:
        """Call a function of the module by its dotted name; return what it returned, or `Raised`.

        What comes back is of exact types: dict, list, tuple, str, int, float, bool, None, bytes, Decimal; numbers are
        finite.

        Raises:
            AnswerFault: it ended, was late, returned something else, or said what it was not asked.
        """
        return self.exchange({"function": function, "args": list(args)}, timeout_s)

    def exchange(self, request: Mapping[str, Any], timeout_s: float) -> Any:
        """Send one request and take its reply."""
        process = self.process
        if process.has_unread():
            raise AnswerFault(f"the program ended or spoke on the judge's channel without being asked{self._tail()}")
        number = secrets.token_hex(16)
        process.send(wire.dumps({"id": number, **request}) + b"\n")
        try:
            line = process.receive_line(timeout_s, MAX_REPLY_BYTES)
        except TimeoutError as error:
            raise AnswerFault(f"no result within {timeout_s:g} s{self._tail()}") from error
        if line is None:
            raise AnswerFault(f"the program ended{self._cause()} instead of returning a result{self._tail()}")
        return _take(line, number)

    def _cause(self) -> str:
        """Return what is known about the end; by then all output has been read too."""
        try:
            end = self.process.wait(END_S)
        except TimeoutError:
            return " its side of the channel"
        return f" {end.how}"

    def _tail(self) -> str:
        said = self.process.output()[1].decode(errors="replace").strip()
        return f"; its last words: {said.splitlines()[-1][-_OUTPUT_TAIL:]}" if said else ""

    def close(self) -> None:
        """End the worker. Idempotent."""
        self.process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _take(line: bytes, number: str) -> Any:
    try:
        reply = wire.loads(line)
    except wire.WireError as error:
        raise AnswerFault(f"the result cannot be taken: {error}") from error
    if type(reply) is not dict or reply.keys() not in _TOGETHER or reply["id"] != number:
        raise AnswerFault("the program spoke on the judge's channel without being asked, or not as asked")
    if "unfit" in reply:
        raise AnswerFault(f"the result cannot be taken: {_text(reply['unfit'])}")
    if "raised" in reply:
        return Raised(_text(reply["raised"])[:_MAX_NAME], _text(reply["message"]))
    return reply["value"]


def _text(value: Any) -> str:
    if type(value) is not str:
        raise AnswerFault("the program spoke on the judge's channel without being asked, or not as asked")
    return value[:_MAX_MESSAGE]
