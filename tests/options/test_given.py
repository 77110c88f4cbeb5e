"""Command line before ini file before default."""

from __future__ import annotations

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.option import Option
from pytest_llmbench.options import OPTIONS, value_of

ALONE = [option for option in OPTIONS if not option.repeatable and not option.is_switch]


@pytest.fixture
def config(pytester: pytest.Pytester) -> pytest.Config:
    pytester.makeini("[pytest]\nllm_samples = 2\nllm_timeout =\nllm_concurrency = few\nllm_speed = yes\n")
    return pytester.parseconfig("--llm-seed=7", "--llm-must-pass=a/b", "--llm-must-pass=c/d")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 7),
        ("must-pass", ("a/b", "c/d")),
        ("samples", 2),
        ("speed", True),
        ("timeout", 1800.0),
        ("out", None),
        ("endpoint", ()),
    ],
)
def test_where_a_value_comes_from(config: pytest.Config, name: str, value: object) -> None:
    assert value_of(config, name) == value


def test_a_mistake_in_the_ini_file_is_told_by_the_name_that_stands_there(config: pytest.Config) -> None:
    with pytest.raises(UsageFault, match=r"^llm_concurrency=few: wanted a whole number, 1 or more$"):
        value_of(config, "concurrency")


@pytest.mark.parametrize("option", ALONE, ids=lambda option: option.name)
def test_an_empty_value_is_not_taken_for_none(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, option: Option
) -> None:
    # Of `--llm-fail-under=$BAR` with a variable that is not set; the gate would be gone without a word.
    monkeypatch.setattr(pytestconfig.option, option.dest, "")
    with pytest.raises(UsageFault, match=f"^{option.flag}=: wanted .*, got nothing; "):
        value_of(pytestconfig, option.name)
