"""What stands for pytest: a program that starts a server, waits, and stops it in the end.

Its words are the server's log, seconds from SIGTERM to SIGKILL, `fork` or not, and the server's own words.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pytest_llmbench.provision.process import ServerProcess


def main() -> None:
    # A shell's background job or nohup may have had them ignored.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log, stop_s, forks, *argv = sys.argv[1:]
    process = ServerProcess(argv, os.environ, "", Path(log), float(stop_s))
    # A child without exec shares all our pipes, and may outlive us.
    sibling = os.fork() if forks == "fork" else 0
    if forks == "fork" and sibling == 0:
        signal.pause()
    print(process.pid, sibling, flush=True)  # noqa: T201
    try:
        signal.pause()
    finally:
        process.stop(float(stop_s))


if __name__ == "__main__":
    main()
