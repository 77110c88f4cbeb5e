import os
from attack import attempt, done

for path in ("/trusted/attack.py", "/first.py", "/etc/passwd"):
    attempt(f"chmod {path}", os.chmod, path, 0o666)
    attempt(f"open {path}", os.open, path, os.O_WRONLY)
    attempt(f"unlink {path}", os.unlink, path)
    attempt(f"rename over {path}", os.rename, __file__, path)
attempt("replace the folder", os.rename, "/trusted", "/old")
done()
