"""Which answers count: each different one of an endpoint and a suite once, however often it came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.model.report import CompletionRow

Origin = Mapping[CaseKey, CaseKey]
"""Answer -> the first one of its endpoint and suite that is the same; those that are not in it stand for themselves."""


def origins(completions: Iterable[CompletionRow]) -> Origin:
    """Say of each answer of which one it is a repetition; one whose text is not known repeats none."""
    first: dict[tuple[str, str, str], CaseKey] = {}
    found = {}
    for row in sorted(completions, key=lambda row: row.sample):
        key = CaseKey(row.endpoint, row.suite, row.sample)
        if row.answer_sha256 is not None:
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


def repetitions(completions: Sequence[CompletionRow], origin: Origin) -> Mapping[tuple[str, str], int]:
    """Return by endpoint and suite how many answers were repetitions; only those that had any."""
    keys = (CaseKey(row.endpoint, row.suite, row.sample) for row in completions)
    return Counter((key.endpoint, key.suite) for key in keys if origin.get(key, key) != key)
