# collect: refused
# stays
# A lease would hold whoever opens the file for lease-break-time, 45 s.
import fcntl, os, signal
from attack import done

signal.signal(signal.SIGIO, signal.SIG_IGN)
open("out.txt", "w").write("x")
fd = os.open("out.txt", os.O_RDWR)
fcntl.fcntl(fd, 1024, fcntl.F_WRLCK)
done()
signal.pause()
