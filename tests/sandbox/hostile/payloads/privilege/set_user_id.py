import os, shutil, subprocess, sys
from attack import attempt, done, reached

attempt("setuid", os.setuid, 0)
attempt("setgid", os.setgid, 0)
attempt("setgroups", os.setgroups, [0])
for program in ("su", "sudo", "mount", "pkexec", "newgrp", "passwd"):
    path = shutil.which(program)
    if path:
        code = "import os; os.execv({0!r}, [{0!r}, '-c', 'id -u'])".format(path)
        said = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, stdin=subprocess.DEVNULL, timeout=20
        ).stdout
        if said.strip() == b"0":
            reached(path)
copy = shutil.copy("/usr/bin/id", "/work/id")
os.chmod(copy, 0o6755)
if subprocess.run([copy, "-u"], capture_output=True).stdout.strip() == b"0":
    reached("root by a set-user-id file")
done()
