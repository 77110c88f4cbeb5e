import socket
from attack import attempt, done

for family, kind, protocol in (
    (socket.AF_INET, socket.SOCK_RAW, 1),
    (socket.AF_INET, socket.SOCK_DGRAM, 1),
    (socket.AF_INET6, socket.SOCK_RAW, 58),
    (17, socket.SOCK_RAW, 0x0300),
    (socket.AF_INET, socket.SOCK_STREAM, 132),
    (socket.AF_INET, socket.SOCK_STREAM, 262),
):
    attempt(f"{family} {kind} {protocol}", socket.socket, family, kind, protocol)
done()
