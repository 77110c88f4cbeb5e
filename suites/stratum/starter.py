"""Runs inside the sandbox: waits for the configuration, then becomes the candidate's server.

The server is started when the node is there and the ports are known. It keeps nothing of this program: neither the
channel nor a module.
"""

from __future__ import annotations

import os
import sys

CHANNEL = 3
CONFIG = "config.json"

if __name__ == "__main__":
    with os.fdopen(CHANNEL, "rb") as channel:
        text = channel.readline()
    with open(CONFIG, "wb") as file:  # noqa: PTH123 - pathlib is slow to import
        file.write(text)
    os.execv(sys.executable, [sys.executable, "-s", "server.py", CONFIG])  # noqa: S606 - the candidate's, in its sandbox
