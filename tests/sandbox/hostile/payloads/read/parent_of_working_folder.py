# none: reached
import os
from attack import done, reached

names = set(os.listdir(".."))
known = {
    "work",
    "tmp",
    "dev",
    "proc",
    "usr",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "bin",
    "sbin",
    "etc",
    "run",
    "var",
    "dist",
    "trusted",
    "first.py",
}
import sys

known.add(sys.executable.split("/")[1])
for name in names - known:
    reached(name)
if os.path.exists("../trusted/../tmp") and not os.path.exists("/first.py"):
    reached("the host's folders")
done()
