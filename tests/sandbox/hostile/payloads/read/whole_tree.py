# none: not run (it would walk the host)
import os
from attack import done, facts, reached

anywhere = {"secret.txt", "pytest_llmbench", ".ssh", ".netrc", "shadow", "shadow-"}
outside_system = {"pyvenv.cfg", ".git", "conftest.py", "pyproject.toml"}
seen = 0
for root, folders, names in os.walk("/"):
    if root == "/":
        folders.remove("proc")
    seen += len(names)
    wanted = anywhere if root.startswith("/usr/") else anywhere | outside_system
    for name in wanted.intersection([*names, *folders]):
        reached(os.path.join(root, name))
if seen < 100:
    reached("nothing: the walk saw too little to prove anything")
done()
