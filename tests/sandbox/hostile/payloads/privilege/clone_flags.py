import ctypes, os, signal
from attack import done, let_through, libc, reached

number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
for flag in (0x10000000, 0x00020000, 0x40000000, 0x50020000):
    pid = libc.syscall(number, flag | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid > 0:
        reached(f"clone {flag:#x}")
        os.waitpid(pid, 0)
arguments = ctypes.create_string_buffer((0x10000000).to_bytes(8, "little") + bytes(80))
let_through("clone3", arguments, 88)
done()
