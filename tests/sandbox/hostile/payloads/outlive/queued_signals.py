# inside: count at most 256
import ctypes, os, signal
from attack import done, libc, say

signal.pthread_sigmask(signal.SIG_BLOCK, {34})
count = 0
while count < 100000 and libc.sigqueue(os.getpid(), 34, 0) == 0:
    count += 1
say(f"count {count}")
done()
