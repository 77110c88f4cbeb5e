"""The order in which one process runs its checks: of the answers that are there, the first; else whichever comes first.

pytest's own loop would wait for the first answer of the list while others, long there, are not graded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Protocol

import pytest

from pytest_llmbench.asking import Case
from pytest_llmbench.run import CASE

BY_LIST = ("collectonly", "setupplan", "stepwise", "failedfirst", "newfirst")
"""Options that run nothing, or by which the order of the list is what the user wants; `--sw` goes on where it stopped."""
KNOWN_LOOPS = frozenset({"_pytest", "pytest_llmbench"})
"""Packages whose hooks `pytest_runtestloop` are pytest's own loop, or none."""

Turn = Sequence[pytest.Item]
"""One test that checks no answer, or all tests that check one answer and come together: one after the other."""


class FirstThere(Protocol):
    """Says which of these answers is there; see `Fetcher.first_there`."""

    def __call__(self, cases: Sequence[Case], *, wait: bool) -> Case | None:
        """Return its case; with `wait`, there is one."""


def may_choose(session: pytest.Session) -> bool:
    """Whether the order is ours: nobody asked for another one, and no other plugin, such as xdist, runs the tests."""
    config = session.config
    if session.testsfailed and not config.option.continue_on_collection_errors:
        return False
    loops = [hook for hook in config.hook.pytest_runtestloop.get_hookimpls() if not (hook.wrapper or hook.hookwrapper)]
    others = {hook.function.__module__.partition(".")[0] for hook in loops} - KNOWN_LOOPS
    return not others and not any(config.getoption(name, default=False) for name in BY_LIST)


def run_in_turn(session: pytest.Session, first_there: FirstThere) -> None:
    """Run all tests as pytest does; those that check no answer keep their place among the others.

    Raises:
        pytest.Session.Failed: the session was told to stop at a failure.
        pytest.Session.Interrupted: the session was told to stop.
    """
    for item, nextitem in _in_turn(session.items, first_there):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)


def _in_turn(items: Sequence[pytest.Item], first_there: FirstThere) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Yield each test, once its answer is there, and the test by which pytest may tear down what it needs no more."""
    chosen: Turn | None = None
    for stretch, following in pairwise([*_stretches(items), []]):
        left = list(stretch)
        while left:
            turn = chosen or _choose(left, first_there, wait=True) or left[0]
            left.remove(turn)
            yield from pairwise(turn)
            ahead = left or following
            # Nobody waits for an answer before a test that could run now, just to know what comes after it.
            chosen = _choose(ahead, first_there, wait=False)
            yield turn[-1], chosen[0] if chosen else _most_remote(turn[-1], ahead)


def _stretches(items: Sequence[pytest.Item]) -> list[list[Turn]]:
    """Split the tests where their order is fixed: within a stretch, each answer takes its turn when it comes."""
    stretches: list[dict[object, list[pytest.Item]]] = []
    was_check = False
    for item in items:
        is_check = CASE in item.stash
        if not (is_check and was_check):
            stretches.append({})
        stretches[-1].setdefault(item.stash[CASE].key if is_check else item, []).append(item)
        was_check = is_check
    return [list(turns.values()) for turns in stretches]


def _choose(turns: Sequence[Turn], first_there: FirstThere, *, wait: bool) -> Turn | None:
    if len(turns) <= 1:
        return turns[0] if turns else None
    case = first_there([turn[0].stash[CASE] for turn in turns], wait=wait)
    return next((turn for turn in turns if case is not None and turn[0].stash[CASE].key == case.key), None)


def _most_remote(item: pytest.Item, turns: Sequence[Turn]) -> pytest.Item | None:
    """Return the test that shares fewest collectors with this one, of those that may be next; None if there is none.

    pytest tears down what the next test does not need. What the most remote one shares, all others share, too.
    """
    own = set(item.listchain())
    return min((turn[0] for turn in turns), key=lambda first: len(own.intersection(first.listchain())), default=None)
