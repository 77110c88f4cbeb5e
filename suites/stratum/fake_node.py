"""Runs outside the sandbox, in the candidate's network namespace: plays the node's JSON-RPC.

Commands, JSON, one a line:
    ["template", template]    what `getblocktemplate` gives from now on; who waits for it by longpoll is answered
    ["hold"] | ["release"]    keep the answers to `submitblock` back, or let them go
Events to the judge:
    ["bound", port]
    ["served"]                the pool has been sent its first template
    ["held"]                  by now nothing is let through
    ["submitblock", block_hex | null]   null: the argument was something else
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pytest_llmbench.sandbox import driver

MAX_BODY_BYTES = 1024 * 1024
METHOD_NOT_FOUND = -32601


class Node:
    """What the handlers share."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._template: dict[str, Any] = {}
        self._held = self._has_served = False

    def obey(self, command: list[Any]) -> None:
        """Carry out one command of the judge."""
        with self._changed:
            match command:
                case ["template", template]:
                    self._template = template
                case ["hold"]:
                    self._held = True
                    driver.send(["held"])
                case ["release"]:
                    self._held = False
            self._changed.notify_all()

    def answer(self, method: object, params: object) -> dict[str, Any]:
        """Return result and error of a call."""
        if method == "getblocktemplate":
            return {"result": self._block_template(params), "error": None}
        if method == "submitblock":
            self._submit_block(params)
            return {"result": None, "error": None}
        return {"result": None, "error": {"code": METHOD_NOT_FOUND, "message": "Method not found"}}

    def on_answered(self, method: object) -> None:
        """Tell the judge of the first template that has gone out."""
        with self._changed:
            if method == "getblocktemplate" and not self._has_served:
                self._has_served = True
                driver.send(["served"])

    def _block_template(self, params: object) -> dict[str, Any]:
        request = params[0] if isinstance(params, list) and params else None
        known = request.get("longpollid") if isinstance(request, dict) else None
        with self._changed:
            self._changed.wait_for(lambda: bool(self._template) and self._template["longpollid"] != known)
            return self._template

    def _submit_block(self, params: object) -> None:
        block = params[0] if isinstance(params, list) and params else None
        with self._changed:
            driver.send(["submitblock", block if isinstance(block, str) else None])
            self._changed.wait_for(lambda: not self._held)


class Handler(BaseHTTPRequestHandler):
    """One connection of the pool's."""

    protocol_version = "HTTP/1.1"
    node: Node

    def do_POST(self) -> None:
        """Answer one call."""
        try:
            size = int(self.headers.get("Content-Length", ""))
            call = json.loads(self.rfile.read(max(0, min(size, MAX_BODY_BYTES))))
            answer = {**self.node.answer(call["method"], call.get("params")), "id": call.get("id")}
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            self.send_error(400)
            return
        body = json.dumps(answer).encode()
        self.send_response(200 if answer["error"] is None else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.node.on_answered(call["method"])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Threads, as calls are held."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Take a pool that has gone as it comes."""


if __name__ == "__main__":
    Handler.node = Node()
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    driver.send(["bound", server.server_port])
    while True:
        Handler.node.obey(driver.receive())
