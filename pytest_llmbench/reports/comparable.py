"""What must be equal before quality may be compared with that of another run: letters, judges, sampling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from pytest_llmbench.model.report import EndpointRow, Report, SuiteRow

PROMPTS: Final = "prompts"
SUITES: Final = "suites"
SAMPLING: Final = "sampling"
MAY_DIFFER: Final = {
    PROMPTS: "what the models were sent",
    SUITES: "what judges the answers: programs, judges and checks",
    SAMPLING: "temperature, token limit and the like",
}
"""What `--llm-allow-different` takes."""

_SAMPLING_FIELDS = frozenset({
    "temperature", "top_p", "top_k", "min_p", "typical_p", "top_a", "top_n_sigma", "tfs_z", "xtc_probability", "xtc_threshold",
    "mirostat", "mirostat_tau", "mirostat_eta", "dynatemp_range", "dynatemp_exponent", "samplers", "seed", "best_of",
    "use_beam_search", "max_tokens", "max_completion_tokens", "n_predict", "min_tokens", "ignore_eos", "stop",
    "stop_token_ids", "repetition_penalty", "repeat_penalty", "repeat_last_n", "no_repeat_ngram_size", "presence_penalty",
    "frequency_penalty", "dry_multiplier", "dry_base", "dry_allowed_length", "length_penalty", "logit_bias", "options",
    "reasoning", "reasoning_effort", "thinking", "thinking_budget", "enable_thinking", "chat_template_kwargs",
})  # fmt: skip
"""Fields of `extra_body` that steer how an answer is drawn."""


def refusals(
    baseline: Report,
    pairs: Sequence[tuple[EndpointRow, EndpointRow]],
    suites: Sequence[SuiteRow | str],
    allowed: Sequence[str],
) -> tuple[str, ...]:
    """Return a line for each thing that has to be equal and is not, or of which that is not known.

    Args:
        baseline: the earlier report.
        pairs: endpoints that will be compared, the baseline's first.
        suites: of the run, as they are now; only the name of one that could not be looked at.
        allowed: names of `MAY_DIFFER` that need not be equal.
    """
    asked = {check.suite for check in baseline.checks}
    before = {row.name: row for row in baseline.suites}
    found = [
        (kind, text)
        for suite in suites
        if (name := suite if isinstance(suite, str) else suite.name) in asked
        for kind, text in _suite(name, before.get(name), None if isinstance(suite, str) else suite)
    ]
    letters = tuple(f"{text} ({kind})" for kind, text in found if kind not in allowed)
    return (*letters, *sampling_refusals(pairs, allowed))


def sampling_refusals(pairs: Sequence[tuple[EndpointRow, EndpointRow]], allowed: Sequence[str]) -> tuple[str, ...]:
    """Return the same for what may differ between endpoints of one run: only how their answers are drawn."""
    found = [text for old, new in pairs for text in _sampling(old, new)]
    return () if SAMPLING in allowed else tuple(f"{text} ({SAMPLING})" for text in found)


def _suite(name: str, before: SuiteRow | None, now: SuiteRow | None) -> Iterator[tuple[str, str]]:
    if before is None or now is None:
        whose = "the baseline's report does not say" if before is None else "it could not be found"
        yield PROMPTS, f"{name}: whether the letter is the same is not known, as {whose}"
        yield SUITES, f"{name}: whether the judge is the same is not known, as {whose}"
        return
    is_same_letter = before.prompt_sha256 == now.prompt_sha256
    if not is_same_letter:
        yield PROMPTS, f"{name}: the letter is another one"
    if before.judge_sha256 is None or now.judge_sha256 is None:
        # The version is over letter and judge: with another letter it does not tell them apart.
        if is_same_letter and before.version != now.version:
            yield SUITES, f"{name}: the judge is another one"
    elif before.judge_sha256 != now.judge_sha256:
        yield SUITES, f"{name}: the judge is another one"


def _sampling(before: EndpointRow, now: EndpointRow) -> Iterator[str]:
    if before.replay is not None or now.replay is not None:
        return  # recorded answers: with what they were drawn is not for this run to say
    old, new = _sent(before), _sent(now)
    for field in dict.fromkeys((*old, *new)):
        if old.get(field) != new.get(field):
            yield f"{now.name}: {field} was {_shown(old.get(field))}, is {_shown(new.get(field))}"


def _sent(row: EndpointRow) -> Mapping[str, Any]:
    return asdict(row.sampling) | {name: value for name, value in row.extra_body.items() if name in _SAMPLING_FIELDS}


def _shown(value: object) -> str:
    return "not sent" if value is None else str(value)
