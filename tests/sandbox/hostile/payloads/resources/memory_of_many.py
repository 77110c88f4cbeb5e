# inside: limit memory
# Each stays small; all together do not.
import os, time

for _ in range(40):
    if os.fork() == 0:
        hoard = bytearray(b"x") * (16 << 20)
        time.sleep(600)
time.sleep(600)
