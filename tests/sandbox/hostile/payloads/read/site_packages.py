import glob, os, sys
from attack import done, facts, reached

folders = (
    glob.glob("/usr/lib*/python*/*-packages")
    + glob.glob(sys.base_prefix + "/lib*/python*/*-packages")
    + [facts["packages"]]
)
for folder in folders:
    if os.path.isdir(folder) and os.listdir(folder):
        reached(folder)
done()
