"""Every answer of every corpus, judged by the real product: does each check end as it has to?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .corpus import CorpusAnswer, checks_of, read_corpus, suite_folders
from .matrix import Cell, as_table, run_matrix

FOLDERS = suite_folders()
CORPORA = {folder: read_corpus(folder) for folder in FOLDERS}

Judge = Callable[[str], tuple[Cell, ...]]


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Runs the corpus of a suite, once."""
    done: dict[str, tuple[Cell, ...]] = {}

    def judge(suite: str) -> tuple[Cell, ...]:
        if suite not in done:
            (answers,) = (corpus for folder, corpus in CORPORA.items() if folder.name == suite)
            done[suite] = run_matrix(answers, tmp_path_factory.mktemp(f"corpus-{suite}"))
        return done[suite]

    return judge


@pytest.mark.parametrize("suite", [folder.name for folder in FOLDERS])
def test_the_matrix(suite: str, judged: Judge, record_property: Callable[[str, object], None]) -> None:
    cells = judged(suite)
    record_property("matrix", as_table(cells))  # the summary prints it
    gaming = [cell for cell in cells if cell.answer.startswith("gaming-")]
    assert gaming
    assert not [f"{cell.answer} {cell.check}" for cell in gaming if cell.seen == "passed"]


@pytest.mark.parametrize(
    "answer",
    [pytest.param(one, id=f"{one.suite}-{one.name}") for corpus in CORPORA.values() for one in corpus],
)
def test_each_check_ends_as_it_has_to(answer: CorpusAnswer, judged: Judge) -> None:
    cells = [cell for cell in judged(answer.suite) if cell.answer == answer.name]
    assert len(cells) == len(answer.expected)
    for cell in cells:
        assert cell.seen == cell.wanted, f"{cell.check}: {cell.evidence}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_corpus_is_large_enough_to_prove_its_judge(folder: Path) -> None:
    names = [answer.name for answer in CORPORA[folder]]
    assert sum(name.startswith("valid-") for name in names) >= 4
    assert sum(name.startswith("gaming-") for name in names) >= 10
    for check in checks_of(folder):
        assert sum(name.startswith(f"fault-{check}-") for name in names) >= 2


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_two_answers_of_a_corpus_are_the_same(folder: Path) -> None:
    texts = [answer.text for answer in CORPORA[folder]]
    assert len(set(texts)) == len(texts)
