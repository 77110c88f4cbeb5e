"""The sockets and the heap of what is due, in one thread.

All writes wait in a heap for their time, and the sockets in an epoll set.
"""

from __future__ import annotations

import heapq
import itertools
import select
import socket
import time
from typing import Protocol

from benchmarks.schedule_server.arrival import CONTROL_BYTES, arrival_s, stamp_arrivals
from benchmarks.schedule_server.incoming import Request, take_request
from benchmarks.schedule_server.log import Entry, Written
from benchmarks.schedule_server.plan import Write

_READ_BYTES = 256 * 1024


class Service(Protocol):
    """What the loop serves."""

    def answer(self, loop: Loop, connection: Connection, request: Request) -> None:
        """Send something to the connection, or begin an answer on it."""

    def ended(self, entry: Entry) -> None:
        """Take an answer that has ended, whole or not."""

    def idle(self) -> None:
        """Do what would make writes late: no answer is under way."""


class Connection:
    """One socket, and the answer that is being written to it."""

    def __init__(self, number: int, link: socket.socket) -> None:
        self.number, self.link = number, link
        self.received = bytearray()
        self.arrived_s = 0.0  # when the last bytes did
        self.entry: Entry | None = None
        self.writes: tuple[Write, ...] = ()
        self.next = 0
        self.pending = memoryview(b"")  # what the socket did not take yet

    @property
    def is_idle(self) -> bool:
        """Whether it can take a request."""
        return self.entry is None and not self.pending


class Loop:
    """Listens on the loopback interface, and writes what is due."""

    def __init__(self, port: int, service: Service) -> None:
        """Bind the port; 0 is any that is free."""
        self._service = service
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        stamp_arrivals(self._listener)
        self._listener.setblocking(False)  # noqa: FBT003 (its only argument)
        self.port: int = self._listener.getsockname()[1]
        self._waking, self._woken = socket.socketpair()
        self._waking.setblocking(False)  # noqa: FBT003 (its only argument)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._epoll.register(self._woken, select.EPOLLIN)
        self._connections: dict[int, Connection] = {}
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Connection, Entry]] = []
        self._order = itertools.count()  # the heap never compares connections
        self._free_s = 0.0  # when the bound that all answers share has room again
        self._open = 0
        self._stopping = False

    def wakeup_fd(self) -> int:
        """Return what the interpreter shall write to at a signal: a handler of Python's alone does not end a wait."""
        return self._waking.fileno()

    def stop(self) -> None:
        """End `run` after what it is doing; for a signal's handler."""
        self._stopping = True

    def run(self) -> None:
        """Serve until stopped."""
        while not self._stopping:
            self._write_due()
            if not self._open:
                self._service.idle()
            wait_s = None if not self._due else max(0.0, self._due[0][0] - time.monotonic())
            # An epoll set waits in whole milliseconds; the set itself can be waited for in microseconds.
            if wait_s is None or wait_s > 0:
                select.select([self._epoll], [], [], wait_s)
            for number, what in self._epoll.poll(0):
                self._on_event(number, what)

    def begin(self, connection: Connection, entry: Entry, writes: tuple[Write, ...]) -> None:
        """Begin an answer; its writes count from `entry.first_due_s`."""
        connection.entry, connection.writes, connection.next = entry, writes, 0
        self._open += 1
        self._plan_next(connection, entry, entry.arrived_s)

    def send(self, connection: Connection, data: bytes) -> bool:
        """Hand data to the socket, all of it in the end; return whether the client is still there."""
        try:
            sent = connection.link.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return False
        if sent < len(data):
            connection.pending = memoryview(data)[sent:]
            self._epoll.modify(connection.link, select.EPOLLIN | select.EPOLLOUT)
        return True

    # What is due

    def _write_due(self) -> None:
        due, now_s = self._due, time.monotonic()
        while due and due[0][0] <= now_s:
            due_s, _, connection, entry = heapq.heappop(due)
            if connection.entry is entry:
                self._write(connection, entry, due_s)

    def _plan_next(self, connection: Connection, entry: Entry, last_s: float) -> None:
        """Put the next write of an answer into the heap.

        Args:
            connection: where it goes.
            entry: the answer.
            last_s: when the write before it was made, or the request arrived.
        """
        write = connection.writes[connection.next]
        due_s = entry.first_due_s + write.due_s
        if entry.bound_tok_s or entry.thrash_s or not entry.catch_up:
            # The next token is made after the one before it, whenever that was.
            gap_s = write.due_s - connection.writes[connection.next - 1].due_s if connection.next else 0.0
            pairs = self._open * (self._open - 1) / 2
            due_s = max(due_s, last_s + gap_s + write.tokens * entry.thrash_s * pairs)
        if entry.bound_tok_s and write.tokens:
            # A token waits for its turn among those of all answers.
            due_s = max(due_s, self._free_s)
            self._free_s = due_s + write.tokens / entry.bound_tok_s
        heapq.heappush(self._due, (due_s, next(self._order), connection, entry))

    def _write(self, connection: Connection, entry: Entry, due_s: float) -> None:
        write = connection.writes[connection.next]
        connection.next += 1
        at_s = time.monotonic()
        entry.writes.append(Written(due_s, at_s, write.tokens))
        if not self.send(connection, write.data):
            return
        if connection.next == len(connection.writes):
            entry.is_whole = True
            self._end(connection)
            self._serve(connection)
        elif not connection.pending:
            self._plan_next(connection, entry, at_s)

    def _end(self, connection: Connection) -> None:
        if connection.entry is not None:
            self._service.ended(connection.entry)
            self._open -= 1
            connection.entry = None

    def _close(self, connection: Connection) -> None:
        self._end(connection)
        connection.received.clear()
        del self._connections[connection.link.fileno()]
        self._epoll.unregister(connection.link)
        connection.link.close()

    # What arrives

    def _on_event(self, number: int, what: int) -> None:
        if number == self._listener.fileno():
            self._accept()
        elif (connection := self._connections.get(number)) is not None:
            if what & select.EPOLLOUT:
                self._send_pending(connection)
            if what & ~select.EPOLLOUT and number in self._connections:
                self._read(connection)
            self._serve(connection)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except BlockingIOError:
                return
            link.setblocking(False)  # noqa: FBT003 (its only argument)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections[link.fileno()] = Connection(next(self._numbers), link)
            self._epoll.register(link, select.EPOLLIN)

    def _read(self, connection: Connection) -> None:
        try:
            data, control, _, _ = connection.link.recvmsg(_READ_BYTES, CONTROL_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data, control = b"", []
        if not data:
            self._close(connection)
            return
        connection.received += data
        connection.arrived_s = arrival_s(control)

    def _serve(self, connection: Connection) -> None:
        while connection.is_idle and (request := take_request(connection.received)) is not None:
            self._service.answer(self, connection, request)

    def _send_pending(self, connection: Connection) -> None:
        data, connection.pending = connection.pending, memoryview(b"")
        try:
            sent = connection.link.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return
        connection.pending = data[sent:]
        if connection.pending:
            return
        self._epoll.modify(connection.link, select.EPOLLIN)
        if connection.entry is not None:
            self._plan_next(connection, connection.entry, time.monotonic())
