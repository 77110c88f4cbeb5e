from __future__ import annotations

import pytest

from pytest_llmbench.answers import SplitAnswer, split_reasoning

TAGS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<reasoning>", "</reasoning>"),
    ("<Think>", "</THINK>"),
]
PROGRAM = "```python\nTAG = '<think>'\nEND = '''\n</think>\n'''\n```\n"


@pytest.mark.parametrize(("opening", "closing"), TAGS)
def test_each_tag(opening: str, closing: str) -> None:
    assert split_reasoning(f"{opening}hm{closing}yes") == SplitAnswer("hm", "yes")
    assert split_reasoning(f"\r\n  {opening}\r\nhm\r\n{closing}\r\n\r\nyes\r\n") == SplitAnswer("hm", "yes\r\n")
    assert split_reasoning(f"{opening}\n\n{closing}\n\nyes") == SplitAnswer(None, "yes")
    assert split_reasoning(f"{opening}hm, and so") == SplitAnswer("hm, and so", "", closed=False)
    assert split_reasoning(f"hm\n{closing}\n\nyes") == SplitAnswer("hm", "yes")
    assert split_reasoning(f"{opening}a{closing}\n{opening}b{closing}\nyes") == SplitAnswer("a\n\nb", "yes")


def test_second_block_unclosed() -> None:
    assert split_reasoning("<think>a</think><think>b") == SplitAnswer("a\n\nb", "", closed=False)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "yes\n",
        "  indented\n",
        PROGRAM,
        "It removes `<think>` up to `</think>`.\n",
        "The text <think>x</think> in the middle stays.\n",
        "Steps:\n\n~~~\n</think>\n~~~\n",
        "<b>bold</b>",
        "<thinker>no</thinker>",
    ],
)
def test_answer_without_reasoning_is_untouched(answer: str) -> None:
    assert split_reasoning(answer) == SplitAnswer(None, answer)


def test_tags_in_the_program_after_reasoning_stay() -> None:
    assert split_reasoning("<think>hm</think>\n" + PROGRAM) == SplitAnswer("hm", PROGRAM)
    assert split_reasoning("hm</think>\n" + PROGRAM) == SplitAnswer("hm", PROGRAM)


def test_closing_tag_in_drafted_code_does_not_end_the_reasoning() -> None:
    draft = "Maybe\n```python\nEND = '</think>'\n```\nor `</think>`?"
    assert split_reasoning(f"<think>\n{draft}\n</think>\nyes") == SplitAnswer(draft, "yes")
    assert split_reasoning(f"{draft}\n</think>\nyes") == SplitAnswer(draft, "yes")


def test_unclosed_fence_in_the_reasoning_does_not_hide_its_end() -> None:
    assert split_reasoning("<think>\n```python\nx = 1\n</think>\nyes") == SplitAnswer("```python\nx = 1", "yes")


def test_harmony_channels() -> None:
    content = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>"
    assert split_reasoning(content) == SplitAnswer("hm", "yes")
    assert split_reasoning("<|channel|>analysis<|message|>hm") == SplitAnswer("hm", "", closed=False)
