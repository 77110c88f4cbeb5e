"""Files that are there as a whole or not at all."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}")
"""Name of a file of `write_whole` that is not whole."""


def write_as_typed(path: Path, data: bytes) -> None:
    """Write a file that the user named: where a link, a pipe or a device stands, such as `/dev/stdout`, into what is there."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_bytes(data)
    else:
        write_whole(path, data)


def write_whole(path: Path, data: bytes) -> Path:
    """Write a file so that a reader, or a crash, never sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
