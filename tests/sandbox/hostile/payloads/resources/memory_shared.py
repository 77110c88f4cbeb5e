# inside: limit memory
import mmap

hoard = []
while True:
    hoard.append(mmap.mmap(-1, 8 << 20))
    hoard[-1].write(b"x" * (8 << 20))
