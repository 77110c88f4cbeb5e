from __future__ import annotations

from pathlib import Path

import pytest

from .dealing import CORPORA, LONGEST_FIRST, SHARED, SIDE_BY_SIDE, place_of, unit_of
from .suites.corpus import suite_folders

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("place", [CORPORA, *SHARED, *(unit for unit in LONGEST_FIRST if unit.endswith(".py"))])
def test_what_is_named_is_there(place: str) -> None:
    assert (ROOT / place).exists()


def test_a_unit_is_in_the_order_under_its_own_name() -> None:
    assert {*SHARED.values(), *SIDE_BY_SIDE.values()} <= {*LONGEST_FIRST}
    assert {*SIDE_BY_SIDE} < {folder.name for folder in suite_folders()}


@pytest.mark.parametrize("suite", [folder.name for folder in suite_folders()])
def test_all_that_read_one_matrix_are_one_unit(suite: str) -> None:
    ids = [f"{CORPORA}::test_the_matrix[{suite}]", f"{CORPORA}::test_each_check_ends_as_it_has_to[{suite}-valid-a_b]"]
    assert len({unit_of(nodeid) for nodeid in ids}) == 1


def test_one_worker_deals_with_real_servers_and_each_other_file_is_a_unit() -> None:
    ids = ["tests/real/test_llama_server.py::test_a[x]", "tests/servers/test_kinds_real.py::test_b"]
    assert {unit_of(nodeid) for nodeid in ids} == {"real servers"}
    assert unit_of("tests/client/test_sse.py::test_a[[-]]") == "tests/client/test_sse.py"


def test_what_takes_longest_comes_first() -> None:
    ids = [
        "tests/client/test_sse.py::test_a",
        "tests/browser/test_a.py::test_b",
        f"{CORPORA}::test_the_matrix[payment]",
    ]
    assert sorted(ids, key=place_of) == ids[::-1]


def test_units_are_kept_together_by_xdist(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from tests.dealing import Dealing
        def pytest_xdist_make_scheduler(config, log):
            config.option.loadscopereorder = False
            return Dealing(config, log)
        """
    )
    for name in ("test_one", "test_two", "test_three"):
        body = "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_it(n, worker_id): print('ran', __name__, worker_id)"
        pytester.makepyfile(**{name: body})
    result = pytester.runpytest_subprocess("-n3", "-rP", "-pno:llmbench")
    result.assert_outcomes(passed=18)
    ran = {line for line in result.outlines if line.startswith("ran test_")}
    assert len(ran) == 3, ran
