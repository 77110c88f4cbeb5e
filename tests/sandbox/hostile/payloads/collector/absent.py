# collect: nothing
import os
from attack import done

os.mkdir("sub")
done()
