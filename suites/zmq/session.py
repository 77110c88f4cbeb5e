"""One process of the candidate, watched from all sides: its channel, bitcoind's end of the connection, its threads."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pytest_llmbench import AnswerFault, Candidate, Exit, GraderError, Job, Limits

from .traffic import Message

HERE = Path(__file__).parent
TRUSTED = {name: (HERE / name).read_bytes() for name in ("harness.py", "spy.py")}

DEADLINE_S = 15.0
"""For everything that the candidate has to do. Generous: on a loaded machine 4 s gave spurious misses."""

WORDS = {
    "load": "importing notifier.py",
    "make": "making a BlockNotifier",
    "start": "start()",
    "stats": "stats()",
    "stop": "stop()",
    "forget": "letting go of a BlockNotifier",
    "finish": "returning from the main function",
}
"""The harness's verbs, for the reader of a report."""

SETTLE_S = 3.0
"""How long a candidate may take to come to rest; one that polls without end never does, and is not waited for longer."""

TURN_S = 0.01
"""How long the harness is waited for before the publisher has its turn."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the callback."""

    number: int
    """Place of the line among all lines of the harness."""
    message: Message | None
    """None if the arguments were of other types."""
    types: str | None
    """Then, the types that they were of."""
    thread: int
    frames: int
    """Frames that this thread had received from SUB sockets when it called."""


@dataclass(frozen=True, slots=True)
class Operation:
    """The first time that a thread did this to this SUB socket."""

    thread: int
    socket: int
    """1 for the first SUB socket of the process, 2 for the next …"""
    name: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The harness has carried out a command."""

    number: int
    raised: str | None
    threads: int
    """Python threads besides the main one, right then."""
    took_s: float


class Session:
    """A started harness and the publisher beside it."""

    def __init__(self, candidate: Candidate) -> None:
        self.calls: list[Call] = []
        self.operations: list[Operation] = []
        self.main_thread = 0
        self.accepted = 0
        self.disconnected = 0
        self._subscriptions: list[str] = []
        self._endpoint = ""
        self._replies: dict[str, tuple[int, str | None, int]] = {}
        self._numbers: set[int] = set()
        self._stage = "while it started"
        # Not from the candidate's generator: the seed of a run is no secret.
        secret = secrets.token_bytes(32)
        self._keyed = hashlib.blake2s(key=secret, digest_size=16)
        files = {name: text.encode() for name, text in candidate.files.items()}
        self.process = candidate.start(
            Job(
                # -s: the candidate's folder is also its home, where Python would look for start-up files.
                ("{python}", "-s", "{trusted}/harness.py", "{work}"),
                files,
                trusted=TRUSTED,
                distributions=("pyzmq",),
                limits=Limits(wall_s=10 * DEADLINE_S),
            )
        )
        self._publisher = self.process.drive(HERE / "publisher.py")
        self.process.send(secret.hex().encode() + b"\n")
        try:
            self._require(lambda: self.main_thread != 0 and self._endpoint != "")
        except AnswerFault as error:  # not a line of the candidate's has run yet
            raise GraderError(f"the zmq harness did not start: {error}") from error
        self.threads_before = self.threads

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close()

    @property
    def connections(self) -> int:
        """Connections that bitcoind's end has open."""
        return self.accepted - self.disconnected

    @property
    def threads(self) -> int:
        """Threads of all the candidate's processes, counted from outside."""
        return len(self.process.tasks())

    @property
    def open_sockets(self) -> int:
        """SUB sockets that were created and not closed yet, as far as the spy knows."""
        named = {name: {done.socket for done in self.operations if done.name == name} for name in ("create", "close")}
        return len(named["create"] - named["close"])

    def make(self, topics: tuple[str, ...], bug_at: int = 0) -> None:
        """Have the module imported, if it is not yet, and a notifier made; `bug_at`: this call of the callback raises."""
        self.do("load")
        self.do("make", self._endpoint, ",".join(topics), str(bug_at))

    def start(self, topics: tuple[str, ...]) -> None:
        """Have `start()` called and wait until bitcoind's end sees the subscriptions."""
        self.do("start")
        self._stage = "while bitcoind waited for its subscriptions to " + ", ".join(topics)
        self._require(lambda: all(self._covered(topic) for topic in topics))

    def publish(self, messages: tuple[Message, ...], interval_ms: int) -> None:
        """Have bitcoind's end send messages, one each `interval_ms`; returns at once."""
        self._publisher.send(["publish", [message.wire for message in messages], interval_ms])

    def do(self, verb: str, *arguments: str) -> Reply:
        """Have a command carried out.

        Raises:
            AnswerFault: it raised, took too long, or the process died.
        """
        reply = self.attempt(verb, *arguments)
        if reply is None:
            raise AnswerFault(f"{WORDS[verb]} took longer than {DEADLINE_S:g} s")
        if reply.raised is not None:
            raise AnswerFault(f"{WORDS[verb]} raised {reply.raised}")
        return reply

    def attempt(self, verb: str, *arguments: str, unless: Callable[[], bool] = lambda: False) -> Reply | None:
        """Have a command carried out; None if it did not return in time, or if `unless` came true first.

        Raises:
            AnswerFault: the process died.
        """
        nonce = secrets.token_hex(8)
        self._stage = f"during {WORDS[verb]}"
        began_s = time.monotonic()
        self.process.send(" ".join((nonce, verb, *arguments)).encode() + b"\n")
        self.wait(lambda: nonce in self._replies or unless())
        if nonce not in self._replies:
            return None
        number, raised, threads = self._replies[nonce]
        self._stage = f"after {WORDS[verb]}"
        return Reply(number, raised, threads, time.monotonic() - began_s)

    def settle(self) -> None:
        """Wait until every thread of the candidate sleeps, so that the listener really waits for the next message."""
        looks: list[tuple[str, ...] | None] = [None, ()]

        def at_rest() -> bool:
            looks[:] = [looks[1], self.process.activity()]
            return looks[0] == looks[1] is not None

        self.wait(at_rest, SETTLE_S)

    def end(self) -> Exit | None:
        """Let the harness return from its main function; None if the process does not end by itself."""
        self.do("finish")
        try:
            return self.process.wait(DEADLINE_S)
        except TimeoutError:
            return None

    def wait(self, done: Callable[[], bool], timeout_s: float = DEADLINE_S) -> bool:
        """Read all that comes until `done`; False if the time is over first."""
        deadline_s = time.monotonic() + timeout_s
        turn_s = TURN_S
        while not done():
            if time.monotonic() > deadline_s:
                return False
            while self._read_publisher():
                pass
            turn_s = 0.0 if self._read_harness(turn_s) else TURN_S
        return True

    def _require(self, done: Callable[[], bool]) -> None:
        if not self.wait(done):
            raise AnswerFault(f"nothing came from the program for {DEADLINE_S:g} s {self._stage}")

    def _covered(self, topic: str) -> bool:
        return any(topic.encode().hex().startswith(prefix) for prefix in self._subscriptions)

    def _read_publisher(self) -> bool:
        try:
            kind, _at_s, *details = self._publisher.receive(0.0)
        except TimeoutError:
            return False
        match kind, details:
            case "bound", [str(endpoint)]:
                self._endpoint = endpoint
            case "subscribed", [str(topic)]:
                self._subscriptions.append(topic)
            case "unsubscribed", [str(topic)]:
                self._subscriptions = [prefix for prefix in self._subscriptions if prefix != topic]
            case "accepted", []:
                self.accepted += 1
            case "disconnected", []:
                self.disconnected += 1
            case _:
                raise GraderError(f"zmq publisher: unknown event {kind!r} {details!r}")
        return True

    def _read_harness(self, timeout_s: float) -> bool:
        try:
            line = self.process.receive_line(timeout_s)
        except TimeoutError:
            return False
        if line is None:
            raise AnswerFault(f"the process ended {self._stage}: {self._last_words()}")
        try:
            number, tag, body = line.split(b" ", 2)
            keyed = self._keyed.copy()
            keyed.update(number + b" " + body)
            genuine = secrets.compare_digest(keyed.hexdigest().encode(), tag) and int(number) not in self._numbers
            self._numbers.add(int(number))
        except ValueError:
            genuine = False
        if not genuine:
            raise AnswerFault(f"the program wrote to the judge's channel, which is not its own: {line[:200]!r}")
        self._take(int(number), json.loads(body))
        return True

    def _take(self, number: int, line: dict[str, Any]) -> None:
        match line:
            case {"kind": "ready", "thread": thread}:
                self.main_thread = thread
            case {"kind": "call", "args": [topic, hash_hex, sequence], "thread": thread, "frames": frames}:
                self.calls.append(Call(number, Message(topic, hash_hex, sequence), None, thread, frames))
            case {"kind": "call", "args": types, "thread": thread, "frames": frames}:
                self.calls.append(Call(number, None, types, thread, frames))
            case {"kind": "operation", "thread": thread, "socket": socket, "name": name}:
                self.operations.append(Operation(thread, socket, name))
            case {"kind": "reply", "to": nonce, "raised": raised, "threads": threads}:
                self._replies[nonce] = (number, raised, threads)
            case _:
                raise AnswerFault(f"the program wrote to the judge's channel: {line!r}")

    def _last_words(self) -> str:
        try:
            ended = self.process.wait(DEADLINE_S)
        except TimeoutError:
            return "it closed the judge's channel and runs on"
        return f"{ended.how}; the end of its stderr: {self.process.last_words()!r}"
