# collect: refused
# path: sub/secret.txt
import os
from attack import done, facts

os.symlink(facts["folder"], "sub")
done()
