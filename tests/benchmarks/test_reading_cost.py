from __future__ import annotations

import pytest

from benchmarks.reading_cost import FORMS, READ_BYTES, STAGES, compare, one_by_one, reads_of
from pytest_llmbench.client import stream
from pytest_llmbench.client.recorder import dechunk


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", READ_BYTES)
def test_every_stream_is_read_whole_both_ways(form: str, size: str) -> None:
    reads = reads_of(FORMS[form], 300, READ_BYTES[size])
    assert len(reads) == 1 if size == "a flood" and form != "usage with each token" else len(reads) > 1
    for costs in compare(reads, 300):
        assert len(costs) == len(STAGES)
        assert sum(costs[:-1]) == pytest.approx(costs[-1])
    with pytest.raises(RuntimeError, match="wanted 301 tokens, got 300"):
        compare(reads, 301)


def test_the_short_cuts_are_on_again_afterwards() -> None:
    def fail() -> None:
        with one_by_one():
            assert min(dechunk.MANY_BYTES, stream.MANY) > max(kept)
            raise RuntimeError

    kept = dechunk.MANY_BYTES, stream.MANY
    with pytest.raises(RuntimeError):
        fail()
    assert kept == (dechunk.MANY_BYTES, stream.MANY)
