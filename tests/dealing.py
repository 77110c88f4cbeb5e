"""How our own tests are dealt out to xdist's workers: by what is costly to make, such as a server or a matrix of a corpus.

xdist's `loadgroup` reads the groups off ids that it changes itself, which pytest 9.2 no longer lets it do: each test then
goes its own way without a word, and each worker makes everything anew (pytest-xdist issue 1386).
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

CORPORA = "tests/suites/test_corpus.py"

SIDE_BY_SIDE = {"hiveos": "corpora 1", "pplns": "corpora 1", "zmq": "corpora 1"}
"""Suite -> the matrices that it is made after. Two at a time: each brings workers of its own, and their deadlines are real."""

SHARED = {
    "tests/browser/": "browser",  # while it is open an event loop runs, and others want one of their own
    "tests/real/": "real servers",
    "tests/servers/test_kinds_real.py": "real servers",
    "tests/servers/test_classify_live.py": "real servers",
}
"""What files or folders have in common; all others are a unit each."""

LONGEST_FIRST = (
    "corpora 1",
    "corpora 2",
    "real servers",
    "tests/plugin/test_gate.py",
    "browser",
    "tests/plugin/test_speed.py",
    "tests/load/test_measure.py",
    "tests/plugin/test_resume.py",
    "tests/sandbox/test_plain_user.py",
    "tests/load/test_saturated.py",
    "tests/test_wheel.py",
)
"""Units that keep one worker for minutes: begun last, they would leave the others idle."""


def unit_of(nodeid: str) -> str:
    """Return what all tests share that one worker is to get."""
    file = nodeid.partition("::")[0]
    if file == CORPORA:
        suite = nodeid.partition("[")[2].partition("-")[0].rstrip("]")
        return SIDE_BY_SIDE.get(suite, "corpora 2")
    return next((unit for start, unit in SHARED.items() if file.startswith(start)), file)


def place_of(nodeid: str) -> int:
    """Return by what to sort tests."""
    unit = unit_of(nodeid)
    return LONGEST_FIRST.index(unit) if unit in LONGEST_FIRST else len(LONGEST_FIRST)


class Dealing(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no type information
    """Deals out units in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)
