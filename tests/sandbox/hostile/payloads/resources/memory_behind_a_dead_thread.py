# inside: limit memory
# The first thread ends: its entry in /proc then shows no memory at all.
import _thread, ctypes, time


def hog():
    time.sleep(0.5)
    hoard = []
    while True:
        hoard.append(bytearray(b"x") * (8 << 20))


_thread.start_new_thread(hog, ())
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[__import__("os").uname().machine], 0)
