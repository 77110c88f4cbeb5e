"""A suite's corpus as it lies in `suites/<name>/answers`: what to answer, and how each check has to end then."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.answers import apply_unified_diff, extract_files
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.suite import PROGRAM_MARK, Suite, load_suite

ROOT = Path(__file__).parents[2]
PROMPT_MARK = "{{prompt}}"
"""In a gaming answer: stands for the whole prompt, as `{{program}}` stands for the program's files in fenced blocks."""


@dataclass(frozen=True, slots=True)
class CorpusAnswer:
    """One answer of a corpus."""

    suite: str
    name: str
    """Such as `reference`, `valid-NAME`, `fault-CHECK-NAME` or `gaming-NAME`; also the name of its endpoint in a run."""
    text: str
    expected: Mapping[str, Outcome]
    """Check -> how it has to end."""


def suite_folders() -> tuple[Path, ...]:
    """Every folder under `suites/` that holds a suite."""
    return tuple(sorted(about.parent for about in ROOT.glob("suites/*/suite.yaml")))


def checks_of(folder: Path) -> tuple[str, ...]:
    """Names of a suite's checks: its test functions without `test_`."""
    tree = ast.parse((folder / f"test_{folder.name}.py").read_text("utf-8"))
    functions = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return tuple(name.removeprefix("test_") for name in functions if name.startswith("test_"))


def read_corpus(folder: Path) -> tuple[CorpusAnswer, ...]:
    """Read all answers of the suite in `folder`.

    Raises:
        AnswerFault: the reference holds no files, or a fault's diff does not fit it.
    """
    return tuple(_answers(load_suite(folder), checks_of(folder)))


def fenced(files: Mapping[str, str]) -> str:
    """Write files as an answer that returns each of them whole."""
    return "\n".join(f"```{name}\n{text}```\n" for name, text in files.items())


def _answers(suite: Suite, checks: tuple[str, ...]) -> Iterator[CorpusAnswer]:
    answers = suite.folder / "answers"
    reference = (answers / "reference.md").read_text("utf-8")
    all_pass = dict.fromkeys(checks, Outcome.PASSED)
    yield CorpusAnswer(suite.name, "reference", reference, all_pass)
    for path in sorted(answers.glob("valid/*.md")):
        yield CorpusAnswer(suite.name, f"valid-{path.stem}", path.read_text("utf-8"), all_pass)
    files = extract_files(reference, suite.program, suite.wanted).files
    for path in sorted(answers.glob("faults/*/*.patch")):
        check = path.parent.name
        text = fenced(_patched(files, path.read_text("utf-8")))
        yield CorpusAnswer(suite.name, f"fault-{check}-{path.stem}", text, {**all_pass, check: Outcome.WRONG})
    for path in sorted(answers.glob("gaming/*.md")):
        outcome = Outcome.EMPTY if path.stem.startswith("empty") else Outcome.WRONG
        text = path.read_text("utf-8").replace(PROMPT_MARK, suite.prompt).replace(PROGRAM_MARK, fenced(suite.program))
        yield CorpusAnswer(suite.name, f"gaming-{path.stem}", text, dict.fromkeys(checks, outcome))


def _patched(files: Mapping[str, str], patch: str) -> dict[str, str]:
    """Apply a patch of one or more files, each part of which begins with its `--- a/NAME` line."""
    patched = dict(files)
    for part in ("\n" + patch).split("\n--- a/")[1:]:
        name = part.partition("\n")[0].strip()
        patched[name] = apply_unified_diff(patched[name], f"--- a/{part.rstrip()}\n")
    return patched
