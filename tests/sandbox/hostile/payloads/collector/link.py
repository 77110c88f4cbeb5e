# collect: refused
import os
from attack import done, facts

os.symlink(facts["secret_file"], "out.txt")
done()
