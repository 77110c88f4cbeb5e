from __future__ import annotations

import pytest

from pytest_llmbench.reports.evidence import first_line


@pytest.mark.parametrize(
    ("evidence", "most", "wanted"),
    [
        (None, None, ""),
        (" \n\n", None, ""),
        ("\n  AssertionError: no\nassert 1 == 2", None, "AssertionError: no"),
        ("12345", 5, "12345"),
        ("123456", 5, "1234…"),
    ],
)
def test_of_what_was_said_the_first_line_is_told(evidence: str | None, most: int | None, wanted: str) -> None:
    assert first_line(evidence, most) == wanted
