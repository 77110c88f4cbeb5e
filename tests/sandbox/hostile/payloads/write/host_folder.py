# none: reached
import os
from attack import attempt, done, facts

attempt("host folder", os.mkdir, facts["folder"] + "/mine")
attempt("host folder by link", os.symlink, "/etc/passwd", facts["folder"] + "/link")
done()
