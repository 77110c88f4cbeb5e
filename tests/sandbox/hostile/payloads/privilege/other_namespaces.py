import os
from attack import attempt, checked, done, libc

for name in ("user", "net", "mnt", "pid", "ipc", "uts"):
    for pid in ("1", "self"):
        try:
            fd = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
        except OSError:
            continue
        attempt(f"setns {name} of {pid}", lambda: checked(libc.setns(fd, 0)))
done()
