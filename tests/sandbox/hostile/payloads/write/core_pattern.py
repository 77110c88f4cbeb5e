import os
from attack import attempt, done

for name in (
    "kernel/core_pattern",
    "kernel/hostname",
    "kernel/modprobe",
    "vm/overcommit_memory",
    "net/ipv4/ip_forward",
    "fs/binfmt_misc/register",
):
    attempt(name, os.open, f"/proc/sys/{name}", os.O_WRONLY)
attempt("sysrq", os.open, "/proc/sysrq-trigger", os.O_WRONLY)
done()
