# inside: limit wall
# limits: wall_s=1
import time

while True:
    time.sleep(3600)
