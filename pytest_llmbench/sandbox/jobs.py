"""From a judge's job to an order that a first program can carry out; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_llmbench.errors import AnswerFault, GraderError
from pytest_llmbench.sandbox.api import PYTHON, Job
from pytest_llmbench.sandbox.control import Order

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1024
MAX_FILES = 1000
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Control, formatting (bidirectional, zero-width), line and paragraph separators."""

LIFETIME_MARGIN_S = 600.0
"""A judge may look at a job longer than its candidate may run; after this the first program gives up by itself."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things really are for a job."""

    python: str
    work: str
    trusted: str
    path: str
    """Value of PATH."""
    temporary: str
    distributions: str | None = None
    """Folder for PYTHONPATH, or None if there is none."""


def order(job: Job, places: Places, rlimits: tuple[tuple[str, int, int], ...]) -> Order:
    """Return the order for a job.

    Raises:
        AnswerFault: the names or sizes of the answer's files are not acceptable.
        GraderError: the judge's own part is wrong.
    """
    check_files(job)
    for name in job.trusted:
        why = name_fault(name)
        if why or "/" in name:
            raise GraderError(f"trusted file {name!r}: {why or 'it lies in a folder, wanted a plain name'}")
    if not job.argv:
        raise GraderError("a job's argv is empty, wanted a program")
    marks = {PYTHON: places.python, "{work}": places.work, "{trusted}": places.trusted}
    return Order(
        argv=[_replace(item, marks) for item in job.argv],
        env=_environment(job, places, marks),
        files=[(path, data, 0o755 if path in job.executable else 0o644) for path, data in job.files.items()],
        rlimits=rlimits,
        lifetime_s=job.limits.wall_s + LIFETIME_MARGIN_S,
    )


def check_files(job: Job) -> None:
    """Refuse files that must not, or cannot, be written.

    Raises:
        AnswerFault: with the first fault found.
    """
    for name in job.files:
        why = name_fault(name)
        if why:
            raise AnswerFault(f"file name {name!r} is refused: {why}")
    if len(job.files) > MAX_FILES:
        raise AnswerFault(f"the answer has {len(job.files)} files, wanted at most {MAX_FILES}")
    total_bytes = sum(len(data) for data in job.files.values())
    if total_bytes > job.limits.disk_bytes:
        raise AnswerFault(f"the answer's files hold {total_bytes} bytes, wanted at most {job.limits.disk_bytes}")


def name_fault(name: str) -> str | None:
    """Return why a relative path must not be written, or None if it may."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    parts = name.split("/")
    faults = {
        f"it is empty or longer than {MAX_PATH_BYTES} bytes": not 0 < size <= MAX_PATH_BYTES,
        "it holds control or invisible characters": any(unicodedata.category(letter) in _INVISIBLE for letter in name),
        "it is absolute, starts with ~, or holds a backslash": name.startswith(("/", "~")) or "\\" in name,
        "it has an empty, . or .. part": any(part in ("", ".", "..") for part in parts),
        f"a part of it is longer than {MAX_NAME_BYTES} bytes": any(
            len(part.encode()) > MAX_NAME_BYTES for part in parts
        ),
    }
    return next((fault for fault, found in faults.items() if found), None)


def _replace(text: str, marks: Mapping[str, str]) -> str:
    for mark, place in marks.items():
        text = text.replace(mark, place)
    return text


def _environment(job: Job, places: Places, marks: Mapping[str, str]) -> dict[str, str]:
    env = {
        "PATH": places.path,
        "HOME": places.work,
        "LANG": "C.UTF-8",
        "TMPDIR": places.temporary,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    env |= {name: _replace(value, marks) for name, value in job.env.items()}
    if places.distributions is not None:
        env["PYTHONPATH"] = ":".join(filter(None, (env.get("PYTHONPATH"), places.distributions)))
    return env
