# none: reached
import socket
from attack import attempt, done, facts

attempt("abstract socket", socket.socket(socket.AF_UNIX).connect, "\0" + facts["abstract"])
done()
