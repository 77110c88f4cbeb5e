# inside: count at most 64
import os, signal, time
from attack import done, say

count = 1
try:
    while count < 5000:
        if os.fork() == 0:
            signal.pause()
        count += 1
except OSError:
    pass
say(f"count {count}")
done()
