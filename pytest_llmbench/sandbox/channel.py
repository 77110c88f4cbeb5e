"""The grader's end of the socket that the candidate sees as descriptor 3."""

from __future__ import annotations

import select
import socket
import time

from pytest_llmbench.errors import AnswerFault


class Channel:
    """A stream of lines; the other end is untrusted."""

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours
        self._rest = bytearray()
        self._ended = False

    def send(self, data: bytes) -> None:
        """Write all of it; a closed channel is not an error. Blocks at most until the job's end."""
        try:
            self._socket.sendall(data)
        except OSError:
            return

    def receive_line(self, timeout_s: float, max_bytes: int) -> bytes | None:
        """Return the next line without its newline, or None at the end.

        Raises:
            TimeoutError: no whole line came in time.
            AnswerFault: a line longer than `max_bytes`.
        """
        deadline_s = time.monotonic() + timeout_s
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            if searched > max_bytes:
                raise AnswerFault(f"a line on the channel is longer than {max_bytes} bytes")
            if not self._fill(deadline_s):
                return self._last()
        if end > max_bytes:
            raise AnswerFault(f"a line on the channel is longer than {max_bytes} bytes")
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line

    def has_more(self) -> bool:
        """Whether something lies unread, or the other end is closed."""
        return bool(self._rest) or self._ended or bool(self._poll(0.0))

    def _last(self) -> bytes | None:
        # Only a newline makes a line whole: what a killed program had begun to say is not taken for its word.
        self._rest.clear()
        return None

    def _fill(self, deadline_s: float) -> bool:
        if self._ended:
            return False
        if not self._poll(max(0.0, deadline_s - time.monotonic())):
            raise TimeoutError("no whole line came on the channel in time")
        try:
            part = self._socket.recv(65536)
        except ConnectionError:
            part = b""
        self._rest += part
        self._ended = not part
        return bool(part)

    def _poll(self, timeout_s: float) -> list[tuple[int, int]]:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return poll.poll(1000 * timeout_s)

    def close(self) -> None:
        """Close our end."""
        self._socket.close()
