import os
from attack import attempt, done

for name in ("mem", "maps", "environ", "auxv", "syscall", "stack", "pagemap"):
    attempt(f"/proc/1/{name}", lambda: open(f"/proc/1/{name}", "rb").read(1))
attempt("descriptors of process 1", os.listdir, "/proc/1/fd")
attempt("place of process 1", os.readlink, "/proc/1/cwd")
done()
