"""What is typed behind an option."""

from __future__ import annotations

import pytest

from pytest_llmbench.options import OPTIONS

OPTION = {option.name: option for option in OPTIONS}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("samples", "5", 5),
        ("timeout", "0.5", 0.5),
        ("temperature", "0", 0.0),
        ("seed", "-1", -1),
        ("fail-under", "90", 90.0),
        ("fail-under", "90%", 90.0),
        ("fail-under", "0.5%", 0.5),
        ("fail-under", "1", 1.0),
        ("sweep", "1,8,32", (1, 8, 32)),
        ("must-pass", "stratum/byte_order", "stratum/byte_order"),
        ("allow-different", "sampling", "sampling"),
    ],
)
def test_what_can_be_meant_is_read(name: str, text: str, value: object) -> None:
    assert OPTION[name].parse(text) == value


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        *(("samples", text, "a whole number, 1 or more") for text in ("0", "-1", "1.5", "x", "")),
        *(("max-tokens", text, "a whole number, 1 or more") for text in ("0", "16k", "9" * 5000)),
        *(("timeout", text, "a number, more than 0") for text in ("0", "-1", "nan", "inf", "1m")),
        *(("temperature", text, "a number, 0 or more") for text in ("-0.1", "nan", "inf", "hot")),
        *(("fail-under", text, "more than 0 and at most 100") for text in ("0", "101", "nan", "most", "%")),
        ("fail-under", "0.9", "per cent, such as 90; if less than one is meant, write 0.9%"),
        ("min-coverage", ".95", "per cent, such as 95; if less than one is meant, write .95%"),
        ("seed", "1.5", "a whole number"),
        ("sweep", "1,2,", "a whole number, 1 or more"),
        ("sweep", "4,2", "numbers that grow"),
        ("sweep", "2,2", "numbers that grow"),
        ("sandbox", "docker", "one of: bubblewrap, none"),
        ("allow-different", "model", "one of: prompts, suites, sampling"),
        *(
            ("must-pass", text, "SUITE/CHECK, the check without test_, such as stratum/byte_order")
            for text in ("stratum", "/byte_order", "stratum/", "stratum/test_byte_order")
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_was_wanted(name: str, text: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=f"^wanted {wanted}$".replace(".", r"\.")) as refused:
        OPTION[name].parse(text)
    assert str(refused.value) == f"wanted {wanted}"
