import os
from attack import attempt, checked, done, libc

for place in (b"/", b"/usr", b"/trusted", b"/dev"):
    attempt(f"remount {place}", lambda: checked(libc.mount(b"none", place, None, 0x20, None)))
    attempt(f"bind {place}", lambda: checked(libc.mount(b"/work", place, None, 0x1000, None)))
    attempt(f"umount {place}", lambda: checked(libc.umount2(place, 2)))
done()
