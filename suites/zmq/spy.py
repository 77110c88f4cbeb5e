"""Runs inside the sandbox: tells who does what with SUB sockets, by patching pyzmq before the candidate is imported.

The methods are replaced on `zmq.Socket` itself, so that `Context.instance()`, subclasses and `zmq.asyncio` are seen as
well. What tells threads and sockets apart are C functions that the spy took hold of beforehand, so that replacing names
in `threading` or `zmq` later does not change what it reports.
"""

from __future__ import annotations

import sys
from _thread import get_native_id
from collections.abc import Callable
from typing import Any

import zmq
import zmq.asyncio
import zmq.devices  # it takes names over from `zmq` on import, which must happen before they are replaced

WATCHED = frozenset({int(zmq.SUB), int(zmq.XSUB)})
METHODS = ("set", "get", "setsockopt", "getsockopt", "bind", "connect", "unbind", "disconnect", "monitor", "send")
RECEIVING = tuple(name for name in ("recv", "recv_into") if hasattr(zmq.Socket, name))  # pyzmq 26 has no recv_into
FUNCTIONS = ("zmq_poll", "proxy", "proxy_steerable", "monitored_queue")

Report = Callable[[int, int, str], None]
"""Takes the native thread id, the socket's generation (1 for the first SUB socket) and the operation."""

_BACKEND: Any = zmq.Socket.__mro__[1]
_address_of = _BACKEND.underlying.__get__
_is_closed = _BACKEND._closed.__get__  # `closed` would itself ask libzmq
_get_option = _BACKEND.get


class Spy:
    """Reports the first of each (thread, socket, operation), and counts frames."""

    def __init__(self, report: Report) -> None:
        self.frames: dict[int, int] = {}
        """Native thread id -> frames that this thread has received from SUB sockets so far."""
        self._report = report
        self._generation_of: dict[int, int] = {}  # libzmq's address -> generation, while the socket is open
        self._told: set[tuple[int, int, str]] = set()
        self._generations = iter(range(1, sys.maxsize))

    def install(self) -> None:
        """Patch pyzmq."""
        patched: Any = zmq.Socket
        patched.__init__ = self._init(patched.__init__)
        patched.close = self._close(patched.close)
        for name in METHODS:
            setattr(patched, name, self._method(getattr(patched, name), name))
        for name in RECEIVING:
            setattr(patched, name, self._receive(getattr(patched, name), name))
        for name in FUNCTIONS:
            original = getattr(zmq.backend, name)
            _replace_everywhere(original, self._function(original, name.removeprefix("zmq_")))

    def _note(self, socket: Any, operation: str) -> int | None:
        """Return the generation of an open SUB socket, None for any other."""
        if _is_closed(socket):  # pyzmq itself turns it down; libzmq never hears of it
            return None
        generation = self._generation_of.get(_address_of(socket))
        if generation is not None:
            fact = (get_native_id(), generation, operation)
            if fact not in self._told:
                self._told.add(fact)
                self._report(*fact)
        return generation

    def _init(self, original: Callable[..., None]) -> Callable[..., None]:
        def __init__(socket: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - takes the place of one
            original(socket, *args, **kwargs)
            address = _address_of(socket)
            if address in self._generation_of:
                self._note(socket, "shadow")
            elif _get_option(socket, zmq.TYPE) in WATCHED:
                self._generation_of[address] = next(self._generations)
                self._note(socket, "create")

        return __init__

    def _method(self, original: Callable[..., Any], operation: str) -> Callable[..., Any]:
        def method(socket: Any, *args: Any, **kwargs: Any) -> Any:
            self._note(socket, operation)
            return original(socket, *args, **kwargs)

        return method

    def _receive(self, original: Callable[..., Any], operation: str) -> Callable[..., Any]:
        def receive(socket: Any, *args: Any, **kwargs: Any) -> Any:
            generation = self._note(socket, operation)
            frame = original(socket, *args, **kwargs)
            if generation is not None:
                thread = get_native_id()
                self.frames[thread] = self.frames.get(thread, 0) + 1
            return frame

        return receive

    def _close(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def close(socket: Any, *args: Any, **kwargs: Any) -> Any:
            if self._note(socket, "close") is not None:
                del self._generation_of[_address_of(socket)]  # before libzmq can give the address to another socket
            return original(socket, *args, **kwargs)

        return close

    def _function(self, original: Callable[..., Any], operation: str) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            polled = args[0] if args and isinstance(args[0], list) else [(item, 0) for item in args]
            for item in polled:
                if isinstance(item[0], zmq.Socket):
                    self._note(item[0], operation)
            return original(*args, **kwargs)

        return function


def _replace_everywhere(original: Any, replacement: Any) -> None:
    """Put `replacement` where any of pyzmq's modules holds `original`; `zmq.Poller` finds it in its own module."""
    for module in [module for name, module in sys.modules.items() if name.partition(".")[0] == "zmq"]:
        for name in [name for name, value in vars(module).items() if value is original]:
            setattr(module, name, replacement)
