import os
from attack import attempt, checked, done, let_through, libc

for flag in (0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x04000000, 0x08000000, 0x02000000, 0x80):
    attempt(f"unshare {flag:#x}", lambda: checked(libc.unshare(flag)))
done()
