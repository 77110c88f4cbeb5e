from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.nodeids import CheckId, case_id, read_check_id, read_speed_id


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


@pytest.mark.parametrize(
    ("nodeid", "endpoint"),
    [
        ("suites/speed/test_speed.py::test_depth[new-d2048-short]", "new"),
        ("suites/speed/test_speed.py::test_depth[new-er-d2048]", "new-er"),
        ("elsewhere/speed/test_speed.py::test_depth[new]", "new"),  # not to be seen from here, but called so
        ("perf/test_mine.py::test_fast[new]", "new"),
        ("perf/test_mine.py::TestFast::test_fast[new-long]", "new"),
        ("test_mine.py::test_fast[new]", "new"),
        ("test_mine.py::test_fast[other]", None),
        ("test_mine.py::test_fast", None),
        ("suites/zmq/test_zmq.py::test_clean_shutdown[new]", None),
        ("elsewhere/zmq/test_zmq.py::test_clean_shutdown[new]", None),
    ],
)
def test_a_speed_test_names_an_endpoint_and_lies_in_no_suite(tmp_path: Path, nodeid: str, endpoint: str | None) -> None:
    for file in ("suites/speed/test_speed.py", "suites/zmq/test_zmq.py", "perf/test_mine.py", "test_mine.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / "suites/zmq/suite.yaml").touch()
    assert read_speed_id(nodeid, ["new", "new-er"], tmp_path) == endpoint
    is_check = read_check_id(nodeid, ["new", "new-er"], tmp_path) is not None
    assert is_check == ("zmq" in nodeid)
