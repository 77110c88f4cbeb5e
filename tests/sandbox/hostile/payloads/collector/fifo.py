# collect: refused
import os
from attack import done

os.mkfifo("out.txt")
done()
