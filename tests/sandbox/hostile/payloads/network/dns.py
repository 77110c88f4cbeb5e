# none: not run (it would use the network)
import socket
from attack import attempt, done

query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"
for server in ("8.8.8.8", "1.1.1.1", "192.0.2.53"):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    attempt(f"DNS {server}", client.sendto, query, (server, 53))
attempt("name service", socket.getaddrinfo, "example.com", 80)
attempt("IPv6", socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto, query, ("2001:4860:4860::8888", 53))
done()
