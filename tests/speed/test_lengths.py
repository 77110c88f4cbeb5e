from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.lengths import Calibration, Counted, calibrate, near
from pytest_llmbench.speed.prompts import prompt
from pytest_llmbench.speed.templates import KINDS
from tests.speed.tokenisers import COUNTS

TEMPLATE_TOKENS = 11


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", COUNTS.values(), ids=COUNTS)
@pytest.mark.parametrize("wanted", [512, 2_048, 8_192])
def test_one_correction_brings_all_prompts_to_within_one_percent(
    kind: str, count: Callable[[str], int], wanted: int
) -> None:
    def ask(number: int, chars: int) -> Counted:
        return Counted(chars, TEMPLATE_TOKENS + count(prompt(kind, "seed", number, chars)))

    first = calibrate([ask(0, 600), ask(1, 6_000)])
    assert isinstance(first, Calibration)
    corrected = first.corrected([ask(number, first.chars(wanted)) for number in (2, 3, 4)])
    tokens = [ask(number, corrected.chars(wanted)).prompt_tokens for number in range(5, 25)]
    if (kind, wanted) == ("code", 512):  # so few lines differ in how words and signs meet
        assert max(abs(each - wanted) for each in tokens) <= 0.025 * wanted
    else:
        assert all(near(wanted, each) for each in tokens)


def test_calibration_by_hand() -> None:
    found = calibrate([Counted(400, 110), Counted(4_000, 1_010)])
    assert isinstance(found, Calibration)
    assert found.chars_per_token == pytest.approx(4)
    assert found.fixed_tokens == pytest.approx(10)
    assert found.chars(2_010) == 8_000
    assert found.chars(5) == 1
    assert found.corrected([Counted(8_000, 1_610)]).chars_per_token == pytest.approx(5)
    assert found.corrected([Counted(8_000, 1_510), Counted(8_000, 1_710)]).chars_per_token == pytest.approx(5)
    assert found.corrected([Counted(8, 10)]) == found
    assert found.corrected([]) == found


def test_what_cannot_be_calibrated_is_unknown() -> None:
    assert isinstance(calibrate([]), Unknown)
    assert isinstance(calibrate([Counted(400, 110), Counted(400, 111)]), Unknown)
    assert isinstance(calibrate([Counted(400, 110), Counted(800, 110)]), Unknown)


def test_near() -> None:
    assert near(2_048, 2_068)
    assert not near(2_048, 2_070)
    assert near(20, 21)
    assert not near(20, 22)
