"""What the pool does with the notifier, and what is seen of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pytest_llmbench import Candidate, Exit

from .session import DEADLINE_S, Call, Operation, Session
from .traffic import Message, Traffic

TOPICS = ("hashblock", "hashtx")
LIVENESS = 24
"""Messages that have to come out exactly, before anything else is looked at."""
FRAMES = 3
"""Of each message of bitcoind."""


@dataclass(frozen=True, slots=True, repr=False)
class Delivery:
    """What bitcoind sent, and what the callback was given."""

    published: tuple[Message, ...]
    required: int
    """How many of them have to have come; the others may have been on their way when `stop()` was called."""
    calls: tuple[Call, ...]

    def __repr__(self) -> str:
        return f"<{len(self.published)} sent, {self.required} required, {len(self.calls)} came to the callback>"

    @property
    def mismatch(self) -> str | None:
        """The first difference in words; None if the messages came once, in order and exactly."""
        for number, (message, call) in enumerate(zip(self.published, self.calls, strict=False), 1):
            if call.message != message:
                got = call.message or f"arguments of the types {call.types}"
                return f"message {number} was {message}; the callback got {got}"
        if len(self.calls) > len(self.published):
            return f"the callback got a message that was never sent: {self.calls[len(self.published)].message}"
        if len(self.calls) < self.required:
            return f"of {self.required} messages only {len(self.calls)} came to the callback within {DEADLINE_S:g} s"
        return None


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Who handled the SUB socket, from the constructor until `stop()` is through."""

    delivery: Delivery
    operations: tuple[Operation, ...]
    main_thread: int
    accepted: int
    """Connections that bitcoind's end has seen come."""
    disconnected: int
    """… and go."""

    @property
    def foreign_operations(self) -> tuple[str, ...]:
        """What was done to a SUB socket by a thread that is not its listener, in words.

        The listener of a socket is the thread that did most kinds of things to it among those that call the callback.
        """
        listeners = {call.thread for call in self.delivery.calls} - {self.main_thread}
        strangers = [operation for operation in self.operations if not self._is_owner(operation, listeners)]
        return tuple(f"socket {done.socket}: {done.name} by {self._name(done.thread, listeners)}" for done in strangers)

    @property
    def unseen(self) -> str | None:
        """What must have happened to a SUB socket and yet was not seen to happen; None if the evidence is whole."""
        did = {name: {done.socket for done in self.operations if done.name == name} for name in ("connect", "close")}
        if len(did["connect"]) < self.accepted:
            return f"bitcoind saw {self.accepted} connections, but only {len(did['connect'])} SUB sockets connected"
        if len(did["close"]) < self.disconnected:
            return f"bitcoind saw {self.disconnected} connections end, but only {len(did['close'])} SUB sockets were closed"
        for number, call in enumerate(self.delivery.calls, 1):
            received = FRAMES * sum(earlier.thread == call.thread for earlier in self.delivery.calls[:number])
            if call.frames < received:
                return f"call {number} came when its thread had received {call.frames} frames from SUB sockets, not {received}"
        return None

    def _is_owner(self, operation: Operation, listeners: set[int]) -> bool:
        return operation.thread in listeners and operation.thread == self._owner(operation.socket, listeners)

    def _owner(self, socket: int, listeners: set[int]) -> int:
        threads = [done.thread for done in self.operations if done.socket == socket and done.thread in listeners]
        return max(threads, key=threads.count)

    def _name(self, thread: int, listeners: set[int]) -> str:
        if thread == self.main_thread:
            return "the main thread"
        return "the listener thread of another socket" if thread in listeners else "a thread that is not the listener"


@dataclass(frozen=True, slots=True)
class Stop:
    """One call of `stop()`."""

    situation: str
    took_s: float | None
    """None: it did not return within `DEADLINE_S`."""
    raised: str | None = None
    threads_left: int = 0
    """Python threads besides the main one, when it returned."""
    sockets_left: int = 0
    """SUB sockets not yet closed, when it returned."""
    number: int = 0
    """Place of its return among the lines of the harness; compare `Call.number`."""

    @property
    def failed(self) -> bool:
        """Whether it did not return, raised, or left something behind."""
        return self.took_s is None or self.raised is not None or self.threads_left > 0 or self.sockets_left > 0


@dataclass(frozen=True, slots=True)
class ClosingTime:
    """How the notifier lets go."""

    delivery: Delivery
    stops: tuple[Stop, ...]
    connections_left: int
    """Connections that bitcoind's end still saw `DEADLINE_S` later."""
    threads_before: int
    """Threads of the process before the module was imported, counted from outside."""
    threads_left: int
    """… and `DEADLINE_S` after `stop()` at the latest."""
    exit: Exit | None
    """None: the process did not end by itself, or what came before went wrong already."""

    @property
    def late_calls(self) -> int:
        """Calls of the callback after the first `stop()` had returned."""
        return sum(call.number > self.stops[0].number for call in self.delivery.calls) if self.stops else 0


def working_hours(candidate: Candidate) -> WorkingHours:
    """Messages come and are delivered; then the pool stops the notifier while more of them pour in.

    The stop is not judged here. The messages keep coming so that a listener that looks at its flag only after a message
    gets there as well.
    """
    traffic = Traffic(candidate.rng, TOPICS)
    with Session(candidate) as session:
        session.make(TOPICS)
        session.start(TOPICS)
        delivery = _deliver(session, traffic.take(LIVENESS), interval_ms=0, required=LIVENESS)
        if delivery.mismatch is None:
            session.do("stats")
            session.publish(traffic.take(int(DEADLINE_S * 200)), interval_ms=5)
            # What is left to do once the socket is closed is not this scenario's business.
            session.attempt("stop", unless=lambda: session.open_sockets == 0 and session.connections == 0)
        return WorkingHours(
            delivery, tuple(session.operations), session.main_thread, session.accepted, session.disconnected
        )


def quiet_evening(candidate: Candidate) -> ClosingTime:
    """The last message was a while ago; `stop()` is called twice. One callback raised on the way."""
    topics = TOPICS[: candidate.rng.randint(1, 2)]
    with Session(candidate) as session:
        session.make(topics, bug_at=candidate.rng.randint(2, LIVENESS // 2))
        session.start(topics)
        delivery = _deliver(session, Traffic(candidate.rng, topics).take(LIVENESS), interval_ms=0, required=LIVENESS)
        session.settle()
        return _close(session, delivery, ("while no message came", "for the second time"))


def busy_evening(candidate: Candidate) -> ClosingTime:
    """`stop()` is called while messages pour in."""
    with Session(candidate) as session:
        session.make(TOPICS)
        session.start(TOPICS)
        flood = Traffic(candidate.rng, TOPICS).take(4000)
        delivery = _deliver(session, flood, interval_ms=2, required=LIVENESS)
        return _close(session, delivery, ("while messages poured in",))


def false_start(candidate: Candidate) -> ClosingTime:
    """One notifier is stopped before it was started, the next one before any message has come."""
    with Session(candidate) as session:
        session.make(TOPICS)
        early = _stop(session, "before start()")
        if early.failed:
            return _summary(session, Delivery((), 0, ()), (early,))
        session.do("forget")
        session.make(TOPICS)
        session.start(TOPICS)
        session.settle()
        return _close(session, Delivery((), 0, ()), ("before any message had come",), (early,))


def _deliver(session: Session, messages: tuple[Message, ...], interval_ms: int, required: int) -> Delivery:
    """Publish, and wait until `required` of the messages have come to the callback, or a wrong one."""

    def settled() -> bool:
        pairs = zip(session.calls, messages, strict=False)
        return len(session.calls) >= required or any(call.message != message for call, message in pairs)

    session.publish(messages, interval_ms)
    session.wait(settled)
    return Delivery(messages, required, tuple(session.calls))


def _stop(session: Session, situation: str) -> Stop:
    reply = session.attempt("stop")
    if reply is None:
        return Stop(situation, took_s=None)
    return Stop(situation, reply.took_s, reply.raised, reply.threads, session.open_sockets, reply.number)


def _close(
    session: Session, delivery: Delivery, situations: tuple[str, ...], before: tuple[Stop, ...] = ()
) -> ClosingTime:
    """Stop the notifier once for each of the situations, see what is left of it, and let the process end."""
    stops = before
    if delivery.mismatch is not None:
        return _summary(session, delivery, stops)
    for situation in situations:
        stops = (*stops, _stop(session, situation))
        if stops[-1].failed:
            return _summary(session, delivery, stops)
    gone = session.wait(lambda: session.connections == 0 and session.threads <= session.threads_before)
    return _summary(session, delivery, stops, session.end if gone else _not_tried)


def _not_tried() -> None:
    return None


def _summary(
    session: Session, delivery: Delivery, stops: tuple[Stop, ...], end: Callable[[], Exit | None] = _not_tried
) -> ClosingTime:
    threads_left = session.threads
    ended = end()
    return ClosingTime(
        delivery=replace(delivery, calls=tuple(session.calls)),
        stops=stops,
        connections_left=session.connections,
        threads_before=session.threads_before,
        threads_left=threads_left,
        exit=ended,
    )
