from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_llmbench.speed.agentic import Conversation, conversation
from pytest_llmbench.speed.degenerate import repetition
from tests.speed.test_prompts import shared_chars


@pytest.mark.parametrize("turns", [0, 1, 6])
def test_turns_are_calls_and_their_results(turns: int) -> None:
    found = conversation("seed", 4, turns, 2_000)
    roles = [message["role"] for message in found.messages]
    assert roles == ["system", "user", *(["assistant", "tool"] * turns)]
    names = {tool["function"]["name"] for tool in found.tools}
    for call, result in zip(found.messages[2::2], found.messages[3::2], strict=True):
        (made,) = call["tool_calls"]
        assert made["id"] == result["tool_call_id"]
        assert made["function"]["name"] in names
        assert set(json.loads(made["function"]["arguments"])) == {"path"}
        assert len(result["content"]) == pytest.approx(2_000, abs=25)
        assert not repetition(result["content"]).degenerate
    assert len({result["content"] for result in found.messages[3::2]}) == turns


def test_tools_are_as_the_api_wants_them() -> None:
    for tool in conversation("seed", 4, 1, 100).tools:
        parameters: Any = tool["function"]["parameters"]
        assert tool["type"] == "function"
        assert tool["function"]["description"]
        assert parameters["required"] == list(parameters["properties"])


def test_no_two_begin_alike_whatever_a_template_puts_first() -> None:
    one, other = conversation("seed", 4, 1, 100), conversation("seed", 5, 1, 100)
    assert shared_chars(one.messages[0]["content"], other.messages[0]["content"]) < 8
    assert one.tools[0]["function"]["name"] != other.tools[0]["function"]["name"]


def test_it_is_json_and_its_length_is_known() -> None:
    found = conversation("seed", 4, 3, 500)
    assert json.loads(json.dumps(found.messages)) == list(found.messages)
    assert found == conversation("seed", 4, 3, 500)
    assert found.chars > 3 * 500
    assert Conversation((), ()).chars == len("[[], []]")
