"""A server that sends tokens as fast as they are taken, to see how fast that is. A program of its own, standard library only.

It prints its port, answers every request with as many tokens as its one argument says, and ends with its standard input.
"""

from __future__ import annotations

import socket
import sys
import threading

_EVENT = (
    b'data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000,"model":"flood",'
    b'"choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}\n\n'
)
_END = (
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":%d}}\n\n'
    b"data: [DONE]\n\n"
)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def answer(tokens: int) -> bytes:
    """Return a whole response with so many tokens, each in a chunk of its own, as servers send them."""
    chunk = b"%x\r\n%s\r\n" % (len(_EVENT), _EVENT)
    end = _END % tokens
    return _HEAD + chunk * tokens + b"%x\r\n%s\r\n0\r\n\r\n" % (len(end), end)


def _serve(connection: socket.socket, response: bytes) -> None:
    with connection:
        pending = b""
        while more := connection.recv(65536):
            pending += more
            head, separator, body = pending.partition(b"\r\n\r\n")
            size = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            if separator and len(body) >= int(size or 0):
                connection.sendall(response)
                pending = b""


def _accept(listener: socket.socket, response: bytes) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, response), daemon=True).start()


def main() -> None:
    """Serve until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, answer(int(sys.argv[1]))), daemon=True).start()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
