# none: not run (it would succeed)
import os, signal
from attack import done, facts

for pid in (facts["victim"], facts["grader"], *range(2, 40000)):
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
done()
