# collect: never secret
# stays
# The file becomes a link between the look and the opening, thousands of times a second.
import os
from attack import done, facts

os.symlink(facts["secret_file"], "link")
done()
number = 0
while True:
    open("plain", "w").write("harmless")
    os.rename("plain", "out.txt")
    os.symlink(facts["secret_file"], "link2")
    os.rename("link2", "out.txt")
