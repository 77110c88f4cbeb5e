import fcntl, os
from attack import attempt, done

attempt("the terminal", os.open, "/dev/tty", os.O_RDWR)
for fd in (0, 1, 2):
    attempt(f"typing into {fd}", fcntl.ioctl, fd, 0x5412, b"x")
master, slave = os.openpty()
attempt("typing into our own", fcntl.ioctl, slave, 0x5412, b"x")
done()
