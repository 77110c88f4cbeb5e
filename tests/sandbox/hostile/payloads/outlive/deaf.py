import os, signal, time
from attack import done

for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 65):
            if number not in (9, 19, 32, 33):
                signal.signal(number, signal.SIG_IGN)
        while True:
            time.sleep(1)
time.sleep(0.2)
done()
