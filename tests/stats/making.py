"""Checks and answers, written as texts: one letter for each check, `P` passed, `W` wrong, `I` an error of nobody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import CaseKey, transcript_path
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import CompletionRow, Report, RunInfo
from pytest_llmbench.reports.build import build_report

OUTCOMES = {"P": Outcome.PASSED, "W": Outcome.WRONG, "I": Outcome.INFRA_ERROR}
RUN = RunInfo("r1", "2026-01-01T00:00:00Z", 1.5, "0.1.0", ("pytest",), 7, {"cpus": 2}, "bubblewrap")


def checks(endpoint: str, must_pass: Sequence[str] = (), **suites: Sequence[str]) -> tuple[Check, ...]:
    """Make the checks of an endpoint: of each suite one text for each sample; `a`, `b`, … are the checks' names."""
    return tuple(
        Check(
            endpoint=endpoint,
            suite=suite,
            check=name,
            sample=sample,
            outcome=OUTCOMES[letter],
            evidence=None if letter == "P" else f"{name} of {sample} went wrong",
            duration_s=0.1,
            nodeid=f"suites/{suite}/test_{suite}.py::test_{name}[{endpoint}-s{sample}]",
            must_pass=f"{suite}/{name}" in must_pass,
        )
        for suite, answers in suites.items()
        for sample, letters in enumerate(answers, 1)
        for name, letter in zip("abcdefghij", letters, strict=False)
    )


def answer_row(endpoint: str, suite: str, sample: int, sha256: str | None) -> CompletionRow:
    """Make an answer of which only this much is known."""
    figures = (None,) * 12
    path = transcript_path(CaseKey(endpoint, suite, sample))
    return CompletionRow(endpoint, suite, sample, *figures, path, answer_sha256=sha256)


def report(own: Mapping[str, Sequence[Check]], answers: Sequence[CompletionRow] = ()) -> Report:
    """Make a report of endpoints and their checks."""
    found = build_report(RUN, [Endpoint(name) for name in own], [], [one for each in own.values() for one in each])
    return replace(found, completions=tuple(answers))


def asked_at(temperature: float, found: Report) -> Report:
    """Return a report whose endpoints were asked at that temperature; others are at 0."""
    rows = [replace(row, sampling=replace(row.sampling, temperature=temperature)) for row in found.endpoints]
    return replace(found, endpoints=tuple(rows))
