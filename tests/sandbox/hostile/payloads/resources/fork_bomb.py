# inside: limit wall
# limits: wall_s=1
import os
from attack import say

say("started")
while True:
    try:
        os.fork()
    except OSError:
        pass
