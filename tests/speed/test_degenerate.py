"""Texts of many kinds that go round in circles, and that do not."""
# ruff: noqa: RUF001 (they are in other scripts)

from __future__ import annotations

import ast
import base64
import inspect
import json
import statistics
from collections.abc import Callable, Mapping
from random import Random

import pytest

from pytest_llmbench.speed import degenerate
from pytest_llmbench.speed.degenerate import LOOP_SHARE, repetition
from pytest_llmbench.speed.prompts import passage
from pytest_llmbench.speed.vocabulary import NOUNS

RANDOM = Random(11)  # noqa: S311 (no secret)

PROSE = """
The night train was late, as it had been every Tuesday since the bridge was closed. Two men shared a bench and a
thermos; neither of them spoke. When the lamps along the platform went out, one after the other, the older one stood up
and said that this was how it had begun the last time. “And how did it end?” the younger one wanted to know. There was
no answer, but far away, where the rails met, a light had appeared, and it was moving in the wrong direction. By the
time it had passed them, both had understood that they would have to walk. They followed the fence as far as the old
mill, crossed the field behind it and came to a road that was on no map. The young man counted his steps aloud.
"""
CHINESE = """
夜班火车又晚点了，自从那座桥关闭以后，每个星期二都是这样。两个男人坐在同一条长椅上，谁也没有说话。站台上的灯一盏接一盏地熄灭，
年长的那个站起来说，上一次也是这样开始的。“那后来呢？”年轻人问。没有人回答。远处铁轨交汇的地方出现了一点光，它正朝着相反的方向移动。
"""
RUSSIAN = """
Ночной поезд опаздывал, как и каждый вторник с тех пор, как закрыли мост. Двое мужчин сидели на одной скамье и молчали.
Когда фонари на перроне погасли один за другим, старший встал и сказал, что в прошлый раз всё начиналось так же.
"""
ARABIC = """
تأخر قطار الليل كعادته كل يوم ثلاثاء منذ أن أغلق الجسر. جلس رجلان على المقعد نفسه ولم يتكلم أي منهما. وحين انطفأت
المصابيح على الرصيف واحدا بعد الآخر، وقف الأكبر سنا وقال إن الأمر بدأ هكذا في المرة الماضية.
"""
SOUND: Mapping[str, str] = {
    "prose": PROSE,
    "long prose": passage("prose", "s", 1, 20_000),
    "Chinese": CHINESE,
    "Russian": RUSSIAN,
    "Arabic": ARABIC,
    "code": inspect.getsource(statistics),
    "code with rules": "\n".join(f"# {'-' * 70}\ndef f{n}(x):\n    return x ** {n} + {n * 7}\n" for n in range(20)),
    "deep indents": inspect.getsource(ast).replace("    ", " " * 12),
    "records": json.dumps([{"id": n, "name": f"user{n}", "ok": n % 3 == 0} for n in range(200)], indent=2),
    "flags": json.dumps([{"id": n, "ok": True} for n in range(200)]),
    "numbered list": "\n".join(f"{n}. the number {n} of the list" for n in range(1, 150)),
    "counting": " ".join(map(str, range(1, 500))),
    "truth table": "\n".join("| " + " | ".join(str(n >> bit & 1) for bit in range(8)) + " |" for n in range(256)),
    "yes and no": "\n".join(f"| feature {n} | {RANDOM.choice(['yes', 'no'])} |" for n in range(300)),
    "a table of words": "\n".join(f"| {' | '.join(RANDOM.choices(['yes', 'no'], k=6))} |" for _ in range(99)),
    "boxes": "\n".join(f"+{'-' * 30}+\n| {noun:28} |" for noun in NOUNS[:20]),
    "multiplication": "\n".join(f"{a} x {b} = {a * b}" for a in range(1, 11) for b in range(1, 11)),
    "statements": "\n".join(f"CREATE ROLE user{n} WITH LOGIN CONNECTION LIMIT {n * 7 % 90};" for n in range(200)),
    "numbered steps": "".join(f"Step {n}: Check the file again. " for n in range(90)),  # a list, for all one can tell
    "base64": base64.b64encode(RANDOM.randbytes(9000)).decode(),
    "hex": RANDOM.randbytes(2000).hex(),
    "bits": "".join(RANDOM.choice("01") for _ in range(3000)),
    "a refrain": f"{PROSE}And on they went. And on they went. And on they went. {CHINESE}",
    "a list of zeros in a program": f"{inspect.getsource(degenerate)}\nTABLE = [{', '.join(['0'] * 64)}]\n",
}


@pytest.mark.parametrize("name", SOUND)
def test_texts_that_go_on(name: str) -> None:
    found = repetition(SOUND[name])
    assert not found.degenerate, found
    assert found.looped_share < LOOP_SHARE / 3  # far from the bound
    assert found.reason


@pytest.mark.parametrize("words", [1, 2, 3, 5, 8, 13, 20, 60])
@pytest.mark.parametrize("tokens", [200, 1600])
@pytest.mark.parametrize("joined", [" ", "\n", ", "])
def test_loops_of_words(words: int, tokens: int, joined: str) -> None:
    phrase = [RANDOM.choice(NOUNS) for _ in range(words)]
    found = repetition(joined.join((phrase * tokens)[:tokens]))
    assert found.degenerate
    assert found.looped_share > 0.95
    assert phrase[-1] in found.reason or words > 5


LOOPS: Mapping[str, str] = {
    "one letter": "a" * 300,
    "one sign": "." * 300,
    "line breaks": "\n" * 300,
    "half words": "ha" * 100,
    "Chinese": "再试一次。" * 60,
    "one answer again and again": "1. yes\n" * 50,
    "after sound text": PROSE + "I think so. " * 100,
    "before sound text": "I think so. " * 100 + PROSE,
    "with an end": "I think so. " * 100 + "Done.",
    "broken off within a word": ("wait, let me check that again. " * 40)[:-9],
    "paragraphs": PROSE * 4,
    "two words in any order": " ".join(RANDOM.choice(["the", "of"]) for _ in range(800)),
    "two phrases in any order": "".join(
        RANDOM.choice(["Wait, let me check that again. ", "No, that is not right. "]) for _ in range(200)
    ),
    "a record again and again": json.dumps([{"id": 1, "ok": True}] * 60),
}


@pytest.mark.parametrize("name", LOOPS)
def test_other_loops(name: str) -> None:
    found = repetition(LOOPS[name])
    assert found.degenerate, found
    assert found.compression_ratio < 0.55


def test_three_times_on_end_is_a_loop_and_twice_is_none() -> None:
    before, phrase = passage("prose", "s", 2, 250)[:200], passage("words", "s", 3, 250)[50:150]
    found = repetition(before + phrase * 3)
    assert found.degenerate
    assert found.looped_share == pytest.approx(0.6, abs=0.01)
    assert repetition(before + phrase * 2).looped_share == 0


def test_the_reason_shows_the_loop() -> None:
    assert repetition("ha" * 100).reason == "100% of the text is loops, such as 'ha' 100 times on end"
    assert "different words" in repetition(LOOPS["two words in any order"]).reason


@pytest.mark.parametrize("text", ["", "no", "no no no", "x" * 63])
def test_short_texts_are_not_judged(text: str) -> None:
    assert repetition(text).reason == "too short to tell"


@pytest.mark.parametrize("cut", [lambda text: text[:-7], lambda text: text[5:], lambda text: "Well: " + text])
def test_where_a_loop_is_cut_does_not_matter(cut: Callable[[str], str]) -> None:
    assert repetition(cut("over and over again, " * 30)).degenerate
