"""The command `python -m benchmarks.schedule_server`."""

from __future__ import annotations

import argparse
import ctypes
import gc
import signal
import sys
from pathlib import Path

from benchmarks.schedule_server.incoming import read_replies
from benchmarks.schedule_server.loop import Loop
from benchmarks.schedule_server.schedule import OPTIONS, Schedule, ScheduleError, with_options
from benchmarks.schedule_server.service import CompletionService

_PR_SET_TIMERSLACK = 29


def main() -> None:
    """Serve until SIGTERM or SIGINT; the first line on stdout is the base URL."""
    listing = "\n".join(f"  {name}={option.default}: {option.metadata['help']}" for name, option in OPTIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.schedule_server",
        description="A model server that keeps a known schedule.",
        epilog=f"options of the schedule, each with its default:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--log", metavar="FILE", help="where the log goes whenever no answer is under way")
    parser.add_argument("--replies", metavar="FILE", help="JSON: for the text of a prompt, options of its schedule")
    parser.add_argument("options", nargs="*", metavar="OPTION=VALUE", help="of the schedule; see below")
    arguments = parser.parse_args()
    try:
        base = with_options(Schedule(), dict(option.split("=", 1) for option in arguments.options))
        replies = read_replies(Path(arguments.replies).read_text("utf-8")) if arguments.replies else {}
    except (ScheduleError, ValueError, OSError) as error:
        parser.error(str(error))
    service = CompletionService(base, arguments.log, replies)
    loop = Loop(arguments.port, service)
    # A signal that comes just before a wait runs its handler only after it, unless the wait is ended, too.
    signal.set_wakeup_fd(loop.wakeup_fd(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    # By default Linux may wake a process 50 us late, to save power.
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    gc.disable()  # nothing here is cyclic, and a collection would be a pause in all streams
    sys.stdout.write(f"http://127.0.0.1:{loop.port}/v1\n")
    sys.stdout.flush()
    loop.run()
    service.idle()


if __name__ == "__main__":
    main()
