"""Answers in the voices of many models, each with the exact files that it returns."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from pytest_llmbench.answers import extract_files, split_reasoning
from tests.answers.program import (
    DIFF,
    EDIT,
    FIXED,
    ONE,
    PUMP,
    PUMP_DIFF,
    PUMP_FIXED,
    TANK,
    TWO,
    fence,
)

NOTES = "# Notes\n\n```sh\npython tank.py\n```\n\nThat is all.\n"
BOTH = {"tank.py": FIXED, "pump.py": PUMP_FIXED}
FIXED_ONE = {"tank.py": FIXED}


@dataclass(frozen=True, slots=True)
class Voice:
    name: str
    answer: str
    changed: dict[str, str]
    program: dict[str, str] = field(default_factory=lambda: ONE)
    wanted: tuple[str, ...] = ()


def indented(text: str, by: str = "   ") -> str:
    return "".join(by + line if line.strip() else line for line in text.splitlines(keepends=True))


EXCERPT = "def fill(self, litres):\n    with self._lock:\n        self.level += litres\n"
ELIDED = (
    '"""Level of a rain tank in litres."""\n\n# ... imports unchanged ...\n\n\nclass Tank:\n'
    "    # ... existing code ...\n\n    def fill(self, litres):\n        with self._lock:\n"
    "            self.level += litres\n\n    # ... rest of the class unchanged ...\n"
)
USAGE = (
    "## Try it\n\n```bash\npip install pytest\npython tank.py\n```\n\nYou should see:\n\n```\n20 of 800\n```\n\n"
    "And from your own code:\n\n```python\nfrom tank import Tank\n\ntank = Tank(5)\nprint(tank.draw(3))\n```\n"
)
HEREDOCS = (
    "#!/bin/bash\nset -e\nmkdir -p garden && cd garden\n"
    f"cat > tank.py <<'EOF'\n{FIXED}EOF\n\ncat <<\"PUMP_END\" > ./pump.py\n{PUMP_FIXED}PUMP_END\n"
    "chmod +x tank.py\necho done\n"
)

LABELS = {
    "info_path_after_language": fence(FIXED, "python tank.py"),
    "info_path_only": fence(FIXED, "tank.py"),
    "info_colon": fence(FIXED, "python:tank.py"),
    "info_title": fence(FIXED, 'python title="tank.py"'),
    "info_file": fence(FIXED, "py file=tank.py"),
    "info_filename_single_quotes": fence(FIXED, "python filename='tank.py' linenums=1"),
    "info_pandoc": fence(FIXED, '{.python file="tank.py"}'),
    "info_backticks_in_tildes": fence(FIXED, "python `tank.py`", "~~~"),
    "info_parentheses": fence(FIXED, "python (tank.py)"),
    "info_leading_dot": fence(FIXED, "python ./tank.py"),
    "info_project_directory": fence(FIXED, "python rain/src/tank.py"),
    "heading": "### tank.py\n\n" + fence(FIXED),
    "heading_numbered": "## 1. `tank.py`\n" + fence(FIXED),
    "heading_with_emoji": "#### 📄 `tank.py` (updated)\n\n" + fence(FIXED),
    "bold": "**tank.py**\n" + fence(FIXED),
    "bold_colon": "**`tank.py`:**\n\n" + fence(FIXED),
    "backticks_colon": "`tank.py`:\n\n" + fence(FIXED),
    "file_colon": "File: tank.py\n" + fence(FIXED),
    "filename_bold": "**Filename:** `tank.py`\n\n" + fence(FIXED),
    "sentence": "Here is the whole corrected `tank.py`, ready to be dropped in:\n\n" + fence(FIXED),
    "heading_then_sentence": "### tank.py\n\nThe lock is now taken everywhere:\n\n" + fence(FIXED),
    "chinese": "下面是修改后的tank.py,请直接替换:\n\n" + fence(FIXED),
    "chinese_title": "文件:`tank.py`\n\n" + fence(FIXED),
    "list_item": "1. Replace `tank.py` with this:\n\n" + indented(fence(FIXED)) + "\n2. Run it.\n",
    "fence_in_list_item": "- ```python tank.py\n" + indented(FIXED, "  ") + "  ```\n",
    "unclosed": "Sure!\n\n```python tank.py\n" + FIXED,
    "longer_fence": fence(FIXED, "python tank.py", "`````"),
    "nested_in_markdown": fence("# Answer\n\n" + fence(FIXED, "python tank.py"), "markdown", "````"),
    "nested_in_markdown_same_length": fence("# Answer\n\n" + fence(FIXED, "python tank.py") + "\nDone.\n", "markdown"),
    "equals_line": "=== tank.py ===\n" + FIXED,
    "dashes_line_and_fence": "--- tank.py ---\n" + fence(FIXED),
    "xml": f'Done.\n\n<file path="tank.py">\n{FIXED}</file>\n\nGood luck!\n',
    "xml_with_fence": f'<file name="tank.py">\n{fence(FIXED)}</file>\n',
    "xml_in_fence": fence(f'<file path="tank.py">\n{FIXED}</file>\n', "xml"),
    "xml_path_and_content": f"<write_to_file>\n<path>tank.py</path>\n<content>\n{FIXED}</content>\n</write_to_file>\n",
    "xml_cdata": f'<file path="tank.py"><![CDATA[\n{FIXED}]]>\n</file>\n',
    "json_files": json.dumps({"files": {"tank.py": FIXED}}),
    "json_paths_in_fence": "Result:\n\n" + fence(json.dumps({"tank.py": FIXED}, indent=1) + "\n", "json"),
    "json_list": fence(json.dumps({"files": [{"path": "tank.py", "content": FIXED}]}) + "\n", "json"),
    "no_label": "I added the missing lock.\n\n" + fence(FIXED),
    "no_label_no_language": fence(FIXED, ""),
    "no_label_and_usage": "The lock was missing.\n\n" + fence(FIXED) + "\n" + USAGE,
    "label_and_usage": fence(FIXED, "python tank.py") + "\n" + USAGE,
    "usage_names_the_file": fence(FIXED, "python tank.py") + "\n### Usage of `tank.py`\n\n" + USAGE,
    "nothing_but_the_program": FIXED,
    "excerpt_first": f"In `tank.py` the fault is here:\n\n{fence(EXCERPT)}\nThe whole file:\n\n{fence(FIXED)}",
    "excerpt_last": f"{fence(FIXED, 'python tank.py')}\nThe change in `tank.py` once more:\n\n{fence(EXCERPT)}",
    "elided_last": fence(FIXED, "python tank.py") + "\nIn short:\n\n" + fence(ELIDED, "python tank.py"),
    "several_attempts": fence(TANK.replace("800", "900"), "python tank.py")
    + "\nWait, that is wrong: the lock is still missing. Final version:\n\n"
    + fence(FIXED, "python tank.py"),
    "original_for_comparison": fence(FIXED, "python tank.py") + "\nThe original `tank.py` was:\n\n" + fence(TANK),
    "prompt_quoted_first": "> fix it\n\n"
    + fence(TANK, "python tank.py")
    + "\n---\n\n"
    + fence(FIXED, "python tank.py"),
    "diff_then_whole": fence(DIFF, "diff") + "\nFull file:\n\n" + fence(FIXED, "python tank.py"),
    "whole_then_diff": fence(FIXED, "python tank.py") + "\nWhat changed:\n\n" + fence(DIFF, "diff"),
    "whole_then_sloppy_diff": fence(FIXED, "python tank.py") + "\nIn short:\n\n```diff\n- no lock\n+ a lock\n```\n",
    "diff_fence": "Apply this:\n\n" + fence(DIFF, "diff"),
    "diff_patch_fence": fence("diff --git a/tank.py b/tank.py\nindex 12..34 100644\n" + DIFF, "patch"),
    "diff_unlabelled_fence": fence(DIFF, ""),
    "diff_bare": "This patch adds the lock.\n\n" + DIFF + "\nIt is small.\n",
    "diff_wrong_counts": fence(DIFF.replace("-17,8 +17,8", "-3,99 +4,1"), "diff"),
    "diff_without_numbers": fence(DIFF.replace("@@ -17,8 +17,8 @@", "@@ ... @@"), "diff"),
    "diff_without_headers": fence("".join(DIFF.splitlines(keepends=True)[2:]), "diff tank.py"),
    "diff_without_any_header": fence("".join(DIFF.splitlines(keepends=True)[3:]), "diff"),
    "diff_trailing_blanks": fence(DIFF.replace("litres):\n", "litres):   \n").replace("\n \n", "\n\n"), "diff"),
    "diff_agent": "*** Begin Patch\n*** Update File: tank.py\n"
    + "".join(DIFF.splitlines(keepends=True)[2:]).replace("@@ -17,8 +17,8 @@", "@@ class Tank:")
    + "*** End Patch\n",
    "edit_path_in_info": fence(EDIT, "python tank.py"),
    "edit_path_above": "tank.py\n" + fence(EDIT),
    "edit_path_inside": fence("tank.py\n" + EDIT, ""),
    "edit_no_path": "Change this:\n\n" + fence(EDIT),
    "edit_bare": "tank.py\n" + EDIT,
    "heredoc_in_fence": fence("".join(HEREDOCS.partition("\ncat <<")[0]), "bash"),
    "heredoc_unquoted": fence("cat <<EOF > tank.py\n" + FIXED + "EOF\n", "bash"),
    "heredoc_tee": fence("tee tank.py >/dev/null <<'END'\n" + FIXED + "END\n", "sh"),
    "heredoc_bare": "cat > tank.py << 'EOF'\n" + FIXED + "EOF\n",
}

COMMENTS = {
    "hash": "# tank.py\n",
    "hash_file": "# file: tank.py\n",
    "hash_filename": "# Filename: `tank.py`\n",
    "hash_remark": "# tank.py - with the lock\n",
    "hash_parentheses": "# tank.py (fixed)\n",
    "hash_rule": "# === tank.py ===\n",
    "shebang": "#!/usr/bin/env python3\n# ./tank.py\n",
}

VOICES = [
    *(Voice(name, answer, FIXED_ONE) for name, answer in LABELS.items()),
    *(
        Voice(f"comment_{name}", fence(comment + FIXED), {"tank.py": comment + FIXED}, TWO)
        for name, comment in COMMENTS.items()
        if name != "hash_rule"
    ),
    Voice("comment_hash_rule", fence(COMMENTS["hash_rule"] + FIXED), {"tank.py": COMMENTS["hash_rule"] + FIXED}, TWO),
    Voice(
        "comment_foreign_to_the_language",
        fence("// tank.py\n" + FIXED) + fence("<!-- pump.py -->\n" + PUMP_FIXED),
        BOTH,
        TWO,
    ),
    Voice(
        "comment_before_shebang",
        fence("# run.sh\n#!/bin/bash\nexec python tank.py\n", "bash"),
        {"run.sh": "#!/bin/bash\nexec python tank.py\n"},
    ),
    Voice(
        "shebang_then_comment",
        fence("#!/bin/bash\n# run.sh\nexec python tank.py\n", "bash"),
        {"run.sh": "#!/bin/bash\n# run.sh\nexec python tank.py\n"},
    ),
    Voice("two_unlabelled", "Both files:\n\n" + fence(PUMP_FIXED) + "\n" + fence(FIXED) + "\n" + USAGE, BOTH, TWO),
    Voice("two_headings", f"### `pump.py`\n{fence(PUMP_FIXED)}\n### `tank.py`\n{fence(FIXED)}", BOTH, TWO),
    Voice("first_block_unclosed", "```python tank.py\n" + FIXED + fence(PUMP_FIXED, "python pump.py"), BOTH, TWO),
    Voice("two_sections", f"=== tank.py ===\n{FIXED}\n=== pump.py ===\n{PUMP_FIXED}", BOTH, TWO),
    Voice(
        "two_sections_in_fence",
        fence(f"=== FILE: tank.py ===\n{FIXED}\n=== FILE: pump.py ===\n{PUMP_FIXED}", ""),
        BOTH,
        TWO,
    ),
    Voice("two_tags", f'<file path="pump.py">\n{PUMP_FIXED}</file>\n<file path="tank.py">\n{FIXED}</file>', BOTH, TWO),
    Voice("two_heredocs", "Run this script:\n\n" + fence(HEREDOCS, "bash") + "\nThen test it.\n", BOTH, TWO),
    Voice("two_heredocs_bare", HEREDOCS, BOTH, TWO),
    Voice("two_diffs_in_one", fence(DIFF + PUMP_DIFF, "diff"), BOTH, TWO),
    Voice("two_diffs_bare", DIFF + "\n" + PUMP_DIFF, BOTH, TWO),
    Voice("edit_of_one_of_two", fence(EDIT), FIXED_ONE, TWO),
    Voice(
        "edits_of_two",
        "tank.py\n"
        + EDIT
        + "\npump.py\n<<<<<<< SEARCH\n        self.runs += 1\n=======\n        self.runs += 1 if self.tank.level else 0\n"
        + ">>>>>>> REPLACE\n",
        BOTH,
        TWO,
    ),
    Voice(
        "whole_then_edit",
        fence(PUMP.replace("draw(5)", "draw(6)"), "python pump.py") + "\nOne more thing:\n\npump.py\n"
        "<<<<<<< SEARCH\n        return self.tank.draw(6)\n=======\n        return self.tank.draw(7)\n>>>>>>> REPLACE\n",
        {"pump.py": PUMP.replace("draw(5)", "draw(7)")},
        TWO,
    ),
    Voice(
        "new_file_by_diff",
        fence("--- /dev/null\n+++ b/valve.py\n@@ -0,0 +1,2 @@\n+OPEN = 1\n+SHUT = 0\n" + DIFF, "diff"),
        {"valve.py": "OPEN = 1\nSHUT = 0\n", **FIXED_ONE},
    ),
    Voice(
        "helper_module_beside",
        fence(FIXED, "python tank.py") + "\nNew helper:\n\n" + fence("LIMIT = 3\n", "python limits.py"),
        {"tank.py": FIXED, "limits.py": "LIMIT = 3\n"},
    ),
    Voice(
        "notes_with_fences_in_heredoc",
        fence(f"cat > NOTES.md <<'EOF'\n{NOTES}EOF\ncat > tank.py <<'EOF'\n{FIXED}EOF\n", "bash"),
        {"NOTES.md": NOTES, "tank.py": FIXED},
    ),
    Voice(
        "notes_with_fences_in_bare_heredoc",
        f"cat > NOTES.md <<'EOF'\n{NOTES}EOF\ncat > tank.py <<'EOF'\n{FIXED}EOF\n",
        {"NOTES.md": NOTES, "tank.py": FIXED},
    ),
    Voice(
        "notes_with_fences_in_fence",
        fence(NOTES, "markdown NOTES.md") + "\n" + fence(FIXED, "python tank.py"),
        {"NOTES.md": NOTES, "tank.py": FIXED},
    ),
    Voice(
        "shell_script_wanted",
        fence("#!/bin/bash\necho hi\n", "bash"),
        {"go.sh": "#!/bin/bash\necho hi\n"},
        {},
        ("go.sh",),
    ),
    Voice(
        "script_of_heredocs_wanted_by_name",
        fence("#!/bin/bash\ncat > a.txt <<'EOF'\nx\nEOF\n", "bash go.sh"),
        {"go.sh": "#!/bin/bash\ncat > a.txt <<'EOF'\nx\nEOF\n"},
        {},
        ("go.sh",),
    ),
    Voice(
        "heredoc_indented_and_appended",
        fence(
            "cat > run.sh <<-EOF\n\techo \\$HOME $HOME \\`date\\`\n\tEOF\ncat >> run.sh <<'X'\necho \\$2\nX\n", "bash"
        ),
        {"run.sh": "echo $HOME $HOME `date`\necho \\$2\n"},
    ),
    Voice(
        "crlf",
        ("Hi!\n\n" + fence(FIXED, "python tank.py") + "\nBye.\n").replace("\n", "\r\n"),
        FIXED_ONE,
    ),
    Voice("crlf_diff", fence(DIFF, "diff").replace("\n", "\r\n"), FIXED_ONE),
    Voice("crlf_heredoc", fence(HEREDOCS, "bash").replace("\n", "\r\n"), BOTH, TWO),
    Voice("name_keeps_its_case", fence("x = 1\n", "python Valve.py"), {"Valve.py": "x = 1\n"}),
    Voice(
        "shorter_but_whole",
        fence(
            "class Tank:\n    level = 0\n\n\ndef report(tank):\n    return '0 of 800'\n\n\ndef main():\n    print(report(0))\n"
        ),
        {
            "tank.py": "class Tank:\n    level = 0\n\n\ndef report(tank):\n    return '0 of 800'\n\n\ndef main():\n    print(report(0))\n"
        },
    ),
    Voice(
        "whole_with_words_of_elision",
        fence(FIXED.replace("import logging\n", "# The rest remains unchanged...\nimport logging\n")),
        {"tank.py": FIXED.replace("import logging\n", "# The rest remains unchanged...\nimport logging\n")},
    ),
    Voice(
        "broken_python_is_taken_as_it_is", fence(FIXED + "def (:\n", "python tank.py"), {"tank.py": FIXED + "def (:\n"}
    ),
]


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_exact_files(voice: Voice) -> None:
    found = extract_files(voice.answer, voice.program, voice.wanted or tuple(voice.program))
    assert found.files == {**voice.program, **voice.changed}
    assert sorted(found.returned) == sorted(voice.changed)


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_the_same_after_reasoning_that_drafts_code(voice: Voice) -> None:
    draft = "First idea:\n```python tank.py\n# half a thought\n```\nno, like this\n"
    split = split_reasoning(f"<think>\n{draft}</think>\n\n{voice.answer}")
    found = extract_files(split.answer, voice.program, voice.wanted or tuple(voice.program))
    assert found.files == {**voice.program, **voice.changed}


def test_originals_are_what_the_table_thinks() -> None:
    assert FIXED != TANK
    assert PUMP_FIXED != PUMP
