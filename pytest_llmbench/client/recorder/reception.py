"""One response while it comes in.

In the hot loop, `on_readable`, a read is stamped and kept, and no more. What it means is looked at when it may be the
end, or by the watch a few times a second.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import httpx

from pytest_llmbench.client.done import said_done_at_s
from pytest_llmbench.client.recorder.framing import Counted, Framing, UntilClose, framing_of
from pytest_llmbench.client.recorder.head import Head, HeadError, read_head
from pytest_llmbench.client.recorder.stamps import CONTROL_BYTES, Stamps
from pytest_llmbench.client.tape import DONE_GRACE_S, BodyTooLongError, EndedByDoneError, Tape

READ_BYTES = 64 * 1024
_LAST_CHUNK = b"0\r\n\r\n"
_OK = 200


class Reception:
    """Reads one response from a connection that a request was written to.

    Args:
        connection: does not block.
        stamps: tells when a read came.
        tape: takes what came.
        method: of the request.
        is_quiet: nobody is woken before all has come, if it is an answer; else every look wakes.
        on_end: called once, when no more is to be read.
    """

    def __init__(  # noqa: PLR0913 (all are needed, and one place makes it)
        self,
        connection: socket.socket,
        stamps: Stamps,
        tape: Tape,
        *,
        method: bytes,
        is_quiet: bool,
        on_end: Callable[[], None],
    ) -> None:
        self.head: Head | None = None
        self.is_ended = False
        self.is_quiet = is_quiet
        self.may_serve_again = False
        """Whether the connection is fit for another request."""
        self.tape = tape
        """What came; another one than was given, once it is known that this is nothing to record."""
        self._at_s = stamps.at_s
        self._receive = connection.recvmsg
        self._method = method
        self._on_end = on_end
        self._reads: list[tuple[float, bytes]] = []  # as they came, not yet looked at
        self._last_s = tape.sent_at_s
        self._raw_bytes = 0
        self._look_at_bytes = 0  # from there on each read is looked at
        self._body_bytes = 0
        self._begun = b""  # of the head
        self._framing: Framing | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether any byte has come, if only of the head."""
        return self._raw_bytes > 0

    def on_readable(self) -> None:
        """Take one read, if there is one: the hot loop."""
        try:
            data, control, _, _ = self._receive(READ_BYTES, CONTROL_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._look()
            self._end(httpx.ReadError(str(error)))
            return
        self._last_s = at_s = self._at_s(control, self._last_s)
        self._reads.append((at_s, data))
        self._raw_bytes += len(data)
        # A last chunk that was split between reads ends in a read shorter than itself.
        if self._raw_bytes >= self._look_at_bytes or data.endswith(_LAST_CHUNK) or len(data) < len(_LAST_CHUNK):
            self._look()

    def on_watch(self, now_s: float, idle_s: float | None) -> None:
        """See after a response whose end did not show by itself: trailers, silence, `[DONE]` with no end after it."""
        self._look()
        if self.is_ended:
            return
        if now_s - self._last_s > min(DONE_GRACE_S, idle_s or DONE_GRACE_S):
            self.on_readable()  # it may be we who were late, not the server
        silent_s = now_s - self._last_s
        if self.is_quiet and silent_s > DONE_GRACE_S and said_done_at_s(self.tape.pieces) is not None:
            self._end(EndedByDoneError("the body did not end after [DONE]"))
        elif idle_s is not None and silent_s > idle_s:
            self._end(httpx.ReadTimeout(f"no byte came for {idle_s:g} s"))

    async def begin(self) -> Head:
        """Wait for the head, or, where all is quiet, for the end.

        Raises:
            httpx.TransportError: no head came.
        """
        while not (self.is_ended or (self.head is not None and not self.is_quiet)):
            await self._next()
        if self.head is None:
            raise self.tape.failure or httpx.RemoteProtocolError("no answer came")
        return self.head

    async def wait_for_more(self, seen: int) -> None:
        """Wait until the tape holds more than so many pieces, or all has come."""
        while not self.is_ended and len(self.tape.pieces) <= seen:
            await self._next()

    def stop(self) -> None:
        """Receive no more, whatever was still to come."""
        self._end(httpx.ReadError("the client gave up"))

    async def _next(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _end(self, failure: httpx.TransportError | None = None) -> None:
        if self.is_ended:
            return
        self.is_ended = True
        self.tape.failure = failure
        self.tape.ended_at_s = self._last_s
        self._on_end()
        self._wake()

    def _look(self) -> None:
        """Take up what was read since the last look."""
        reads, self._reads = self._reads, []
        for at_s, data in reads:
            if not data:
                self._hang_up()
            elif self._framing is None:
                self._begin(at_s, data)
            else:
                self._take(at_s, data, self._framing)
            if self.is_ended:
                return
        if self._framing is not None and self.is_quiet:
            left_bytes = self.tape.max_body_bytes - self._body_bytes + 1
            if isinstance(self._framing, Counted):
                left_bytes = min(left_bytes, self._framing.left_bytes)
            self._look_at_bytes = self._raw_bytes + left_bytes
        elif self._framing is not None:
            self._wake()

    def _begin(self, at_s: float, data: bytes) -> None:
        self._begun += data
        try:
            found = read_head(self._begun, self._method)
            while found is not None and found[0].is_interim:
                self._begun = self._begun[found[1] :]
                found = read_head(self._begun, self._method)
        except HeadError as error:
            self._end(httpx.RemoteProtocolError(str(error)))
            return
        if found is not None:
            self.head, size = found
            is_plain = (self.head.value(b"content-encoding") or b"identity").lower() == b"identity"
            if self.is_quiet and not (self.head.status == _OK and is_plain):
                self.is_quiet = False
                self.tape = Tape(self.tape.max_body_bytes, sent_at_s=self.tape.sent_at_s)
            self._framing = framing_of(self.head)
            self._take(at_s, self._begun[size:], self._framing)

    def _take(self, at_s: float, data: bytes, framing: Framing) -> None:
        if body := framing.feed(data):
            self.tape.pieces.append((at_s, body))
            self._body_bytes += len(body)
        if self._body_bytes > self.tape.max_body_bytes:
            self._end(BodyTooLongError(f"more than {self.tape.max_body_bytes} bytes"))
        elif framing.problem is not None:
            self._end(httpx.RemoteProtocolError(framing.problem))
        elif framing.is_done:
            self.may_serve_again = self.head is not None and self.head.keeps_alive and not framing.surplus
            self._end()

    def _hang_up(self) -> None:
        if self._framing is None:
            self._end(httpx.RemoteProtocolError("the server closed the connection without an answer"))
        elif isinstance(self._framing, UntilClose):
            self._end()
        else:
            self._end(httpx.RemoteProtocolError("the server closed the connection before the end of the body"))
