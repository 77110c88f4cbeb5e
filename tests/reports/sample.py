"""A report with everything in it: three models, a baseline, speed, a server that did not come up."""

from __future__ import annotations

from dataclasses import replace

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.endpoint import Sampling, ServerInfo
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import (
    SCHEMA,
    AnswerPair,
    CheckChange,
    Comparison,
    CompletionRow,
    EndpointRow,
    Gate,
    Regression,
    Report,
    RunInfo,
    ScoreRow,
    SuiteRow,
    Tally,
)
from pytest_llmbench.model.serving import Cause, Failure, Phase
from pytest_llmbench.model.speed import SpeedRow, Spread

PASSED, WRONG, INFRA = Outcome.PASSED, Outcome.WRONG, Outcome.INFRA_ERROR
SUITES = {"stratum": ("byte_order", "info_leak", "stale_job"), "zmq": ("socket_ownership", "clean_shutdown")}
FAILS = {
    "qwen3-coder-fp8": {"stale_job": "assert 'job not found' in reply\n  where reply = {'result': True}"},
    "qwen3-coder-awq": {
        "stale_job": "assert 'job not found' in reply",
        "clean_shutdown": "AssertionError: still running 5 s after SIGTERM: {'pid': 41, 'threads': ['heartbeat']}",
    },
}
FAILURE = Failure(
    Phase.LOADING,
    Cause.GPU_MEMORY,
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB.",
    "lower --gpu-memory-utilization or take a smaller model",
    "exit status 1",
    41.5,
    "servers/llama-70b-1.log",
)


def make_endpoint(name: str, **changes: object) -> EndpointRow:
    row = EndpointRow(
        name=name,
        url="http://127.0.0.1:8000/v1",
        model=f"org/{name}",
        replay=None,
        server=ServerInfo(kind="vllm", version="0.11.0", context_tokens=32768),
        sampling=Sampling(),
        extra_body={},
        metadata={},
        problem=None,
        fingerprint="0" * 64,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def make_checks(endpoint: str, *, outcome: Outcome | None = None) -> tuple[Check, ...]:
    """Checks that fail as `FAILS` says, or that all end the same way."""
    fails = FAILS.get(endpoint, {})
    return tuple(
        Check(
            endpoint, suite, check, 1, outcome or (WRONG if check in fails else PASSED),
            "infra_error: its server failed" if outcome is INFRA else fails.get(check), 0.5,
            f"suites/{suite}/test_{suite}.py::test_{check}[{endpoint}]",
        )
        for suite, checks in SUITES.items()
        for check in checks
    )  # fmt: skip


def make_scores(checks: tuple[Check, ...]) -> tuple[ScoreRow, ...]:
    """Count them; the intervals are nobody's."""
    rows = []
    for endpoint in dict.fromkeys(check.endpoint for check in checks):
        for suite in (*SUITES, None):
            own = [check for check in checks if check.endpoint == endpoint and suite in (None, check.suite)]
            scored = sum(check.outcome.scored for check in own)
            passed = sum(check.outcome is PASSED for check in own)
            if own:
                rate = passed / scored if scored else None
                low, high = (None, None) if rate is None else (max(0.0, rate - 0.3), min(1.0, rate + 0.1))
                rows.append(ScoreRow(endpoint, suite, passed, scored, scored / len(own), rate, low, high, len(own)))
    return tuple(rows)


def make_completions(endpoint: str, tok_s: float) -> tuple[CompletionRow, ...]:
    return tuple(
        CompletionRow(
            endpoint, suite, 1, "stop", 900, 1200, None, None, 0.31, 0.31, tok_s, 1200 / tok_s, 2, 1, None,
            f"completions/{endpoint}/{suite}-s1.json",
        )
        for suite in SUITES
    )  # fmt: skip


def make_spread(mean: float) -> Spread:
    return Spread(3, mean, mean, mean * 0.99, mean * 1.01, mean * 0.01, mean * 0.98, mean * 1.02)


def make_speed(endpoint: str, tok_s: float, ttft_s: float) -> tuple[SpeedRow, ...]:
    single = SpeedRow(
        endpoint, "single-stream", 1, 0, 512, 256, "prose", 3, 3, 0,
        decode_tok_s=make_spread(tok_s), ttft_s=make_spread(ttft_s),
    )  # fmt: skip
    sweep = [
        SpeedRow(
            endpoint, "sweep", streams, 0, 256, 128, "prose", 3, 3 * streams, 0,
            throughput_tok_s=make_spread(tok_s * streams * 0.8), decode_tok_s=make_spread(tok_s * 0.8),
        )
        for streams in (1, 8)
    ]  # fmt: skip
    return (single, *sweep)


COMPARISON = Comparison(
    endpoint="qwen3-coder-awq",
    baseline="qwen3-coder-fp8",
    pairs=5,
    answers=2,
    worse=1,
    better=0,
    p_value=0.5,
    difference=-0.2,
    low=-0.6,
    high=0.2,
    smallest_drop=0.55,
    samples_needed=12,
    regressions=(
        Regression(
            "zmq",
            "clean_shutdown",
            must_pass=True,
            before=Tally(1, 1),
            after=Tally(0, 1),
            samples=(
                AnswerPair(
                    "completions/qwen3-coder-fp8/zmq-s1.json",
                    "completions/qwen3-coder-awq/zmq-s1.json",
                    before_passed=True,
                    after_passed=False,
                ),
            ),
            evidence=FAILS["qwen3-coder-awq"]["clean_shutdown"],
        ),
    ),
    still_failing=(CheckChange("stratum", "stale_job", Tally(0, 1), Tally(0, 1)),),
)


def make_sample(run: str = "20261121T202000Z-3f09ab") -> Report:
    checks = (
        *make_checks("qwen3-coder-fp8"),
        *make_checks("qwen3-coder-awq"),
        *make_checks("llama-70b", outcome=INFRA),
    )
    return Report(
        schema=SCHEMA,
        run=RunInfo(
            run, "2026-11-21T20:20:00.000+00:00", 754.2, "0.1.0", ("pytest", "suites", "--llm-speed"), 7, {}, "bubblewrap",
        ),
        endpoints=(
            make_endpoint("qwen3-coder-fp8"),
            make_endpoint("qwen3-coder-awq"),
            make_endpoint("llama-70b", server=ServerInfo(kind="vllm", failure=FAILURE)),
        ),
        completions=(*make_completions("qwen3-coder-fp8", 61.0), *make_completions("qwen3-coder-awq", 84.0)),
        checks=checks,
        speed=(*make_speed("qwen3-coder-fp8", 62.0, 0.21), *make_speed("qwen3-coder-awq", 88.0, 0.205)),
        scores=make_scores(checks),
        gate=Gate(
            "not_met",
            ("qwen3-coder-awq: zmq/clean_shutdown must pass: 1 of 1 answer failed, none of the baseline's",),
            (COMPARISON,),
        ),
        suites=(
            SuiteRow("stratum", "Stratum server of a small pool", "nightmare", "a" * 64, "b" * 64),
            SuiteRow("zmq", "Block notifier over ZeroMQ", "easy", "c" * 64, "d" * 64),
        ),
    )  # fmt: skip
