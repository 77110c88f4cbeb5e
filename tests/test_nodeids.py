from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.nodeids import CheckId, case_id, read_check_id, read_speed_id, suite_folder


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


@pytest.mark.parametrize(
    ("nodeid", "suite"),
    [
        ("test_zmq.py::test_works[new]", "zmq"),  # `pytest --pyargs suites.zmq` from another folder
        ("::test_works[new]", "pplns"),  # the same of one file
        ("test_other.py::test_works[new]", None),
        ("other/test_other.py::test_works[new]", "other"),  # not to be seen: its id is all that there is
    ],
)
def test_an_id_without_its_folder_is_looked_for_where_ids_may_begin(
    tmp_path: Path, nodeid: str, suite: str | None
) -> None:
    for file in ("suites/zmq/test_zmq.py", "suites/pplns/test_pplns.py", "here/test_zmq.py"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    for name in ("zmq", "pplns"):
        (tmp_path / "suites" / name / "suite.yaml").touch()
    roots = (tmp_path / "here", tmp_path / "suites/zmq", tmp_path / "suites/pplns/test_pplns.py")
    known = read_check_id(nodeid, ["new"], *roots)
    assert (known and known.key.suite) == suite
    folder = suite_folder(nodeid, roots)
    assert (folder and folder.name) == (None if suite == "other" else suite)
    assert read_speed_id(nodeid, ["new"], *roots) is None
