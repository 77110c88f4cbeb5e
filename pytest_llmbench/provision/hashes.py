"""SHA-256 of a model's files, for the fingerprint.

A model of up to `FULL_BYTES` is read whole: its hash is what `sha256sum` prints, for a folder that of the lines that it
prints of the files in it. Of a larger one a sample of each large file is read, so that a start is not delayed by minutes:
its size, its first 16 MiB and 64 blocks of 1 MiB, evenly over the rest up to the end. Other weights, another quantisation
or other metadata differ nearly everywhere, so the sample tells; it does not tell a few bytes changed by hand, and its
hash begins with `sampled:`. A Hugging Face cache names its large files by their SHA-256, so these are never read.
What was read once is kept below `$XDG_CACHE_HOME/pytest-llmbench/sha256`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_llmbench.provision.files import model_files
from pytest_llmbench.wholefiles import write_whole

MIB = 2**20
FULL_BYTES = 4096 * MIB
"""Seen: 1.6 GiB/s on a free core with SHA instructions, 0.35 with ten others at work on two: 3 to 11 s, once a model."""
HEAD_BYTES = 16 * MIB
BLOCK_BYTES = MIB
BLOCKS = 64
SAMPLED = "sampled:"

_SHA256 = re.compile(r"(?:sampled:)?[0-9a-f]{64}")
_BLOB = re.compile(r"[0-9a-f]{64}")


class _GivenUpError(OSError):
    """Nobody waits for the hash any more."""


def model_sha256(path: Path, is_given_up: Callable[[], bool] = lambda: False) -> str | None:
    """Return the hash of a model's files, as described above; None if they cannot be read, or change meanwhile.

    Args:
        path: as `find_model` returns it.
        is_given_up: asked for each MiB; if it says yes, there is no hash.
    """
    try:
        files = model_files(path)
        is_whole = sum(each.stat().st_size for each in files) <= FULL_BYTES
        hashes = [_file_sha256(each, is_given_up, is_whole=is_whole) for each in files]
    except OSError:
        return None
    return _of_all(path, files, hashes)


def _of_all(path: Path, files: Sequence[Path], hashes: Sequence[str | None]) -> str | None:
    known = [found for found in hashes if found is not None]
    if not known or len(known) < len(hashes):
        return None
    if len(known) == 1 and not path.is_dir():
        return known[0]
    home = path if path.is_dir() else path.parent
    lines = [f"{found}  {file.relative_to(home)}\n" for found, file in zip(known, files, strict=True)]
    mark = SAMPLED if any(found.startswith(SAMPLED) for found in known) else ""
    return mark + hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _file_sha256(path: Path, is_given_up: Callable[[], bool], *, is_whole: bool) -> str | None:
    real = path.resolve()
    if real.parent.name == "blobs" and _BLOB.fullmatch(real.name):
        return real.name
    before = real.stat()
    if not stat.S_ISREG(before.st_mode):
        return None
    is_whole = is_whole or before.st_size <= HEAD_BYTES + BLOCKS * BLOCK_BYTES
    kept = _cache_entry(real, before, is_whole=is_whole)
    if (known := _recall(kept)) is not None:
        return known
    found = _read(real, before.st_size, is_given_up, is_whole=is_whole)
    after = real.stat()
    if _state(after) != _state(before):
        return None
    _keep(kept, found)
    return found


def _read(path: Path, size: int, is_given_up: Callable[[], bool], *, is_whole: bool) -> str:
    digest = hashlib.sha256()
    room = memoryview(bytearray(BLOCK_BYTES))
    with path.open("rb", buffering=0) as file:

        def take(begin: int, end: int) -> None:
            file.seek(begin)
            while begin < end and (count := file.readinto(room[: min(BLOCK_BYTES, end - begin)])):
                if is_given_up():
                    raise _GivenUpError
                digest.update(room[:count])
                begin += count

        if is_whole:
            take(0, size)
            return digest.hexdigest()
        digest.update(f"{size}\n".encode())
        take(0, HEAD_BYTES)
        for block in range(BLOCKS):
            begin = HEAD_BYTES + block * (size - HEAD_BYTES - BLOCK_BYTES) // (BLOCKS - 1)
            take(begin, begin + BLOCK_BYTES)
    return SAMPLED + digest.hexdigest()


def _cache_entry(path: Path, about: os.stat_result, *, is_whole: bool) -> Path | None:
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        home = Path(named) if Path(named).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None  # a user without a home
    key = (str(path), *_state(about), is_whole)
    return home / "pytest-llmbench" / "sha256" / hashlib.sha256(repr(key).encode()).hexdigest()


def _state(about: os.stat_result) -> tuple[int, ...]:
    """Return what is another when a file has been written to; its ctime is the kernel's, who copies may keep the rest."""
    return (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)


def _recall(entry: Path | None) -> str | None:
    try:
        found = entry.read_text("ascii").strip() if entry else ""
    except (OSError, ValueError):
        return None
    return found if _SHA256.fullmatch(found) else None


def _keep(entry: Path | None, found: str) -> None:
    try:
        if entry is not None:
            write_whole(entry, f"{found}\n".encode())
    except OSError:
        pass  # a full or read-only disk: it is read again next time
