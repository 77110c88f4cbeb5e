# none: reached
import os
from attack import done, facts, reached

for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if b"victim-" + facts["secret"].encode() in open(f"/proc/{pid}/cmdline", "rb").read():
            reached(f"bystander process {pid}")
    except OSError:
        pass
done()
