"""The table of the gate's accuracy: whether its simulated truth is one, and whether it can tell a gate that is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import gate
from pytest_llmbench.model.outcome import Outcome


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """One correlation, two drops, few draws."""
    monkeypatch.setattr(gate, "CORRELATIONS", (0.5,))
    monkeypatch.setattr(gate, "DROPS", (0, 20))
    monkeypatch.setattr(gate, "PLANS", 1)
    monkeypatch.setattr(gate, "BOOTSTRAPS", 1)


@pytest.mark.parametrize("drop", [0.0, 0.05, 0.2])
def test_an_endpoint_is_as_much_worse_as_it_is_said_to_be(drop: float) -> None:
    world = gate.make_world(0.5)
    assert world.rate - world.worse(drop).rate == pytest.approx(drop, abs=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_answers_are_as_good_and_as_correlated_as_the_world_says(correlation: float) -> None:
    world = gate.World((np.full(2, 0.5),) * len(gate.SUITES), correlation)
    checks = world.answer("new", 2000, np.random.default_rng(3))
    passed = np.array([check.outcome is Outcome.PASSED for check in checks]).reshape(-1, 2)
    assert passed.mean() == pytest.approx(0.5, abs=0.02)
    # Of two normal variables of which each is above its median half of the time.
    wanted = 0.25 + np.arcsin(correlation) / (2 * np.pi)
    assert passed.all(axis=1).mean() == pytest.approx(wanted, abs=0.02)


@pytest.mark.usefixtures("small")
def test_each_combination_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert gate.main(["--gates=20", "--samples=3"]) == 0
    title, header, same, worse = capsys.readouterr().out.splitlines()
    assert title == "true rate 78.5 %, 20 gates a row"
    assert header == gate.HEADER
    for row, drop in ((same, "0"), (worse, "20")):
        assert row.split()[:3] == ["3", "0.5", drop]
        assert [len(part) for part in row.split("|")] == [len(part) for part in header.split("|")]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("name", "wrong"), [("sign_flip_p", lambda _: 0.0), ("clustered_interval", lambda _: (0.0, 0.0))]
)
def test_a_test_or_an_interval_that_is_wrong_is_marked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, wrong: object
) -> None:
    monkeypatch.setattr(gate, name, wrong)
    monkeypatch.setattr(gate, "DROPS", (0,))
    assert gate.main(["--gates=20", "--samples=1"]) == 1
    assert "!" in capsys.readouterr().out.splitlines()[-1]
