from __future__ import annotations

import threading
from collections.abc import Collection

from pytest_llmbench.provision.resources import Resources


def _yes() -> bool:
    return True


def _no() -> bool:
    return False


class Taker:
    """Takes resources in a thread of its own."""

    def __init__(self, resources: Resources, rank: int, names: Collection[str]) -> None:
        self.has_it = threading.Event()
        self._thread = threading.Thread(target=self._take, args=(resources, rank, names), daemon=True)
        self._thread.start()

    def _take(self, resources: Resources, rank: int, names: Collection[str]) -> None:
        resources.take(rank, names, _yes)
        self.has_it.set()

    def waits(self) -> bool:
        return not self.has_it.wait(0.5)


def test_what_does_not_share_runs_side_by_side() -> None:
    resources = Resources()
    assert resources.take(0, ["gpu0"], _yes)
    assert resources.take(1, ["gpu1", "gpu2"], _yes)


def test_what_shares_waits_and_is_seen_to_wait() -> None:
    resources = Resources()
    assert resources.take(0, ["gpu0", "gpu1"], _yes)
    assert not resources.is_contended(0)
    second = Taker(resources, 1, ["gpu1"])
    assert second.waits()
    assert resources.is_contended(0)
    resources.release(0)
    assert second.has_it.wait(10)


def test_one_that_is_wanted_no_more_gives_up() -> None:
    resources = Resources()
    assert resources.take(0, ["gpu0"], _yes)
    assert not resources.take(1, ["gpu0"], _no)
    assert not resources.is_contended(0)


def test_the_first_of_the_user_goes_first_and_many_gpus_are_not_starved_by_single_ones() -> None:
    resources = Resources()
    assert resources.take(3, ["gpu0"], _yes)
    wide = Taker(resources, 1, ["gpu0", "gpu1"])
    assert wide.waits()
    late = Taker(resources, 2, ["gpu1"])
    assert late.waits()
    resources.release(3)
    assert wide.has_it.wait(10)
    assert late.waits()
    resources.release(1)
    assert late.has_it.wait(10)
