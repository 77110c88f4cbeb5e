# none: not run (it stays)
import os, sys, time
from attack import done

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        while True:
            time.sleep(0.01)
    os._exit(0)
done()
