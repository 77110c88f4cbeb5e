# collect: refused
import os
from attack import done

os.truncate(os.open("out.txt", os.O_RDWR | os.O_CREAT), 60 << 20)
done()
