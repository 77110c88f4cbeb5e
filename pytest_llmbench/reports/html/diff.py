"""What an answer changed in the program, as a unified diff."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

MAX_LINES = 1_500
"""Of a file; comparing longer ones can take minutes, and a hostile answer would see to that."""
NO_END = "\\ No newline at end of file"


def diffs(program: Mapping[str, str], candidate: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return path and diff of each file that an answer changed or added; files that it left alone are not in it.

    Args:
        program: path -> text, as the models were given it.
        candidate: path -> text, the answer's files laid over the program.
    """
    changed = [path for path in candidate if candidate[path] != program.get(path)]
    return [(path, _diff(path, program.get(path), candidate[path])) for path in sorted(changed)]


def _diff(path: str, before: str | None, after: str) -> str:
    old, new = _lines(before or ""), _lines(after)
    names = ("(not in the program)" if before is None else f"program/{path}", f"answer/{path}")
    if max(len(old), len(new)) > MAX_LINES:
        heads = [f"--- {names[0]}", f"+++ {names[1]}", f"@@ over {MAX_LINES} lines: not compared, as it came @@"]
        return "\n".join([*heads, *(f"+{line}" for line in new)])
    found = difflib.unified_diff(old, new, *names, lineterm="")
    return "\n".join(found)


def _lines(text: str) -> list[str]:
    # Line feeds only: what else Python takes for the end of a line stays in it, and is shown.
    lines = text.split("\n")
    if lines[-1]:
        return [*lines[:-1], f"{lines[-1]}\n{NO_END}"]
    return lines[:-1]
