"""Whatever a model writes, extraction ends soon, and ends in files or in the model's fault."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.answers import Extraction, extract_files, split_reasoning
from pytest_llmbench.answers.names import refusal
from pytest_llmbench.errors import AnswerFault
from tests.answers.program import DIFF, EDIT, FIXED, ONE, PUMP_DIFF, TANK, TWO, fence

SCRAPS = (
    *("```", "````", "~~~", "```python tank.py", "```diff", "``` ", "`", "'''", '"""', "'", '"', "#", "\\"),
    *(
        "<think>",
        "</think>",
        "[THINK]",
        "<|channel|>analysis<|message|>",
        "cat > tank.py <<'EOF'",
        "EOF",
        "<<",
        "tee x <<A",
    ),
    *(
        "--- a/tank.py",
        "+++ b/tank.py",
        "@@",
        "@@ -1,2 +3,4 @@",
        "+x",
        "-x",
        " x",
        "\\ No newline",
        "*** Add File: x.py",
    ),
    *(
        "<<<<<<< SEARCH",
        "=======",
        ">>>>>>> REPLACE",
        '<file path="tank.py">',
        "</file>",
        "<path>x.py</path>",
        "<content>",
    ),
    *(
        "=== tank.py ===",
        "### tank.py",
        "# tank.py",
        "**pump.py**:",
        "{",
        "}",
        '{"files": {"x.py": "1"}}',
        "def fill():",
    ),
    *(
        "class Tank:",
        "    ...",
        "# ...",
        "\r",
        "\x00",
        "\u202e",
        "\ud800",
        "",
        " ",
        "../x.py",
        "import tank",
        TANK,
        DIFF,
    ),
)
PAGES = st.lists(st.one_of(st.sampled_from(SCRAPS), st.text(max_size=12)), max_size=40).map("\n".join)


def outcome(answer: str, program: dict[str, str]) -> Extraction | None:
    try:
        return extract_files(split_reasoning(answer).answer, program, tuple(program))
    except AnswerFault:
        return None


@settings(max_examples=400)
@given(PAGES, st.sampled_from([ONE, TWO, {}, {"run.sh": "#!/bin/sh\necho 1\n"}]))
def test_any_text(page: str, program: dict[str, str]) -> None:
    found = outcome(page, program)
    if found is None:
        return
    assert found.returned
    assert all(refusal(path) is None for path in found.returned)
    assert set(found.files) - set(program) <= set(found.returned)
    for text in found.files.values():
        text.encode()
    for line in found.refused:
        assert line.isprintable()


@settings(max_examples=100)
@given(st.text(max_size=200).filter(lambda text: "```" not in text and "~~~" not in text and "\r" not in text))
def test_any_text_in_a_labelled_fence_comes_back(text: str) -> None:
    body = text.replace("\ud800", "") + "\n"
    try:
        body.encode()
    except UnicodeEncodeError:
        return
    if not body.strip():
        return
    found = outcome(fence(body, "text new.txt"), ONE)
    assert found is not None
    if "<<" not in body and not body.startswith(("--- ", "diff ")):
        assert found.files["new.txt"] == body


FLOOD_BYTES = 2**19
FLOODS = {
    "fences": "```\n",
    "labelled_fences": "```python tank.py\nx\n```\n",
    "open_strings": '```python\n"""\n```\n',
    "longer_and_longer": "".join("`" * length + "\n" for length in range(3, 1500)),
    "think": "<think></think>",
    "think_in_fence": "<think>```\n</think>",
    "closing_only": "`</think>`",
    "heredocs": "cat > a.sh <<'EOF'\nx\nEOF\n",
    "unended_heredocs": "cat > a.sh <<'EOF'\n",
    "diffs": DIFF,
    "hunks": "--- a/tank.py\n+++ b/tank.py\n" + "@@\n-x\n+y\n" * 100,
    "pump_diffs": PUMP_DIFF,
    "edits": "tank.py\n" + EDIT,
    "open_edits": "<<<<<<< SEARCH\n",
    "tags": '<file path="a.py">\n',
    "tags_of_all_cases": '<file path="a.py">\n<FILE path="a.py">\n<fIle path="a.py">\n</File>\n',
    "sections": "=== a.py ===\n",
    "spaces": " ",
    "newlines": "\n",
    "quotes": "'\"",
    "backslashes": "\\",
    "braces": "{",
    "dots": "./",
    "lists": "- ",
    "one_long_info": "```" + "a=" * 2**20,
    "one_long_label": "```python " + "./" * 2**20 + "x.py\nx\n```\n",
    "parentheses": "```python tank.py\n" + "(" * 2**20,
    "angles": "<a " * 10,
    "equals": "=" * 100,
    "whole_programs": fence(FIXED, "python tank.py"),
    "unlabelled_programs": fence(FIXED),
    "json": '{"a.py": "',
    "big_then_edits": fence("a \n" * 200_000, "python tank.py")
    + "tank.py\n<<<<<<< SEARCH\nb\n=======\na\n>>>>>>> REPLACE\n" * 900,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_ends_soon(flood: str) -> None:
    answer = (flood * (FLOOD_BYTES // len(flood) + 1))[: max(FLOOD_BYTES, len(flood))]
    began = time.process_time()
    outcome(answer, TWO)
    assert time.process_time() - began < 15  # a linear reader needs one or two, a quadratic one minutes
