import os, sys
from attack import attempt, done

for folder in (
    "/",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/etc",
    "/dev",
    "/dist",
    "/run",
    "/var",
    "/proc",
    os.path.dirname(sys.executable),
    os.path.dirname(os.__file__),
):
    attempt(folder, os.mkdir, os.path.join(folder, "mine"))
done()
