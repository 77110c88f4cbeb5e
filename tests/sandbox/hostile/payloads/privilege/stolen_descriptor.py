import os
from attack import done, let_through, reached

try:
    handle = os.pidfd_open(1)
except OSError:
    handle = -1
for fd in range(8):
    let_through("pidfd_getfd", handle, fd, 0)
done()
