# none: reached
import os
from attack import done, facts, reached

for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if int(pid) == os.getpid():
            continue
        for fd in os.listdir(f"/proc/{pid}/fd"):
            reached(f"descriptor {fd} of {pid}")
            break
    except OSError:
        pass
done()
