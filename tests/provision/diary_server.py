"""A model server that keeps a diary: python diary_server.py PORT NAME DIARY [OPTIONS], see `main`.

Each line of the diary is `TIME NAME EVENT` with the monotonic time and one of the events up, asked, died, told, down.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def leave_one() -> None:
    """Start a process that heeds no SIGTERM."""
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)


def stop(note: Callable[[str], None], takes_s: float) -> None:
    """End, at once or slowly."""
    if takes_s:
        note("told")
        time.sleep(takes_s)
    note("down")
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("name")
    parser.add_argument("diary", type=Path)
    parser.add_argument("--answer", type=Path, help="file with the text of every answer")
    parser.add_argument("--dies-at", type=int, default=0, help="dies once, in the middle of the Nth answer")
    parser.add_argument("--loads", type=float, default=0.0, help="seconds before it listens")
    parser.add_argument("--streams", type=float, default=0.0, help="seconds in the middle of an answer")
    parser.add_argument("--stops", type=float, default=0.0, help="seconds from SIGTERM to its end")
    parser.add_argument("--leaves", action="store_true", help="as it dies, leaves a process that heeds no SIGTERM")
    args = parser.parse_args()
    has_died = args.diary.exists() and f" {args.name} died" in args.diary.read_text()
    asked = 0
    guard = threading.Lock()

    def note(event: str) -> None:
        with args.diary.open("a") as diary:
            diary.write(f"{time.monotonic()} {args.name} {event}\n")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps({"data": [{"id": args.name}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            nonlocal asked
            self.rfile.read(int(self.headers["Content-Length"]))
            with guard:
                asked += 1
                dies = asked == args.dies_at and not has_died
            note("asked")
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            text = args.answer.read_text() if args.answer else "OK"
            self._send({"delta": {"content": text[:3]}, "index": 0})
            if dies:
                note("died")
                if args.leaves:
                    leave_one()
                sys.stderr.write("RuntimeError: NCCL error: unhandled system error\n")
                os._exit(1)
            if asked > 1:  # the first is the warm-up
                time.sleep(args.streams)
            self._send({"delta": {"content": text[3:]}, "finish_reason": "stop", "index": 0})
            self.wfile.write(b"data: [DONE]\n\n")
            self.close_connection = True

        def _send(self, choice: object) -> None:
            self.wfile.write(b"data: " + json.dumps({"model": args.name, "choices": [choice]}).encode() + b"\n\n")
            self.wfile.flush()

        def log_message(self, *_: object) -> None: ...

    note("up")
    signal.signal(signal.SIGTERM, lambda *_: stop(note, args.stops))
    time.sleep(args.loads)
    ThreadingHTTPServer(("127.0.0.1", args.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
