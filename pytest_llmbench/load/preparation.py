"""What has to be known of an endpoint before it is measured: how it wants to be asked, and how long its prompts are."""

from __future__ import annotations

from dataclasses import replace

from pytest_llmbench.errors import EndpointError
from pytest_llmbench.load.asking import Asker
from pytest_llmbench.load.questions import DIALECTS, Questions
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.lengths import Counted, calibrate, near
from pytest_llmbench.speed.workloads import Shape, Workload

PROBE_TOKENS = (128, 1024)
PROBE_ANSWER_TOKENS = 8
PROMPTS_OF_A_LENGTH = 3
"""Counted to correct a length: one alone is off by what its own words differ by."""


async def prepare(asker: Asker, questions: Questions, workload: Workload) -> None:
    """Learn what is not known yet.

    Raises:
        EndpointError: no way of asking brought an answer.
    """
    if questions.dialect is None:
        await _learn_dialect(asker, questions)
    base = replace(workload, answer_tokens=PROBE_ANSWER_TOKENS, lengths_tokens=())
    kind = (workload.shape, workload.text)
    if kind not in questions.calibrations:
        probes = [replace(base, depth_tokens=0, prompt_tokens=tokens) for tokens in PROBE_TOKENS]
        counts = [await _count(asker, questions, probe) for probe in probes]
        found = calibrate([each for each in counts if each is not None])
        if isinstance(found, Unknown):
            return  # the row tells the prompt tokens, or why they are not known
        questions.calibrations[kind] = found
    for tokens in {workload.prompt_tokens, *workload.lengths_tokens}:
        await _correct(asker, questions, replace(base, prompt_tokens=tokens))


async def _learn_dialect(asker: Asker, questions: Questions) -> None:
    probe = Workload("probe", prompt_tokens=32, answer_tokens=PROBE_ANSWER_TOKENS)
    refusals = []
    for dialect in DIALECTS:
        questions.dialect = dialect
        (answered,) = (await asker.round(probe, [questions.body(probe)[0]])).answered
        if answered.error is None:
            return
        refusals.append(answered.error)
    questions.dialect = None
    raise EndpointError(refusals[-1])


async def _correct(asker: Asker, questions: Questions, workload: Workload) -> None:
    """See how long prompts of this length really are, and remember what makes them right."""
    length = questions.length_of(workload)
    if length in questions.corrections:
        return
    counts = [await _count(asker, questions, workload) for _ in range(PROMPTS_OF_A_LENGTH)]
    known = [each for each in counts if each is not None]
    if not known:
        return
    calibration = questions.calibrations[workload.shape, workload.text]
    mean_tokens = sum(each.prompt_tokens for each in known) / len(known)
    if workload.shape is not Shape.SHARED_PREFIX and not near(length.tokens, round(mean_tokens)):
        calibration = calibration.corrected(known)
    questions.corrections[length] = calibration


async def _count(asker: Asker, questions: Questions, workload: Workload) -> Counted | None:
    one = replace(workload, concurrency=1, rate_s=None, requests=1)
    body, chars = questions.body(one)
    (answered,) = (await asker.round(one, [body])).answered
    exchange = answered.flight.exchange
    tokens = None if exchange is None else exchange.usage.prompt_tokens
    return None if tokens is None else Counted(chars, tokens)
