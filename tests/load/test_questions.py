"""Request bodies: unique, as long as wanted, in the words that the server takes."""

from __future__ import annotations

import pytest

from pytest_llmbench.load.questions import DIALECTS, Length, Questions
from pytest_llmbench.model.endpoint import Endpoint, Sampling
from pytest_llmbench.speed.lengths import Calibration
from pytest_llmbench.speed.workloads import CACHED_PREFIX, SHAPES, SINGLE_STREAM, Shape

ENDPOINT = Endpoint(name="new", url="http://127.0.0.1:1/v1", model="m", sampling=Sampling(temperature=0.7, top_p=0.9))


@pytest.fixture
def questions() -> Questions:
    return Questions(ENDPOINT, "seed", DIALECTS[0])


def test_no_two_prompts_begin_alike(questions: Questions) -> None:
    begins = {questions.body(SINGLE_STREAM)[0]["messages"][0]["content"][:12] for _ in range(50)}
    assert len(begins) == 50


def test_another_run_asks_other_things() -> None:
    first, second = (Questions(ENDPOINT, seed, DIALECTS[0]).body(SINGLE_STREAM)[0] for seed in ("a", "b"))
    assert first["messages"] != second["messages"]


def test_the_length_follows_the_calibration_and_then_its_correction(questions: Questions) -> None:
    questions.calibrations[Shape.PLAIN, "prose"] = Calibration(chars_per_token=5.0, fixed_tokens=12.0)
    assert questions.body(SINGLE_STREAM)[1] == pytest.approx(500 * 5, abs=20)
    questions.corrections[Length(Shape.PLAIN, "prose", 512)] = Calibration(chars_per_token=6.0, fixed_tokens=12.0)
    assert questions.body(SINGLE_STREAM)[1] == pytest.approx(500 * 6, abs=20)


def test_a_shared_prefix_is_the_same_in_all_and_the_rest_in_none(questions: Questions) -> None:
    first, second = (questions.body(CACHED_PREFIX)[0]["messages"][0]["content"] for _ in range(2))
    shared = next(place for place, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1])
    assert shared == pytest.approx(4 * CACHED_PREFIX.depth_tokens, rel=0.02)


def test_an_agent_brings_tools_and_their_results(questions: Questions) -> None:
    body, chars = questions.body(SHAPES["agentic"])
    assert {tool["type"] for tool in body["tools"]} == {"function"}
    assert body["messages"][-1]["role"] == "tool"
    assert chars == pytest.approx(4 * 2048, rel=0.05)


def test_sampling_is_the_endpoints_own(questions: Questions) -> None:
    body, _ = questions.body(SINGLE_STREAM)
    assert (body["temperature"], body["top_p"], body["model"], body["stream"]) == (0.7, 0.9, "m", True)
    assert (body["max_tokens"], body["min_tokens"], body["ignore_eos"]) == (256, 256, True)


def test_the_plainest_dialect_has_nothing_that_a_strict_server_refuses() -> None:
    body, _ = Questions(ENDPOINT, "seed", DIALECTS[-1]).body(SINGLE_STREAM)
    assert set(body) == {"model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens"}
    assert body["stream_options"] == {"include_usage": True}
