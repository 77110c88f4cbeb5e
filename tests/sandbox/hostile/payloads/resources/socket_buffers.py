# inside: limit open_files
# Buffers of sockets are memory that no process shows.
import os, socket, time

for _ in range(50):
    if os.fork() == 0:
        pairs = []
        try:
            while True:
                ours, theirs = socket.socketpair()
                pairs.append((ours, theirs))
                for end in (ours, theirs):
                    end.setblocking(False)
                    try:
                        while True:
                            end.send(b"x" * 65536)
                    except BlockingIOError:
                        pass
        except OSError:
            time.sleep(600)
time.sleep(600)
