# collect: refused
import socket
from attack import done

one = socket.socket(socket.AF_UNIX)
one.bind("out.txt")
one.listen()
done()
