"""Every answer of every corpus, judged by the real product: does each check end as it has to?"""

from __future__ import annotations

from pathlib import Path

import pytest

from .corpus import CorpusAnswer, checks_of, read_corpus, suite_folders
from .matrix import Cell, as_table, run_matrix

ANSWERS = tuple(answer for folder in suite_folders() for answer in read_corpus(folder))


@pytest.fixture(scope="session")
def matrices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Cell, ...]]:
    cells = {}
    for folder in suite_folders():
        answers = [answer for answer in ANSWERS if answer.suite == folder.name]
        cells[folder.name] = run_matrix(answers, tmp_path_factory.mktemp(f"corpus-{folder.name}"))
        print(as_table(cells[folder.name]))  # noqa: T201 - pytest shows it when a cell differs
    return cells


@pytest.mark.xdist_group("corpus")
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.suite}-{answer.name}")
def test_each_check_ends_as_it_has_to(answer: CorpusAnswer, matrices: dict[str, tuple[Cell, ...]]) -> None:
    cells = [cell for cell in matrices[answer.suite] if cell.answer == answer.name]
    assert len(cells) == len(answer.expected)
    for cell in cells:
        assert cell.seen == cell.wanted, f"{cell.check}: {cell.evidence}"


@pytest.mark.parametrize("folder", suite_folders(), ids=lambda folder: folder.name)
def test_a_corpus_is_large_enough_to_prove_its_judge(folder: Path) -> None:
    names = [answer.name for answer in read_corpus(folder)]
    assert sum(name.startswith("valid-") for name in names) >= 4
    assert sum(name.startswith("gaming-") for name in names) >= 8
    for check in checks_of(folder):
        assert sum(name.startswith(f"fault-{check}-") for name in names) >= 3


@pytest.mark.parametrize("folder", suite_folders(), ids=lambda folder: folder.name)
def test_no_two_answers_of_a_corpus_are_the_same(folder: Path) -> None:
    texts = [answer.text for answer in read_corpus(folder)]
    assert len(set(texts)) == len(texts)
