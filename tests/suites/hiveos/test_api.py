"""The miner's API as it is served to a package: on the ports that the judge names, whatever a package does with it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from pytest_llmbench.provision.ports import free_port
from suites.hiveos.judge import API

REQUEST = b'{"id":7,"jsonrpc":"2.0","method":"miner_getstat1"}\n'
RESULTS = {"miner_getstat1": ["0.20.3", "53", "x" * 500]}
DEADLINE_S = 20.0


class Judge:
    """The judge's end of the API."""

    def __init__(self, end: socket.socket) -> None:
        self._lines = end.makefile("rb")
        self._end = end

    def serve(self, ports: list[int], results: dict[str, Any] | None) -> dict[str, Any]:
        """Have the API serve these ports; return what it says."""
        self._end.sendall(json.dumps([ports, results]).encode() + b"\n")
        said: dict[str, Any] = json.loads(self._lines.readline())
        return said


@pytest.fixture
def judge() -> Iterator[Judge]:
    ours, theirs = socket.socketpair()
    ours.settimeout(DEADLINE_S)
    with ours, theirs:
        start = ["bash", "-c", f'exec 3<&{theirs.fileno()} "$@"', "bash", sys.executable, str(API)]
        with subprocess.Popen(start, pass_fds=[theirs.fileno()], env={**os.environ, "PYTHONPATH": ""}) as process:
            theirs.close()
            try:
                yield Judge(ours)
            finally:
                process.kill()


@pytest.fixture
def port() -> int:
    return free_port("127.0.0.1")


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), DEADLINE_S)


def test_it_answers_keeps_the_connection_and_counts_what_asked_for_figures(judge: Judge, port: int) -> None:
    assert judge.serve([port], RESULTS) == {"taken": [], "asked": 0}
    with connect(port) as client, client.makefile("rb") as lines:
        for request in (REQUEST, b'{"id":8,"method":"miner_restart"}\n', b"\xff[[[\n", REQUEST):
            client.sendall(request)
            answer = json.loads(lines.readline())
            assert ("result" in answer) is (request is REQUEST)
    assert judge.serve([], None) == {"taken": [], "asked": 2}
    with pytest.raises(ConnectionRefusedError):
        connect(port)


def test_a_frozen_miner_accepts_and_says_nothing(judge: Judge, port: int) -> None:
    judge.serve([port], None)
    with connect(port) as client:
        client.sendall(REQUEST)
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_port_that_somebody_else_has_is_told(judge: Judge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert judge.serve([port], RESULTS) == {"taken": [port], "asked": 0}


def test_who_asks_without_end_and_reads_nothing_holds_up_neither_the_judge_nor_others(judge: Judge, port: int) -> None:
    judge.serve([port], RESULTS)
    flooders = [connect(port) for _ in range(50)]
    for flooder in flooders:
        flooder.setblocking(False)  # noqa: FBT003 - the only way to say it
        with suppress(OSError):
            for _ in range(100):
                flooder.sendall(REQUEST * 1000)
    with connect(port) as client, client.makefile("rb") as lines:
        client.sendall(REQUEST)
        assert json.loads(lines.readline())["result"] == RESULTS["miner_getstat1"]
    assert judge.serve([], None)["asked"] > 0
    for flooder in flooders:
        flooder.close()
