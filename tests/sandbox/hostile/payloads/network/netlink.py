import errno, socket, struct
from attack import attempt, done, reached

for protocol in range(1, 32):
    attempt(f"netlink {protocol}", socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, protocol)
route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
# RTM_NEWLINK on interface 1: take the loopback down
route.send(struct.pack("=IHHIIBxHiII", 32, 16, 0x5, 1, 0, 0, 0, 1, 0, 1))
answer = route.recv(4096)
if struct.unpack_from("=i", answer, 16)[0] != -errno.EPERM:
    reached("changing an interface")
done()
