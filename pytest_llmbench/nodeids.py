"""What a test id says: `suites/stratum/test_stratum.py::test_byte_order[NAME-s2]`."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path, PurePath
from typing import NamedTuple

from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.model.settings import SPEED

_CHECK = re.compile(r"(?:.*/)?(?P<suite>[^/]+)/[^/]+\.py::test_(?P<check>\w+)\[(?P<case>.+)\]")
_TEST = re.compile(r"(?P<file>.+\.py)::(?:\w+::)*\w+\[(?P<case>.+)\]")
_SAMPLE = re.compile(r"(?P<endpoint>.+)-s(?P<sample>[0-9]+)")


class CheckId(NamedTuple):
    """A check of one case."""

    key: CaseKey
    check: str


def case_id(endpoint: str, sample: int) -> str:
    """Return what stands between the brackets; the first sample's id does not change when more are asked for."""
    return endpoint if sample == 1 else f"{endpoint}-s{sample}"


def read_check_id(nodeid: str, endpoints: Collection[str], root: Path | None = None) -> CheckId | None:
    """Read a test id; None if it is not that of a check of one of the endpoints.

    Args:
        nodeid: what is read.
        endpoints: names of those that are judged.
        root: where ids begin, as far as files lie there; None if nobody may look.
    """
    match = _CHECK.fullmatch(nodeid)
    if match is None or match["suite"] == SPEED or _is_in_no_suite(nodeid, root):
        return None
    endpoint, sample = match["case"], 1
    if (sampled := _SAMPLE.fullmatch(endpoint)) is not None:
        endpoint, sample = sampled["endpoint"], int(sampled["sample"])
    if endpoint not in endpoints:
        return None
    return CheckId(CaseKey(endpoint, match["suite"], sample), match["check"])


def read_speed_id(nodeid: str, endpoints: Collection[str], root: Path | None = None) -> str | None:
    """Return the endpoint that a speed test measures; None if it is no such test.

    No id says that its test measures. One that names an endpoint does, if it lies in a folder `speed` or in no suite.

    Args:
        nodeid: what is read.
        endpoints: names of those that can be measured.
        root: as for `read_check_id`.
    """
    match = _TEST.fullmatch(nodeid)
    if match is None or not (PurePath(match["file"]).parent.name == SPEED or _is_in_no_suite(nodeid, root)):
        return None
    case = match["case"]
    fitting = [name for name in endpoints if case == name or case.startswith(f"{name}-")]
    return max(fitting, key=len, default=None)


def _is_in_no_suite(nodeid: str, root: Path | None) -> bool:
    """Whether the test's file can be seen, and no suite around it."""
    if root is None:
        return False
    file = root / nodeid.partition("::")[0]
    return file.exists() and not file.with_name("suite.yaml").exists()
