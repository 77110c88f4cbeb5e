import socket
from attack import attempt, done

attempt("vsock", socket.socket, 40, socket.SOCK_STREAM)
attempt("vsock datagram", socket.socket, 40, socket.SOCK_DGRAM)
done()
