# inside: count at most 12
# limits: disk_bytes=4194304
# In MiB over all places that can be written.
import os
from attack import done, say

total = 0
FOLDERS = ("/work", "/tmp", "/dev/shm", "/var/tmp", "/run", "/", "/dev", "/dist")
for folder in FOLDERS:
    try:
        for number in range(100):
            with open(f"{folder}/fill{FOLDERS.index(folder)}-{number}", "wb", buffering=0) as file:
                while True:
                    total += file.write(b"x" * 65536)
                    if total > 1 << 30:
                        raise SystemExit(say("count 1024"))
    except OSError:
        continue
say(f"count {-(-total // (1 << 20))}")
done()
