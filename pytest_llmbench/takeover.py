"""A run takes its folder: nobody else may write there, and what an earlier run left is moved aside, or gone on with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import IO

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.runfolder import OWN_ENTRIES, RunFolder
from pytest_llmbench.runlocks import GRADING, POLL_S
from pytest_llmbench.wholefiles import UNFINISHED

ORPHANS_S = 60.0
"""Longer than workers of xdist take to notice that their controller was killed, and to end."""


def take(folder: RunFolder, *, again: bool = False) -> IO[bytes]:
    """Take a folder for a new run: move what an earlier one left there into a folder beside it.

    Args:
        folder: where; it need not be there.
        again: go on with that run instead.

    Returns:
        What to close at the end of the run.

    Raises:
        UsageFault: the folder cannot be written, or another run is writing to it.
    """
    with told_if_unwritable(folder.path, again=again):
        folder.path.mkdir(parents=True, exist_ok=True)
        holder = folder.claim("run")
        if holder is None:
            raise UsageFault(f"{_flag(again=again)}={folder.path}: another run is writing there; name another folder")
        if not again:
            _await_orphans(folder)
        folder.forget()
        if again:
            _mend(folder)
        else:
            _make_room(folder.path)
    return holder


@contextmanager
def told_if_unwritable(path: Path, *, again: bool) -> Iterator[None]:
    """Say in one line that the run folder at `path` cannot be written.

    Raises:
        UsageFault: it cannot.
    """
    try:
        yield
    except OSError as error:
        other = f"--llm-endpoint=replay:{path} judges its answers in another folder" if again else "name another folder"
        raise UsageFault(f"{_flag(again=again)}={path}: cannot write there: {error.strerror}; {other}") from error


def _flag(*, again: bool) -> str:
    return "--llm-resume" if again else "--llm-out"


def _await_orphans(folder: RunFolder) -> None:
    """Wait until nobody writes here any more for a run that was killed; a run that is gone on with has use for it."""
    deadline_s = time.monotonic() + ORPHANS_S
    while (alone := folder.claim(GRADING)) is None:
        folder.abandon()
        if time.monotonic() > deadline_s:
            raise UsageFault(
                f"--llm-out={folder.path}: workers of a run that was killed still write there; end them, or name another"
                " folder"
            )
        time.sleep(POLL_S)
    alone.close()


def _make_room(path: Path) -> None:
    """Move what an earlier run left into a folder beside this one."""
    left = [entry for name in OWN_ENTRIES if (entry := path / name).exists()]
    if not left:
        return
    ended_at = datetime.fromtimestamp(max(entry.stat().st_mtime for entry in left), UTC)
    names = (f"{path.name}.{ended_at:%Y%m%dT%H%M%S.%fZ}{again}" for again in _suffixes())
    # Names are taken by runs that were copied, times and all, and where moving was cut off.
    aside = next(place for name in names if not (place := path.with_name(name)).exists())
    aside.mkdir()
    for entry in left:
        entry.rename(aside / entry.name)


def _suffixes() -> Iterator[str]:
    yield ""
    yield from (f"-{number}" for number in count(2))


def _mend(folder: RunFolder) -> None:
    """Keep what earlier starts of servers printed; files that were cut off go."""
    for place in ("suites", "completions", "candidates", "logs"):
        for left in (folder.path / place).rglob(".*"):
            if UNFINISHED.fullmatch(left.name):
                left.unlink(missing_ok=True)
    moved = {}
    for log in (folder.path / "servers").glob("*-[0-9]*.log"):
        ended_at = datetime.fromtimestamp(log.stat().st_mtime, UTC)
        kept = log.rename(log.with_suffix(f".{ended_at:%Y%m%dT%H%M%S.%fZ}.log"))
        moved[f"servers/{log.name}"] = f"servers/{kept.name}"
    for path in (folder.path / "servers").glob("*.json"):
        endpoint = folder.server(path.stem)
        if endpoint is not None and endpoint.server.log in moved:
            folder.write_server(replace(endpoint, server=replace(endpoint.server, log=moved[endpoint.server.log])))
