from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_llmbench.stats.answers import distinct, origins
from pytest_llmbench.stats.paired import net_changes, pair_up, sign_flip_p
from tests.stats.making import answer_row, checks, report


def test_checks_are_paired_by_suite_name_and_sample() -> None:
    pairs = pair_up(checks("old", zmq=["PW", "PP"], gone=["P"]), checks("new", zmq=["WW", "PI"], added=["P"]))
    assert [(one.before.suite, one.before.check, one.before.sample, one.after.sample) for one in pairs] == [
        ("zmq", "a", 1, 1), ("zmq", "b", 1, 1), ("zmq", "a", 2, 2), ("zmq", "b", 2, 2),
    ]  # fmt: skip
    assert [pair.net for pair in pairs if pair.scored] == [-1, 0, 0]
    assert net_changes(pairs) == (-1, 0)


def test_different_answers_are_paired_in_their_order() -> None:
    own = checks("old", zmq=["P", "P", "W"])
    again = origins(
        report({"old": own}, [answer_row("old", "zmq", sample, sha) for sample, sha in enumerate("aab", 1)])
    )
    old = distinct(own, again)
    pairs = pair_up(old, checks("new", zmq=["P", "P", "P"]))
    assert [(one.before.sample, one.after.sample) for one in pairs] == [(1, 1), (3, 2)]


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=9))
def test_it_is_the_permutation_test_of_another_package(changes: list[int]) -> None:
    found = stats.permutation_test(
        (np.array(changes),), np.sum, permutation_type="samples", alternative="less", n_resamples=1000, vectorized=True
    )
    assert sign_flip_p(changes) == pytest.approx(found.pvalue)


@pytest.mark.parametrize(("worse", "better"), [(5, 0), (9, 2), (30, 18), (0, 0), (2, 9)])
def test_with_one_check_to_an_answer_it_is_mcnemar(worse: int, better: int) -> None:
    changes = [-1] * worse + [1] * better + [0] * 17
    wanted = stats.binomtest(better, worse + better, alternative="less").pvalue if worse + better else 1
    assert sign_flip_p(changes) == pytest.approx(wanted)


def test_checks_that_fell_together_are_one_piece_of_evidence() -> None:
    assert sign_flip_p([-8]) == 0.5
    assert sign_flip_p([-1] * 8) == 1 / 256
