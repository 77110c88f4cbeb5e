"""The letters of suites, as files or as bytes: what a model is sent, to the byte."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.suite import Suite, load_suite

SUITE_FILE = "suite.yaml"
_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "suites", _HERE.parent / "suites")
"""Of the bundled suites: in the wheel inside the package, in a checkout beside it."""


def write_prompts(folder: Path, suites: Iterable[Suite]) -> tuple[Path, ...]:
    """Write each suite's prompt to `folder`, as `<suite>.md`; the folder is made.

    Returns:
        The files, in order.

    Raises:
        OSError: one of them cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for suite in suites:
        path = folder / f"{suite.name}.md"
        path.write_bytes(suite.prompt.encode())
        files.append(path)
    return tuple(files)


def find_suites(wanted: Sequence[str]) -> tuple[Suite, ...]:
    """Load suites by name or by folder; none named: all the bundled ones.

    Raises:
        UsageFault: there is no such suite.
        GraderError: a suite cannot be read.
    """
    bundled = next(folders for top in _FOLDERS if (folders := _suites_in(top)))
    return tuple(load_suite(_folder(name, bundled)) for name in wanted or sorted(bundled))


def _suites_in(top: Path) -> dict[str, Path]:
    return {path.parent.name: path.parent for path in top.glob(f"*/{SUITE_FILE}")}


def _folder(wanted: str, bundled: dict[str, Path]) -> Path:
    if wanted in bundled:
        return bundled[wanted]
    own = Path(os.path.expanduser(wanted)).resolve()  # noqa: PTH111 - takes `~nobody` as it is
    if (own / SUITE_FILE).is_file():
        return own
    raise UsageFault(
        f"no suite {wanted}; wanted one of {', '.join(sorted(bundled))}, or a folder that holds a {SUITE_FILE}"
    )
