# inside: limit inodes
import os

os.mkdir("/dev/shm/many")
number = 0
while True:
    for folder in ("/work", "/tmp", "/dev/shm/many"):
        os.close(os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY))
    number += 1
