# inside: count at most 64
# In MiB: the largest file that can be made.
import os, signal
from attack import done, say

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = 1 << 20
fd = os.open("big", os.O_RDWR | os.O_CREAT)
try:
    while size < 1 << 50:
        os.ftruncate(fd, size * 2)
        size *= 2
except OSError:
    pass
say(f"count {size >> 20}")
done()
