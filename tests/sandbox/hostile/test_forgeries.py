"""Forged verdicts against the worker: a judge that compares outside must find every one wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pytest_llmbench.errors import AnswerFault
from pytest_llmbench.sandbox.api import Limits, Sandbox
from pytest_llmbench.sandbox.worker import open_worker
from tests.sandbox.hostile.forgeries import FORGERIES, HONEST

CALL_S = 5.0
PATIENCE_S = 60.0
"""For one that will answer."""


def judged_right(sandbox: Sandbox, code: str, folder: Path, call_s: float = CALL_S) -> bool:
    """Judge `solve` on three random inputs, the way a suite does."""
    (folder / "expected").write_text("the expected values lie out here")
    rng = random.Random(7)  # noqa: S311 - no secret
    limits = Limits(wall_s=4 * PATIENCE_S, cpu_s=20)
    try:
        with open_worker(sandbox, {"answer.py": code.encode()}, module="answer", limits=limits) as worker:
            for _ in range(3):
                number = rng.randrange(8, 10**6)
                expected = number * number
                got = worker.call("solve", number, timeout_s=call_s)
                if type(got) is not int or got != expected:
                    return False
    except AnswerFault:
        return False
    return True


@pytest.mark.parametrize("name", FORGERIES)
def test_forgery_is_judged_wrong(name: str, bubblewrap: Sandbox, tmp_path: Path) -> None:
    assert not judged_right(bubblewrap, FORGERIES[name], tmp_path)


@pytest.mark.parametrize("name", HONEST)
def test_honest_answer_is_judged_right(name: str, bubblewrap: Sandbox, tmp_path: Path) -> None:
    assert judged_right(bubblewrap, HONEST[name], tmp_path, PATIENCE_S)


def test_naive_grader_in_one_process_is_fooled() -> None:
    """What the worker is for: some of these pass a grader that compares in the candidate's process."""
    fooled = []
    for name in ("equal to everything", "equal to everything, no int", "frame search"):
        space: dict[str, object] = {}
        exec(FORGERIES[name], space)  # noqa: S102 - harmless ones
        expected = 49
        got = space["solve"](7)  # type: ignore[operator]
        if got == expected:
            fooled.append(name)
    assert len(fooled) == 3


@pytest.mark.parametrize("name", ["not a number", "deep list", "enormous decimal", "equal to everything, no int"])
def test_values_that_are_not_plain_do_not_come_out(name: str, bubblewrap: Sandbox) -> None:
    with (
        open_worker(bubblewrap, {"answer.py": FORGERIES[name].encode()}, module="answer") as worker,
        pytest.raises(AnswerFault, match="cannot be taken"),
    ):
        worker.call("solve", 7)


def test_a_subclass_comes_out_plain(bubblewrap: Sandbox) -> None:
    code = FORGERIES["equal to everything"].encode()
    with open_worker(bubblewrap, {"answer.py": code}, module="answer") as worker:
        got = worker.call("solve", 7)
    assert type(got) is int
    assert got != 49
