# none: reached
import os
from attack import done, facts, reached

for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if facts["secret"].encode() in open(f"/proc/{pid}/environ", "rb").read():
            reached(f"environment of {pid}")
    except OSError:
        pass
done()
