"""Our ethminer: it takes its arguments, says hello, and mines nothing until SIGTERM or SIGINT comes.

Its API is served from outside the sandbox, where no process of the candidate can serve it or look at its figures.
"""

import os
import signal
import sys
from contextlib import suppress

VERSION = "ethminer 0.20.3"
STATUS = 0  # rig.py puts the run's own here

if any(argument in ("-V", "--version", "-h", "--help") for argument in sys.argv[1:]):
    print(VERSION)  # noqa: T201 - a program
    sys.exit(0)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: os._exit(STATUS))
with suppress(OSError):  # it may be that nobody reads it
    os.write(1, f"{VERSION}\n".encode())
while True:
    signal.pause()
