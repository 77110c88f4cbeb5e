"""What a run leaves for those who read its report."""

from __future__ import annotations

import pytest

from pytest_llmbench.rundetails import RunDetails
from tests.plugin.conftest import RIGHT, WRONG, Demo


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_what_was_asked_answered_and_seen_is_kept(demo: Demo, workers: str) -> None:
    specs = demo.answers(new=WRONG + "\n```python ../up.py\nx = 1\n```\n", old=RIGHT, silent="")
    demo.run(*specs.values(), workers)
    details = RunDetails(demo.out)
    assert details.prompt("demo") == demo.prompt
    assert details.program("demo") == {"pay.py": "def pay():\n    return 0.1 + 0.2\n"}
    assert details.candidate("new", "demo", 1) == {"pay.py": "def pay():\n    return 1.0\n"}
    assert "Decimal" in details.candidate("old", "demo", 1)["pay.py"]
    assert details.candidate("silent", "demo", 1) == {}
    assert details.text("logs/new/demo-s1/read.seen.txt") == "'def pay():\\n    return 1.0\\n'\n"
    assert details.text("logs/silent/demo-s1/read.seen.txt") is None
    completion = details.completion("old", "demo", 1)
    assert completion is not None
    assert completion.exchange is not None
    assert completion.exchange.content == RIGHT
    (suite,) = demo.report()["suites"]
    assert (suite["name"], suite["title"], suite["difficulty"]) == ("demo", "Payouts", "easy")
    assert not list(demo.pytester.path.rglob("up.py"))
