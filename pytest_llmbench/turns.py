"""The order in which one process runs its checks: of the answers that are there, the first; else whichever comes first.

pytest's own loop would wait for the first answer of the list while others, long there, are not graded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

import pytest

from pytest_llmbench.fetch import Case
from pytest_llmbench.run import CASE


def run_in_turn(session: pytest.Session, first_there: Callable[[Sequence[Case]], Case]) -> None:
    """Run all tests; those that check no answer keep their place among the others.

    Args:
        session: its items are grouped by answer.
        first_there: waits until one of these answers has come, and returns it.

    Raises:
        pytest.Session.Failed: the session was told to stop at a failure.
        pytest.Session.Interrupted: the session was told to stop.
    """
    left = list(session.items)
    while left:
        turn = _next_turn(left, first_there)
        left = [item for item in left if item not in turn]
        for item, after in zip(turn, [*turn[1:], None], strict=True):
            nextitem = _most_remote(item, left) if after is None else after
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)


def _next_turn(left: Sequence[pytest.Item], first_there: Callable[[Sequence[Case]], Case]) -> list[pytest.Item]:
    waiting = list(takewhile(lambda item: CASE in item.stash, left))
    if not waiting:
        return [left[0]]
    cases = {item.stash[CASE].key: item.stash[CASE] for item in waiting}
    chosen = first_there(list(cases.values())) if len(cases) > 1 else next(iter(cases.values()))
    return [item for item in waiting if item.stash[CASE].key == chosen.key]


def _most_remote(item: pytest.Item, left: Sequence[pytest.Item]) -> pytest.Item | None:
    """Return the test that shares fewest collectors with this one; None if there is none.

    pytest tears down what the next test does not need. Which one that will be is not known yet, and what the most remote
    one shares, all others share, too.
    """
    own = item.listchain()
    return min(left, key=lambda other: sum(node in own for node in other.listchain()), default=None)
