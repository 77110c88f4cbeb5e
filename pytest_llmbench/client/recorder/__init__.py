"""HTTP/1.1 over sockets of its own, so that the times are those of the socket.

`transport` is the whole of it, behind httpx's interface. What knows the protocol (`head`, `framing`, `dechunk`) does no I/O.
"""
