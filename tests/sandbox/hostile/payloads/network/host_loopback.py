# none: reached
import socket
from attack import attempt, done, facts

for address in facts["addresses"]:
    attempt(f"TCP {address}", socket.create_connection, (address, facts["tcp"]), 2)
done()
