# collect: refused
# stays
import os
from attack import done

fd = os.open("out.txt", os.O_RDWR | os.O_CREAT | os.O_APPEND)
os.write(fd, b"x" * (17 << 20))
done()
while True:
    try:
        os.write(fd, b"x" * 65536)
    except OSError:
        pass
