# inside: limit cpu
# limits: cpu_s=1 wall_s=30
# No process alone passes the limit.
import os, time

while True:
    pid = os.fork()
    if pid == 0:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        os._exit(0)
    os.waitpid(pid, 0)
