from __future__ import annotations

import asyncio
import errno
import socket
import time

import pytest

from pytest_llmbench.client.recorder.sending import send

BROKEN = (errno.EPIPE, errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH)


class Broken(socket.socket):
    """Fails at the first write, as a connection does whose network has gone."""

    code = 0

    def send(self, *_: object) -> int:
        raise OSError(self.code, "broken")


@pytest.mark.parametrize("code", BROKEN, ids=errno.errorcode.get)
def test_what_broke_is_left_to_be_read(code: int) -> None:
    began_s = time.monotonic()
    with Broken() as connection:
        connection.code = code
        assert began_s <= asyncio.run(send(connection, b"request", None)) <= time.monotonic()
