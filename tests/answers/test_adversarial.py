"""Answers that are made to confuse, or that contain what looks like a form but is none."""

from __future__ import annotations

import json

import pytest

from pytest_llmbench.answers import extract_files
from pytest_llmbench.answers.names import refusal
from pytest_llmbench.errors import AnswerFault
from tests.answers.program import DIFF, EDIT, FIXED, ONE, TANK, TWO, fence

HOSTILE = (
    "../tank.py",
    "a/../../tank.py",
    "/etc/cron.d/x.sh",
    "/tank.py",
    "~/.bashrc.sh",
    "~root/x.py",
    "C:\\tank.py",
    "..\\tank.py",
    "a//tank.py",
    "a/./tank.py",
    ".git/config.ini",
    "x/.GIT/hooks/run.sh",
    "tank\u202eyp.py",
    "tank\u200b.py",
    "ta\u2066nk\u2069.py",
    "ta\u00adnk.py",
    "tank\ufe0f.py",
    "\ufefftank.py",
    "tank\u3164.py",
    "tank\x00.py",
    "tank\x1b[2J.py",
    "tank\x7f.py",
    "tank\ud800.py",
    "x" * 253 + ".py",
    "d/" * 600 + "x.py",
    "$HOME/x.py",
    "$(id)/x.py",
)


def extract(answer: str, program: dict[str, str] | None = None) -> dict[str, str]:
    return extract_files(answer, ONE if program is None else program, tuple(ONE if program is None else program)).files


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_name_is_refused_by_every_form(name: str) -> None:
    answers = [
        fence("x = 1\n", f'python title="{name}"'),
        json.dumps({"files": {name: "x = 1\n"}}),
        f'<file path="{name}">\nx = 1\n</file>\n',
        fence(f"cat > '{name}' <<'EOF'\nx = 1\nEOF\n", "bash"),
        f"--- /dev/null\n+++ {name}\n@@ -0,0 +1 @@\n+x = 1\n",
        f"### `{name}`\n" + fence("x = 1\n"),
        fence(f"# {name}\nx = 1\n"),
    ]
    for answer in answers:
        found = (
            extract_files(answer + "\n" + fence(FIXED, "python tank.py"), ONE, ("tank.py",))
            if answer[0] != "{"
            else None
        )
        assert found is None or found.files == {"tank.py": FIXED}, answer
    with pytest.raises(AnswerFault, match="returns no file") as fault:
        extract_files(answers[1], ONE, ("tank.py",))
    assert str(fault.value).isascii()
    assert str(fault.value).isprintable()


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_refusal_says_why(name: str) -> None:
    assert refusal(name)


@pytest.mark.parametrize("name", ["", " ", "a/", "a/ /b", " a.py", "a.py ", ".", "..", "é" * 128 + ".py"])
def test_further_refusals(name: str) -> None:
    assert refusal(name)


@pytest.mark.parametrize(
    "name", ["a.py", "a b.py", "数据.py", "é.py", ".gitignore", ".github/x.yml", "h-run.sh", "a/b/c", "..a"]
)
def test_safe_names_are_not_refused(name: str) -> None:
    assert refusal(name) is None


def test_refused_names_are_recorded_beside_a_good_file() -> None:
    found = extract_files(fence("x\n", "python ../x.py") + fence(FIXED, "python tank.py"), ONE, ("tank.py",))
    assert found.returned == ("tank.py",)
    assert found.refused == ("'../x.py': a part that is '.', '..' or '.git'",)


def test_only_hostile_names_is_the_models_fault() -> None:
    with pytest.raises(AnswerFault, match=r"refused: '/tank\.py': an absolute path") as fault:
        extract(fence(FIXED, "python /tank.py"))
    assert fault.value.outcome == "wrong"


def test_too_many_files_and_too_long_ones() -> None:
    many = json.dumps({f"f{number}.py": "x\n" for number in range(70)})
    found = extract_files(many, ONE, ("tank.py",))
    assert len(found.returned) == 64
    assert len(found.refused) == 6
    with pytest.raises(AnswerFault, match="at most 1048576"):
        extract(fence("#" * 2**20 + "\n", "python new.py"))


def test_file_and_directory_of_one_name() -> None:
    found = extract_files(fence("x\n", "python tank.py/x.py") + fence(FIXED, "python tank.py"), ONE, ("tank.py",))
    assert found.files == {"tank.py": FIXED}
    assert "same name" in found.refused[0]


def test_text_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(AnswerFault, match="surrogate"):
        extract(json.dumps({"new.py": "x = '\ud800'\n"}))


def test_two_prefixes_do_not_both_become_the_same_file() -> None:
    found = extract(fence("a = 1\n", "python old/tank.py") + fence("b = 1\n", "python new/tank.py"))
    assert found == {"tank.py": TANK, "old/tank.py": "a = 1\n", "new/tank.py": "b = 1\n"}


def test_prefixed_name_stays_when_the_plain_one_is_there_too() -> None:
    found = extract(fence("a = 1\n", "python backup/tank.py") + fence(FIXED, "python tank.py"))
    assert found == {"tank.py": FIXED, "backup/tank.py": "a = 1\n"}


DOCSTRING_FENCE = FIXED.replace("display.\n", "display.\n\n```\nreport(Tank(3))\n```\n")
LANGUAGE_FENCE = FIXED.replace("display.\n", "display.\n\n    ```python\n    report(Tank(3))\n    ```\n")
STRING_FENCE = FIXED + "\nMARK = '''\n```\n'''\nTEXT = \"\"\"it's\n~~~~\n```bash\nx\n```\n\"\"\"  # it's\n"


@pytest.mark.parametrize(
    "text", [DOCSTRING_FENCE, LANGUAGE_FENCE, STRING_FENCE], ids=["docstring", "language", "string"]
)
@pytest.mark.parametrize("mark", ["```", "````", "~~~"])
@pytest.mark.parametrize("info", ["python tank.py", "python", ""])
def test_fence_inside_the_programs_strings(text: str, mark: str, info: str) -> None:
    if info == "" and mark == "~~~" and text is STRING_FENCE:
        text = text.replace("~~~~", "---")
    answer = "Here:\n\n" + fence(text, info, mark) + "\nUsage:\n\n" + fence("python tank.py\n", "bash")
    assert extract(answer) == {"tank.py": text}


def test_unbalanced_string_in_one_block_does_not_swallow_the_next() -> None:
    answer = 'The docstring was `"""`:\n\n' + fence('"""Level\n') + "\nWhole file:\n\n" + fence(FIXED, "python tank.py")
    assert extract(answer) == {"tank.py": FIXED}


def test_think_tag_and_merge_marks_inside_a_program_stay() -> None:
    text = FIXED + 'TAGS = ("<think>", "</think>", "<file path=\'x.py\'>")\n'
    assert extract(fence(text, "python tank.py")) == {"tank.py": text}


def test_diff_inside_a_string_of_the_program_is_no_diff() -> None:
    text = FIXED + f"EXAMPLE = '''\n{DIFF}'''\n"
    assert extract(fence(text, "python tank.py")) == {"tank.py": text}


def test_heredoc_inside_a_wanted_script_is_part_of_it() -> None:
    script = "#!/bin/sh\ncat > out.txt <<'EOF'\nhi\nEOF\n"
    assert extract(fence(script, "bash run.sh"), {"run.sh": "#!/bin/sh\n"}) == {"run.sh": script}
    assert extract(fence(script, "bash"), {"run.sh": "#!/bin/sh\n"}) == {"run.sh": script}


def test_a_section_comment_inside_a_file_does_not_split_it() -> None:
    text = FIXED + "\n# === other.py ===\nX = 1\n"
    assert extract(fence(text, "python tank.py")) == {"tank.py": text}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("I am sorry, I cannot help with that.", "found: no fenced code block; a file is taken"),
        ("There is no fault in tank.py. It is thread-safe.", "found: no fenced code block; a file is taken"),
        ("lock thread race mutex tank.py deadlock", "found: no fenced code block; a file is taken"),
        ("", "found: no fenced code block; a file is taken"),
        (fence("pip install rain\npython tank.py\n", "bash"), "'bash'"),
        ("Output:\n" + fence("20 of 800\n", "text"), "'text'"),
        ("Output:\n" + fence("20 of 800\n", ""), "'no language'"),
        (fence("from tank import Tank\n\nprint(Tank(3).draw(1))\n"), "only a fragment: it imports 'tank' itself"),
        (fence("    def fill(self, litres):\n        pass\n", "python tank.py"), "only a fragment"),
        (
            fence(
                "class Tank:\n    # ... existing code ...\n    def fill(self, litres):\n        pass\n",
                "python tank.py",
            ),
            r"only a fragment: code is left out at '# \.\.\. existing code \.\.\.'",
        ),
        (fence("class Tank:\n    def __init__(self):\n        self._lock = threading.Lock()\n"), "uses threading"),
        (fence("class Tank:\n    pass\n\n...\n"), "only a fragment"),
        (fence("class Tank:\n    pass\n\n# 其余代码不变\n"), "only a fragment"),
    ],
)
def test_no_file(answer: str, says: str) -> None:
    with pytest.raises(AnswerFault, match=says) as fault:
        extract(answer)
    assert "wanted: 'tank.py'" in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (fence(DIFF.replace("def fill", "def pour"), "diff"), "hunk 1 of 1: the 8 lines to be changed, .* not found"),
        (fence(EDIT.replace("%s", "%d"), "python tank.py"), "not found"),
        (fence(DIFF.replace("tank.py", "well.py"), "diff"), "'well.py', which is not in the program: 'tank.py'"),
        ("tank.py\n<<<<<<< SEARCH\n\n=======\n\n=======\nx\n>>>>>>> REPLACE\n", "empty search part"),
        ("tank.py\n<<<<<<< SEARCH\n\nclass Nowhere:\n=======\nx\n>>>>>>> REPLACE\n", "not found"),
        ("tank.py\n<<<<<<< SEARCH\n        self.level = level\n=======\nx\n>>>>>>> REPLACE\n" * 2, "not found"),
    ],
)
def test_change_that_does_not_apply(answer: str, says: str) -> None:
    with pytest.raises(AnswerFault, match=says):
        extract(answer)


def test_edit_that_fits_twice_is_refused() -> None:
    with pytest.raises(AnswerFault, match="found more than once"):
        extract(
            "tank.py\n<<<<<<< SEARCH\n    tank\n=======\n    tub\n>>>>>>> REPLACE\n",
            {"tank.py": "    tank\n    tank\n"},
        )


def test_unlabelled_block_that_could_be_two_files_is_none() -> None:
    twins = {"a.py": "def run():\n    return 1\n", "b.py": "def run():\n    return 2\n"}
    with pytest.raises(AnswerFault, match="returns no file"):
        extract(fence("def run():\n    return 3\n"), twins)


def test_excerpt_of_one_file_does_not_spoil_another_whole_one() -> None:
    excerpt = "class Pump:\n    # ...\n    def run(self):\n        return 1\n"
    found = extract_files(fence(FIXED, "python tank.py") + fence(excerpt, "python pump.py"), TWO, tuple(TWO))
    assert found.files == {**TWO, "tank.py": FIXED}
    assert found.returned == ("tank.py",)


def test_a_class_of_the_standard_library_in_a_heading_is_no_file() -> None:
    assert extract("### `threading.Lock`\n\n" + fence(FIXED)) == {"tank.py": FIXED}


def test_stubs_and_documented_dots_are_no_elision() -> None:
    text = FIXED.replace(
        "class Tank:", "class Roof:\n    def area(self):\n        ...\n\n    # {\n    #   ...\n    # }\n\n\nclass Tank:"
    )
    assert extract(fence(text)) == {"tank.py": text}


def test_original_marks_are_no_elision() -> None:
    original = TANK + "\n# ... the rest is in pump.py ...\n"
    text = FIXED.replace("main()", "run()") + "\n# ... the rest is in pump.py ...\n"
    assert extract(fence(text, "python tank.py"), {"tank.py": original}) == {"tank.py": text}


def test_file_deleted_by_a_diff() -> None:
    found = extract_files("--- a/pump.py\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n", TWO, tuple(TWO))
    assert found.files == ONE
    assert found.returned == ("pump.py",)


@pytest.mark.parametrize(
    "thin",
    ["from pump import Tank\n", "#!/usr/bin/env python3\nimport pump\n\npump.run()\n"],
    ids=["imports the old names", "is a script"],
)
def test_a_file_whose_code_moved_into_another_one_is_whole(thin: str) -> None:
    found = extract(fence(thin, "python tank.py") + fence(FIXED + "\ndef run():\n    pass\n", "python pump.py"))
    assert found["tank.py"] == thin
