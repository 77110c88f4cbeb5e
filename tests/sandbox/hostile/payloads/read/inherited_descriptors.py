import os
from attack import done, facts, reached

for fd in range(4, 4096):
    try:
        kind = os.readlink(f"/proc/self/fd/{fd}")
        os.fstat(fd)
    except OSError:
        continue
    reached(f"descriptor {fd}: {kind}")
done()
