import os
from attack import attempt, done

for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys", "/run/systemd"):
    attempt(root, os.listdir, root)
attempt("oom score", lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000"))
attempt("first's oom score", os.open, "/proc/1/oom_score_adj", os.O_WRONLY)
attempt("uid map", lambda: os.write(os.open("/proc/self/uid_map", os.O_WRONLY), b"0 0 1"))
done()
