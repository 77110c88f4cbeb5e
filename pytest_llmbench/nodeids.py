"""What a test id says: `suites/stratum/test_stratum.py::test_byte_order[NAME-s2]`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path, PurePath
from typing import NamedTuple

from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.model.settings import SPEED

_CHECK = re.compile(r"test_(?P<check>\w+)\[(?P<case>.+)\]")
_TEST = re.compile(r"(?:\w+::)*\w+\[(?P<case>.+)\]")
_SAMPLE = re.compile(r"(?P<endpoint>.+)-s(?P<sample>[0-9]+)")


class CheckId(NamedTuple):
    """A check of one case."""

    key: CaseKey
    check: str


def case_id(endpoint: str, sample: int) -> str:
    """Return what stands between the brackets; the first sample's id does not change when more are asked for."""
    return endpoint if sample == 1 else f"{endpoint}-s{sample}"


def suite_folder(nodeid: str, roots: Iterable[Path]) -> Path | None:
    """Return the folder of the suite that a test lies in, as far as it can be seen from where ids may begin."""
    return next((file.parent for file in _files(nodeid, roots) if _is_in_suite(file)), None)


def read_check_id(nodeid: str, endpoints: Collection[str], *roots: Path) -> CheckId | None:
    """Read a test id; None if it is not that of a check of one of the endpoints.

    Args:
        nodeid: what is read.
        endpoints: names of those that are judged.
        roots: where ids may begin, as far as files lie there; none if nobody may look.
    """
    file, _, test = nodeid.partition("::")
    match = _CHECK.fullmatch(test)
    if match is None:
        return None
    folder = suite_folder(nodeid, roots)
    if folder is None and _files(nodeid, roots):
        return None  # it can be seen, and no suite around it
    # pytest leaves the folder out where it was the argument, and lies outside of where ids begin.
    suite = (PurePath(file).parent if folder is None else folder).name
    endpoint, sample = match["case"], 1
    if (sampled := _SAMPLE.fullmatch(endpoint)) is not None:
        endpoint, sample = sampled["endpoint"], int(sampled["sample"])
    if endpoint not in endpoints or suite in {SPEED, ""}:
        return None
    return CheckId(CaseKey(endpoint, suite, sample), match["check"])


def read_speed_id(nodeid: str, endpoints: Collection[str], *roots: Path) -> str | None:
    """Return the endpoint that a speed test measures; None if it is no such test.

    No id says that its test measures. One that names an endpoint does, if it lies in a folder `speed` or in no suite.

    Args:
        nodeid: what is read.
        endpoints: names of those that can be measured.
        roots: as for `read_check_id`.
    """
    file, _, test = nodeid.partition("::")
    match = _TEST.fullmatch(test)
    is_in_no_suite = suite_folder(nodeid, roots) is None and bool(_files(nodeid, roots))
    if match is None or not (PurePath(file).parent.name == SPEED or is_in_no_suite):
        return None
    case = match["case"]
    fitting = [name for name in endpoints if case == name or case.startswith(f"{name}-")]
    return max(fitting, key=len, default=None)


def _files(nodeid: str, roots: Iterable[Path]) -> list[Path]:
    """Return what a test's file may be: of two that are called the same, nobody can tell which one is meant."""
    paths = (root / nodeid.partition("::")[0] for root in roots)
    return [path for path in paths if path.is_file()]


def _is_in_suite(file: Path) -> bool:
    return file.with_name("suite.yaml").exists()
