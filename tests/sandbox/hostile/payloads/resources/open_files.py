# inside: count at most 128
import os
from attack import done, say

say("started")
held = 4
try:
    while held < 100000:
        os.open("/dev/null", os.O_RDONLY)
        held += 1
except OSError:
    pass
say(f"count {held}")
done()
