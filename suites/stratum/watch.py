"""What comes from a server of the candidate's, its node and its miners, and what it has written."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pytest_llmbench import AnswerFault, Driver, GraderError, Process

from .miner import Miner

DEADLINE_S = 15.0
"""For everything that the candidate has to do. Generous, for a loaded machine."""
SETTLE_S = 3.0
"""How long a candidate may take to come to rest; one that polls without end never does, and is not waited for longer."""
TURN_S = 0.01
"""How long the miners' end is listened to before the node has its turn."""
MAX_RECEIVED_BYTES = 64 * 1024 * 1024
"""By all miners together; no server has so much to say."""
MAX_SUBMISSIONS = 100_000
MAX_KEPT_SUBMISSIONS = 1000
MAX_FILE_BYTES = 4 * 1024 * 1024
SHARE_LOG, LOG_FILE = "shares.log", "pool.log"


@dataclass(frozen=True, slots=True)
class Written:
    """All that the candidate wrote."""

    stdout: bytes
    stderr: bytes
    log: bytes
    share_log: bytes

    @property
    def places(self) -> tuple[tuple[str, bytes], ...]:
        """What to call each of them, and its bytes."""
        return (
            ("stdout", self.stdout),
            ("stderr", self.stderr),
            ("the log file", self.log),
            ("the share log", self.share_log),
        )


class Watch:
    """Listens to the node and to the miners."""

    def __init__(self, process: Process, node: Driver, network: Driver) -> None:
        self.process = process
        self.node_port = self.port = 0
        """Where the node listens, and where the server is to; 0 until they are known."""
        self.submitted: list[str | None] = []
        """Blocks that `submitblock` was called with, the first ones of too many."""
        self.has_served = False
        """Whether the node has sent a first template."""
        self.is_holding = False
        """Whether the node keeps its answers back."""
        self.miners: dict[str, Miner] = {}
        """Those that have not left."""
        self.connected: set[str] = set()
        self.unsent: dict[str, int] = {}
        """Miner -> bytes that the server did not take, when last asked for."""
        self.held_connections: int | None = None
        """By the last census."""
        self._node, self._network = node, network
        self._received_bytes = 0
        self._submissions = 0

    def written(self) -> Written:
        """Collect what the candidate has written so far."""
        stdout, stderr = self.process.output()
        log, shares = (self.process.collect(path, MAX_FILE_BYTES) or b"" for path in (LOG_FILE, SHARE_LOG))
        return Written(stdout, stderr, log, shares)

    def settle(self) -> None:
        """Wait until every thread of the candidate sleeps: what it wants to say before it goes on is said."""
        looks: list[tuple[str, ...] | None] = [None, ()]

        def at_rest() -> bool:
            looks[:] = [looks[1], self.process.activity()]
            return looks[0] == looks[1] is not None

        self.wait(at_rest, SETTLE_S)

    def require(self, done: Callable[[], bool], otherwise: str) -> None:
        """Wait for what has to come.

        Raises:
            AnswerFault: it did not within `DEADLINE_S`.
        """
        if not self.wait(done):
            raise AnswerFault(f"{otherwise} within {DEADLINE_S:g} s")

    def wait(self, done: Callable[[], bool], timeout_s: float = DEADLINE_S) -> bool:
        """Read all that comes until `done`; False if the time is over first.

        Raises:
            AnswerFault: the server has ended.
        """
        deadline_s = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline_s:
                return False
            while self._read_node():
                pass
            if not self._read_network(TURN_S):
                self._require_life()
            else:
                while self._read_network(0.0):
                    pass
        return True

    def _read_node(self) -> bool:
        try:
            event = self._node.receive(0.0)
        except TimeoutError:
            return False
        match event:
            case ["bound", int(port)]:
                self.node_port = port
            case ["served"]:
                self.has_served = True
            case ["held"]:
                self.is_holding = True
            case ["submitblock", block]:
                self._submissions += 1
                if self._submissions > MAX_SUBMISSIONS:
                    raise AnswerFault(f"submitblock was called more than {MAX_SUBMISSIONS} times")
                if len(self.submitted) < MAX_KEPT_SUBMISSIONS:
                    self.submitted.append(block)
            case _:
                raise GraderError(f"stratum node: unknown event {event!r}")
        return True

    def _read_network(self, timeout_s: float) -> bool:
        try:
            event = self._network.receive(timeout_s)
        except TimeoutError:
            return False
        match event:
            case ["port", int(port)]:
                self.port = port
            case ["connected", str(name)]:
                self.connected.add(name)
            case ["data", str(name), str(text)]:
                self._hear(name, text.encode("latin-1"))
            case ["gone", str(name)]:
                if name in self.miners:
                    self.miners[name].gone = True
            case ["census", int(held)]:
                self.held_connections = held
            case ["unsent", str(name), int(count)]:
                self.unsent[name] = count
            case _:
                raise GraderError(f"stratum miners: unknown event {event!r}")
        return True

    def _hear(self, name: str, data: bytes) -> None:
        self._received_bytes += len(data)
        if self._received_bytes > MAX_RECEIVED_BYTES:
            raise AnswerFault(f"the server sent its miners more than {MAX_RECEIVED_BYTES} bytes")
        if name in self.miners:
            self.miners[name].hear(data)

    def _require_life(self) -> None:
        try:
            ended = self.process.wait(0.0)
        except TimeoutError:
            return
        raise AnswerFault(f"the server ended {ended.how}; the end of its stderr: {self.process.last_words()!a}")
