"""What has to be known of an endpoint before it is measured: how it wants to be asked, and how long its prompts are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from pytest_llmbench.errors import ContextTooSmallError, EndpointError
from pytest_llmbench.load.asking import Asker
from pytest_llmbench.load.questions import DIALECTS, Questions
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.lengths import Counted, calibrate, near
from pytest_llmbench.speed.workloads import Shape, Workload

PROBE_TOKENS: Mapping[Shape, tuple[int, int]] = {
    Shape.PLAIN: (128, 1024),
    Shape.SHARED_PREFIX: (128, 1024),
    Shape.AGENTIC: (1536, 2560),  # below, it is tools and calls alone, whose length cannot be chosen
}
"""Lengths of two prompts that tell the text from the chat template."""
PROBE_ANSWER_TOKENS = 8
PROMPTS_OF_A_LENGTH = 3
"""Counted to correct a length: one alone is off by what its own words differ by."""
LONG_TOKENS = 8192
"""From there on one is enough: its words differ by less than a hundredth, and to read it costs seconds."""
TRIES = 2
"""Times that a length is counted and corrected."""
_REFUSED = re.compile(r"HTTP (400|422|500|501)\b")
"""How servers refuse a field; llama-server and others fall over one with a 500."""
CUT_SHARE = 0.8
"""Of the length that was aimed at: what a calibration is never wrong by, and a prompt that was cut falls below."""


async def prepare(asker: Asker, questions: Questions, workload: Workload) -> None:
    """Learn what is not known yet.

    Raises:
        ContextTooSmallError: the server cuts prompts of that length, and says nothing.
        EndpointError: no way of asking brought an answer.
    """
    if questions.dialect is None:
        await _learn_dialect(asker, questions)
    base = replace(workload, answer_tokens=PROBE_ANSWER_TOKENS, lengths_tokens=())
    kind = (workload.shape, workload.text)
    if kind not in questions.calibrations:
        probes = [replace(base, depth_tokens=0, prompt_tokens=tokens) for tokens in PROBE_TOKENS[workload.shape]]
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
        if not _REFUSED.search(answered.error):
            break  # a server that is overloaded or gone said nothing of these fields
    questions.dialect = None
    raise EndpointError(refusals[-1])


async def _correct(asker: Asker, questions: Questions, workload: Workload) -> None:
    """See how long prompts of this length really are, and remember what makes them right."""
    length = questions.length_of(workload)
    if length in questions.corrections:
        return
    calibration = questions.calibrations[workload.shape, workload.text]
    prompts = 1 if length.tokens >= LONG_TOKENS else PROMPTS_OF_A_LENGTH
    for _ in range(TRIES):
        known = [each for _ in range(prompts) if (each := await _count(asker, questions, workload)) is not None]
        if not known:
            return  # the workload itself will tell why
        questions.corrections[length] = calibration
        mean_tokens = sum(each.prompt_tokens for each in known) / len(known)
        # Of a shared prefix, some servers count only what did not come from the cache.
        if workload.shape is Shape.SHARED_PREFIX or near(length.tokens, round(mean_tokens)):
            return
        if mean_tokens < CUT_SHARE * length.tokens:
            del questions.corrections[length]
            raise ContextTooSmallError(
                f"{questions.endpoint.url}: of a prompt of some {length.tokens} tokens the server counted"
                f" {mean_tokens:.0f}; it cuts off what its context does not hold"
            )
        questions.corrections[length] = calibration = calibration.corrected(known)


async def _count(asker: Asker, questions: Questions, workload: Workload) -> Counted | None:
    one = replace(workload, concurrency=1, rate_s=None, requests=1)
    body, chars = questions.body(one)
    (answered,) = (await asker.round(one, [body])).answered
    exchange = answered.flight.exchange
    tokens = None if exchange is None else exchange.usage.prompt_tokens
    return None if tokens is None else Counted(chars, tokens)
