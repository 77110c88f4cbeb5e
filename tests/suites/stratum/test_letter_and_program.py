"""The stratum suite's letter and program: what a model is given, and what it is not."""

from __future__ import annotations

import json
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pytest_llmbench.provision.ports import free_port
from pytest_llmbench.suite import load_suite
from suites.stratum.templates import draw_template
from tests.suites.corpus import ROOT, checks_of

SUITE = load_suite(ROOT / "suites" / "stratum")
LETTER = (SUITE.folder / "prompt.md").read_text("utf-8")
TEMPLATE = draw_template(random.Random(3), 5)  # noqa: S311 - any will do


@pytest.mark.parametrize(
    "hint",
    [
        r"endian",
        r"\bleak",
        r"race condition",
        r"\bstale\b",
        r"injection",
        r"dedup",
        r"unbounded",
        r"big.endian",
        r"byte order",
        r"validat(e|ion)",
        r"\bprun",
    ],
)
def test_the_letter_names_no_bug(hint: str) -> None:
    assert re.search(hint, LETTER, re.IGNORECASE) is None


def test_the_letter_names_no_check() -> None:
    assert not [check for check in checks_of(SUITE.folder) if check in LETTER]


def test_the_program_is_of_a_size_that_a_small_pool_really_runs() -> None:
    assert 200 <= sum(text.count("\n") for text in SUITE.program.values()) <= 300


class TemplateNode(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "longpollid" in call["params"][0]:
            time.sleep(3600)
        body = json.dumps({"id": call["id"], "result": TEMPLATE.rpc, "error": None}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def node_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), TemplateNode)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.socket.close()


def test_the_program_works_with_the_miner_that_its_owner_tested_with(tmp_path: Path, node_port: int) -> None:
    port = free_port("127.0.0.1")
    config = {
        "host": "127.0.0.1",
        "port": port,
        "node_url": f"http://127.0.0.1:{node_port}/",
        "difficulty": 2.0**-40,
        "payout_script": "51",
        "share_log": "shares.log",
        "log_file": "pool.log",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    argv = [sys.executable, str(SUITE.folder / "program" / "server.py"), "config.json"]
    program = subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        with connect(port) as miner, miner.makefile("rwb") as stream:
            for number, (method, params) in enumerate((("subscribe", []), ("authorize", ["w", "x"])), 1):
                stream.write(
                    json.dumps({"id": number, "method": f"mining.{method}", "params": params}).encode() + b"\n"
                )
            stream.flush()
            lines = [json.loads(stream.readline()) for _ in range(4)]
            job = next(line["params"] for line in lines if line.get("method") == "mining.notify")
            share = ["w", job[0], "00000000", job[7], "00000000"]
            stream.write(json.dumps({"id": 3, "method": "mining.submit", "params": share}).encode() + b"\n")
            stream.flush()
            assert json.loads(stream.readline()) == {"id": 3, "result": True, "error": None}
        assert json.loads((tmp_path / "shares.log").read_text())["worker"] == "w"
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait()


def connect(port: int) -> socket.socket:
    deadline_s = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionRefusedError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.02)
