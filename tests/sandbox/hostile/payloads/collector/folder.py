# collect: refused
import os
from attack import done

os.mkdir("out.txt")
done()
