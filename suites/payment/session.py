"""A sandbox in which workers run, with the wallet beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pytest_llmbench import AnswerFault, Candidate, GraderError, Job, Limits

from .ledger import Payment, Payout, read_payout
from .wallet_log import WalletLog

HERE = Path(__file__).parent
DEADLINE_S = 12.0
"""For each command of the candidate, which takes a fraction of a second."""
TURN_S = 0.01
LOOKS = 5
"""So many looks at the threads in a row have to show all of them asleep."""
LOOK_S = 0.02
SIDE_FILES = ("", "-wal", "-journal")
"""What SQLite keeps beside a database and cannot make again."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


class Session:
    """A started harness and wallet."""

    def __init__(  # noqa: PLR0913 - what is there when the day begins
        self,
        candidate: Candidate,
        name: str,
        database: Mapping[str, bytes],
        *,
        paid: Sequence[Payment] = (),
        troubles: Mapping[str, str] | None = None,
        refused: Sequence[str] = (),
        doubtful: Sequence[str] | None = None,
    ) -> None:
        """Start.

        Args:
            candidate: whose files are run.
            name: of the database.
            database: file name -> content: the database and what belongs to it.
            paid: what the wallet has paid before.
            troubles: reference -> trouble with its first request.
            refused: references that the wallet refuses to pay.
            doubtful: addresses that were paid without an answer; None if every look-up is to be answered.
        """
        self.name = name
        self._ended: dict[int, Ended] = {}
        self._started = 0
        self._replies: dict[str, list[Any]] = {}
        self.process = candidate.start(
            Job(
                ("{python}", "-s", "{trusted}/harness.py"),
                {**{path: text.encode() for path, text in candidate.files.items()}, **database},
                trusted={"harness.py": (HERE / "harness.py").read_bytes()},
                limits=Limits(wall_s=12 * DEADLINE_S),
            )
        )
        self.wallet = WalletLog(self.process.drive(HERE / "fake_wallet.py"), paid, troubles or {}, refused, doubtful)
        if not self.wait(lambda: self.wallet.port is not None, 3 * DEADLINE_S):
            raise GraderError("the fake wallet did not start")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close()

    def start(self, command: str, *arguments: str) -> int:
        """Start a command of the program; return its number."""
        self._started += 1
        argv = ["payments.py", command, "--db", self.name]
        if command in ("run", "recover"):
            argv += ["--wallet", f"http://127.0.0.1:{self.wallet.port}/"]
        self._order("start", self._started, [*argv, *arguments])
        return self._started

    def ended(self, *numbers: int) -> bool:
        """Whether all these commands have ended."""
        return all(each in self._ended for each in numbers)

    def run(self, command: str, *arguments: str) -> Ended:
        """Have a command carried out.

        Raises:
            AnswerFault: it did not end in time.
        """
        started = self.start(command, *arguments)
        self.require(lambda: self.ended(started), command)
        return self._ended[started]

    def require(self, done: Callable[[], bool], what: str) -> None:
        """Wait until a command is done; AnswerFault if it takes too long."""
        if not self.wait(done):
            raise AnswerFault(f"`{what}` did not end within {DEADLINE_S:g} s")

    def kill(self, started: int) -> None:
        """End a command as a power cut does."""
        self._order("kill", started)
        self.require(lambda: self.ended(started), "SIGKILL")

    def lock(self) -> None:
        """Be the backup: hold the write lock."""
        self._request("lock", "locked", self.name)

    def unlock(self) -> None:
        """Let go of it."""
        self._request("unlock", "unlocked")

    def payouts(self, first_id: int = 0) -> tuple[Payout, ...]:
        """Return the payouts in the database from an id on."""
        rows, _ = self._request("read", "rows", self.name, first_id)
        if type(rows) is not list or not all(type(row) is list and len(row) == 7 for row in rows):
            raise AnswerFault("the payouts cannot be read from the database")
        return tuple(read_payout(row) for row in rows)

    def collect(self) -> dict[str, bytes]:
        """Return the database with what SQLite keeps beside it."""
        found = {self.name + suffix: self.process.collect(self.name + suffix) for suffix in SIDE_FILES}
        return {name: content for name, content in found.items() if content is not None}

    def settle(self, timeout_s: float) -> None:
        """Wait until every thread of the candidate sleeps: it waits for the lock, the wallet, or another thread.

        Those that never sleep are not waited for longer.
        """
        seen = 0
        deadline_s = time.monotonic() + timeout_s
        while seen < LOOKS and time.monotonic() < deadline_s:
            requests = self.wallet.requests
            self.wait(lambda: False, LOOK_S)
            seen = seen + 1 if requests == self.wallet.requests and self.process.activity() is not None else 0

    def wait(self, done: Callable[[], bool], timeout_s: float = DEADLINE_S) -> bool:
        """Read all that comes until `done`; False if the time is over first."""
        deadline_s = time.monotonic() + timeout_s
        turn_s = TURN_S
        while True:
            # After the harness, whose news may be a consequence of what the wallet has done and told before.
            while self.wallet.read():
                pass
            if done():
                return True
            if time.monotonic() > deadline_s:
                return False
            turn_s = 0.0 if self._read_harness(turn_s) else TURN_S

    def _order(self, *words: Any) -> None:
        self.process.send(json.dumps(words).encode() + b"\n")

    def _request(self, verb: str, reply: str, *arguments: Any) -> list[Any]:
        self._replies.pop(reply, None)
        self._order(verb, *arguments)
        if not self.wait(lambda: reply in self._replies):
            raise AnswerFault(f"the database could not be {reply} within {DEADLINE_S:g} s")
        details = self._replies[reply]
        if details[-1] is not None:
            raise AnswerFault(f"the database cannot be used any more: {str(details[-1])[:LONGEST_NAME]}")
        return details

    def _read_harness(self, timeout_s: float) -> bool:
        try:
            line = self.process.receive_line(timeout_s)
        except TimeoutError:
            return False
        if line is None:
            raise AnswerFault(self._how_it_ended())
        try:
            words = json.loads(line)
        except (ValueError, RecursionError):
            words = None
        match words:
            case ["started", int()]:
                pass
            case ["ended", int(started), int(status), str(stdout), str(stderr)]:
                self._ended[started] = Ended(status, stdout, stderr)
            case ["locked" | "unlocked" | "rows" as reply, *details] if details:
                self._replies[reply] = details
            case _:
                raise AnswerFault("the program wrote to the judge's channel, which is not its own")
        return True

    def _how_it_ended(self) -> str:
        try:
            limit = self.process.wait(DEADLINE_S).limit
        except TimeoutError:
            limit = None
        return (
            f"the program went beyond its limit: {limit}"
            if limit
            else "the program has ended the process that started it"
        )
