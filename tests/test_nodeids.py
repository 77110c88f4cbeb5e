from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.nodeids import CheckId, case_id, read_check_id


@given(
    endpoint=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,20}", fullmatch=True).filter(lambda n: "-s" not in n),
    sample=st.integers(1, 99),
)
def test_what_is_written_is_read(endpoint: str, sample: int) -> None:
    nodeid = f"suites/zmq/test_zmq.py::test_clean_shutdown[{case_id(endpoint, sample)}]"
    assert read_check_id(nodeid, [endpoint]) == CheckId(CaseKey(endpoint, "zmq", sample), "clean_shutdown")


@pytest.mark.parametrize(
    "nodeid",
    [
        "tests/test_x.py::test_y",
        "tests/test_x.py::test_y[other]",
        "tests/test_x.py::TestClass::test_y[new]",
        "test_x.py::test_y[new]",
        "",
    ],
)
def test_other_tests_are_left_alone(nodeid: str) -> None:
    assert read_check_id(nodeid, ["new"]) is None
