"""Which answers count: all that were drawn, but of an endpoint that draws the same again each different one only once.

Two answers of one wording may still be two draws: a refusal, or nothing at all, is no less frequent for being the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePath

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.model.report import EndpointRow, Report

RECORDED = "completions"
"""Folder of a run's answers, below which each endpoint has its own."""

Origin = Mapping[CaseKey, CaseKey]
"""Answer -> the first one of its endpoint and suite that is the same; those that are not in it stand for themselves."""


def draws_anew(endpoint: EndpointRow) -> bool:
    """Tell whether each of its answers is a draw of its own, by how it was asked or, in a run that is judged again, had been."""
    if endpoint.replay is not None and PurePath(endpoint.replay).parent.name != RECORDED:
        return False  # recorded texts: one may serve all samples
    sent = {"temperature": endpoint.sampling.temperature, **endpoint.extra_body}
    # Each sample is sent a seed of its own, unless the user sends the same one with all.
    return sent["temperature"] != 0 and sent.get("top_k") != 1 and "seed" not in sent


def origins(report: Report) -> Origin:
    """Say of each answer of which one it is a repetition; one whose text is not known, or that was drawn anew, of none."""
    repeating = {endpoint.name for endpoint in report.endpoints if not draws_anew(endpoint)}
    first: dict[tuple[str, str, str], CaseKey] = {}
    found = {}
    for row in sorted(report.completions, key=lambda row: row.sample):
        key = CaseKey(row.endpoint, row.suite, row.sample)
        if row.answer_sha256 is not None and row.endpoint in repeating:
            found[key] = first.setdefault((row.endpoint, row.suite, row.answer_sha256), key)
    return found


def distinct(checks: Iterable[Check], origin: Origin) -> tuple[Check, ...]:
    """Leave one verdict for each check of each different answer; one that says something about the model, if there is one.

    In the order of the checks given; the sample is that of the first of its repetitions.
    """
    kept: dict[tuple[CaseKey, str], Check] = {}
    for check in checks:
        own = CaseKey(check.endpoint, check.suite, check.sample)
        first = origin.get(own, own)
        place = (first, check.check)
        if place not in kept or (check.outcome.scored and not kept[place].outcome.scored):
            kept[place] = check if own == first else replace(check, sample=first.sample)
    return tuple(kept.values())


def repetitions(report: Report) -> Mapping[tuple[str, str], int]:
    """Return by endpoint and suite how many answers count no more, as they were repetitions; only those that had any."""
    return Counter((key.endpoint, key.suite) for key, first in origins(report).items() if first != key)
