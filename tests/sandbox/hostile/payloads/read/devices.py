import os, stat
from attack import attempt, done

for name in (
    "vda",
    "sda",
    "nvme0n1",
    "mem",
    "kvm",
    "fuse",
    "net/tun",
    "loop0",
    "loop-control",
    "mapper/control",
    "vsock",
    "uinput",
):
    attempt(f"/dev/{name}", os.open, f"/dev/{name}", os.O_RDONLY)
for major, minor in ((1, 1), (8, 0), (254, 0), (10, 200)):
    attempt("mknod", os.mknod, f"/work/dev-{major}", stat.S_IFBLK | 0o600, os.makedev(major, minor))
done()
