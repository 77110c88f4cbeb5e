"""Runs inside: imports the candidate's module and calls its functions as it is told, one request at a time.

Nothing here is a defence. The candidate shares this process and can change all of it; all that it can gain is to choose
what is said on the channel, which is no more than its functions could return anyway.
"""

from __future__ import annotations

import importlib
import socket
import sys
import traceback
from typing import Any

wire = importlib.import_module("wire")
"""Lies beside this file inside; not under that name in the package."""

MAX_MESSAGE = 2000


def main(module_name: str, folders: list[str]) -> None:
    """Serve until the channel ends."""
    channel = socket.socket(fileno=3)
    requests = channel.makefile("rb")
    hello = wire.loads(requests.readline())
    sys.path[:0] = folders
    try:
        module = importlib.import_module(module_name)
    except BaseException as error:  # noqa: BLE001 - SystemExit on import is an observation too
        _say(channel, {"id": hello["id"], **_raised(error)})
        return
    _say(channel, {"id": hello["id"], "value": None})
    for line in requests:
        request = wire.loads(line)
        _say(channel, {"id": request["id"], **_answer(module, request)})


def _answer(module: Any, request: dict[str, Any]) -> dict[str, Any]:
    try:
        function = module
        for name in request["function"].split("."):
            function = getattr(function, name)
        value = function(*request["args"])
    except BaseException as error:  # noqa: BLE001
        return _raised(error)
    try:
        wire.dumps(value)
    except wire.WireError as error:
        return {"unfit": str(error)}
    return {"value": value}


def _raised(error: BaseException) -> dict[str, Any]:
    traceback.print_exception(error)  # into the job's output, where a person may look
    try:
        message = str(error)
    except Exception:  # noqa: BLE001
        message = "(its message cannot be shown)"
    safe = message[:MAX_MESSAGE].encode("utf-8", "backslashreplace").decode()
    return {"raised": type(error).__name__, "message": safe}


def _say(channel: socket.socket, reply: dict[str, Any]) -> None:
    channel.sendall(wire.dumps(reply) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
