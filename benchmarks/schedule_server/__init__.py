"""A model server whose answers keep a known schedule, and which keeps a log of what it did.

    python -m benchmarks.schedule_server [--port N] [--log FILE] [OPTION=VALUE ...]

It serves /v1/chat/completions, /v1/completions, /v1/models, /tokenize, /health, /log (its log of all answers that have
ended, as JSON lines; `?since=N` leaves out the first N) and /book (a long text, for clients that cut their prompts out of
one). `--help` lists the options of the schedule. Times in the log are those of CLOCK_MONOTONIC, which all processes of a
machine share. Only the standard library is used.

From Python: `with serve("interval_ms=5") as server`.
"""

from benchmarks.schedule_server.log import Entry, Written
from benchmarks.schedule_server.start import Server, serve

__all__ = ["Entry", "Server", "Written", "serve"]
