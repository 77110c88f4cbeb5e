from __future__ import annotations

from pytest_llmbench.model.completion import Completion, Exchange, Timing, Usage
from pytest_llmbench.reports.junit import completion_properties


def test_known_figures_are_carried_and_unknown_ones_left_out() -> None:
    exchange = Exchange("x", None, "stop", Usage(10, 101, None, 0), Timing(0.25, None, 1.25, 1.5, 101))
    assert dict(completion_properties(Completion("e", "zmq", 2, {}, "", exchange))) == {
        "transcript": "completions/e/zmq-s2.json",
        "finish_reason": "stop",
        "tok_s": 100.0,
        "ttft_s": 0.25,
        "e2e_s": 1.5,
        "prompt_tokens": 10,
        "completion_tokens": 101,
        "cached_tokens": 0,
    }


def test_a_failed_completion_has_a_transcript_and_no_figures() -> None:
    failed = Completion("e", "zmq", 1, {}, "", None, "refused")
    assert completion_properties(failed) == (("transcript", "completions/e/zmq-s1.json"),)
