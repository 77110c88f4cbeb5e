import os, time
from attack import done, let_through

child = os.fork()
if child == 0:
    time.sleep(60)
for pid in (1, os.getppid(), child):
    let_through("ptrace", 16, pid, 0, 0)
    let_through("ptrace", 0x4206, pid, 0, 0)
    let_through("process_vm_readv", pid, 0, 0, 0, 0, 0)
os.kill(child, 9)
done()
