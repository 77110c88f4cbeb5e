from __future__ import annotations

import ast
import re
import statistics
from itertools import combinations, takewhile

import pytest

from pytest_llmbench.speed.degenerate import repetition
from pytest_llmbench.speed.prompts import Decks, opening, passage, prompt, with_shared_prefix
from pytest_llmbench.speed.templates import KINDS
from pytest_llmbench.speed.vocabulary import NOUNS, SLOTS
from tests.speed.tokenisers import COUNTS


def shared_chars(one: str, other: str) -> int:
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chars", [0, 100, 300, 2_000, 60_000])
def test_length_in_characters(kind: str, chars: int) -> None:
    text = prompt(kind, "seed", 3, chars)
    assert text.endswith(KINDS[kind].task)
    assert len(text) == pytest.approx(max(chars, len(KINDS[kind].task) + 20), abs=20)


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_are_right_in_the_mean(kind: str) -> None:
    sizes = [len(prompt(kind, "seed", number, 2_000)) for number in range(len(NOUNS))]
    assert statistics.fmean(sizes) == pytest.approx(2_000, abs=1)


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_are_different_from_the_first_word_on(kind: str) -> None:
    texts = [prompt(kind, "seed", number, 2_000) for number in range(len(NOUNS))]
    first = [re.findall(r"[A-Za-z]+", text)[0] for text in texts]
    assert len(set(first)) == len(first)
    for one, other in combinations(texts[:20], 2):
        assert shared_chars(one, other) < 12  # `# ` and at most some letters of a word
        shared = set(one.splitlines()) & set(other.splitlines())
        assert not {line for line in shared if len(line) > 60 and line not in KINDS[kind].task}


def test_openings_come_again_only_in_other_pairs() -> None:
    openings = [opening("seed", number) for number in range(20 * len(NOUNS))]
    assert len(set(openings)) == len(openings)
    assert openings != [opening("other", number) for number in range(20 * len(NOUNS))]


def test_no_first_word_begins_another_one() -> None:
    # A tokeniser would give both the same first token.
    assert not [(one, other) for one in NOUNS for other in NOUNS if one != other and other.startswith(one)]
    assert all(len(set(words)) == len(words) for words in SLOTS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_prompt(kind: str) -> None:
    assert prompt(kind, "seed", 3, 900) == prompt(kind, "seed", 3, 900)
    assert prompt(kind, "seed", 3, 900) != prompt(kind, "another", 3, 900)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", COUNTS.values(), ids=COUNTS)
def test_prompts_of_one_length_have_one_number_of_tokens(kind: str, count: object) -> None:
    assert callable(count)
    tokens = [count(prompt(kind, "seed", number, 8_000)) for number in range(40)]
    assert max(tokens) - min(tokens) <= 0.01 * min(tokens)


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_sound(kind: str) -> None:
    found = repetition(passage(kind, "seed", 1, 20_000))
    assert not found.degenerate
    assert found.looped_share == 0
    assert "{" not in prompt("prose", "seed", 1, 5_000)


def test_code_is_code() -> None:
    text = passage("code", "seed", 1, 8_000)
    ast.parse(text[: text.rindex("\n\n")])


def test_a_shared_prefix_is_shared_and_the_rest_is_not() -> None:
    one, other = (with_shared_prefix("prose", "seed", number, 4_000, 1_000) for number in (1, 2))
    shared = shared_chars(one, other)
    assert shared == pytest.approx(4_000, abs=25)
    assert len(one) == pytest.approx(5_000, abs=45)
    assert shared_chars(one, prompt("prose", "seed", 1, 4_000)) < 12


def test_decks_deal_each_card_once_before_any_comes_again() -> None:
    decks = Decks("seed")
    cards = [decks["name"] for _ in range(3 * len(SLOTS["name"]))]
    for begin in range(0, len(cards), len(SLOTS["name"])):
        assert set(cards[begin : begin + len(SLOTS["name"])]) == set(SLOTS["name"])
