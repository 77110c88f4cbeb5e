from __future__ import annotations

import pytest

from pytest_llmbench.model.check import Check, SandboxUse
from pytest_llmbench.model.completion import Completion, Exchange, Timing, Usage
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report, RunInfo
from pytest_llmbench.reports.build import build_report

OUTCOMES = {
    ("new", "zmq"): (Outcome.PASSED, Outcome.WRONG),
    ("new", "pplns"): (Outcome.PASSED, Outcome.TRUNCATED, Outcome.EMPTY),
    ("a-model-with-a-name-that-is-far-too-long", "zmq"): (Outcome.PASSED, Outcome.GRADER_ERROR),
    ("a-model-with-a-name-that-is-far-too-long", "pplns"): (Outcome.PASSED,) * 3,
    ("dead", "zmq"): (Outcome.INFRA_ERROR,) * 2,
    ("dead", "pplns"): (Outcome.INFRA_ERROR,) * 3,
}


def make_report(sandbox: str = "bubblewrap") -> Report:
    names = list(dict.fromkeys(endpoint for endpoint, _ in OUTCOMES))
    checks = [
        Check(
            endpoint, suite, f"check{number}", 1, outcome, None if outcome is Outcome.PASSED else f"{outcome}: refused",
            0.5, f"suites/{suite}/test_{suite}.py::test_check{number}[{endpoint}]", SandboxUse(sandbox, ("rlimits",)), "log",
        )
        for (endpoint, suite), outcomes in OUTCOMES.items()
        for number, outcome in enumerate(outcomes)
    ]  # fmt: skip
    exchange = Exchange("x", None, "stop", Usage(10, 101, 40, None), Timing(0.25, 0.5, 1.25, 1.5, 101))
    completions = [
        Completion(endpoint, suite, 1, {}, "", *((None, "refused") if endpoint == "dead" else (exchange, None)))
        for endpoint, suite in OUTCOMES
    ]
    run = RunInfo("r1", "2026-01-01T00:00:00Z", 1.5, "0.1.0", ("pytest",), 7, {"cpus": 2}, sandbox)
    return build_report(run, [Endpoint(name, "http://h/v1", "m") for name in names], completions, checks)


@pytest.fixture
def report() -> Report:
    return make_report()
