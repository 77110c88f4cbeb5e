# none: reached
# Only the way to the interpreter may exist below the home.
import os, sys
from attack import done, facts, reached

for folder in {facts["home"], "/root", "/home"}:
    try:
        names = os.listdir(folder)
    except OSError:
        continue
    for name in names:
        if not sys.executable.startswith(os.path.join(folder, name)):
            reached(os.path.join(folder, name))
done()
