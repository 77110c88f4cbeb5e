"""A plugin that is installed but not used costs nothing and says nothing."""

from __future__ import annotations

import pytest

OURS_LIGHT = {
    *("plugin", "collecting", "grading", "measuring", "option", "recording", "run", "errors"),
    *("options", "options.given", "options.reading", "options.table", "options.values", "options.whom"),
    *(
        "actions",
        "bars",
        "brief",
        "hookspecs",
        "model",
        "model.endpoint",
        "model.identity",
        "model.serving",
        "model.settings",
    ),
}
HEAVY = {"httpx", "httpcore", "anyio", "yaml", "msgspec", "stamina", "tenacity", "zmq", "asyncio", "ssl", "http"}


def test_nothing_heavy_is_imported_at_start_up(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        import sys

        def test_light():
            modules = set(sys.modules)
            ours = {{name.removeprefix("pytest_llmbench.") for name in modules if name.startswith("pytest_llmbench.")}}
            assert ours == {OURS_LIGHT!r}
            assert not modules & {HEAVY!r}
        """
    )
    # hypothesis, anyio and xdist are other plugins of this environment and bring what they like.
    others = ("hypothesispytest", "anyio", "xdist", "xdist.looponfail")
    result = pytester.runpytest_subprocess(*(arg for name in others for arg in ("-p", f"no:{name}")))
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_help_of_pytest_is_shown_as_ever(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    result = pytester.runpytest_subprocess("--help", "-p", "no:hypothesispytest")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["llmbench: *", "  --llm-endpoint=SPEC*", "*99 % of the tokens*", "*llm_samples*"])


def test_nothing_is_said_and_nothing_is_written(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_other(): pass")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    assert "llmbench:" not in result.stdout.str()
    assert not list(pytester.path.glob("*llmbench*"))


@pytest.mark.parametrize("name", ["observe", "measure"])
def test_a_fixture_of_the_same_name_elsewhere_is_left_alone(pytester: pytest.Pytester, name: str) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.fixture
        def {name}():
            return 7

        def test_mine({name}):
            assert {name} == 7
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    assert not list(pytester.path.glob(".llmbench"))


def test_a_marker_and_a_fixture_of_the_same_names_elsewhere_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def measure():
            return 7

        @pytest.mark.speed
        def test_mine(measure):
            assert measure == 7
        """
    )
    result = pytester.runpytest_subprocess("-v")
    result.stdout.fnmatch_lines(["*::test_mine PASSED*"])
    assert not list(pytester.path.glob(".llmbench"))


def test_a_folder_or_marker_called_speed_elsewhere_is_left_alone(pytester: pytest.Pytester) -> None:
    folder = pytester.mkpydir("suites") / "speed"
    folder.mkdir()
    (folder / "test_a.py").write_text(
        "import pytest\n@pytest.mark.speed\ndef test_first(): pass\ndef test_then(): pass\n"
    )
    result = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*test_first*", "*test_then*"])
    assert not list(pytester.path.glob(".llmbench"))


def test_tests_of_others_are_dealt_out_as_ever(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_it(n): pass")
    pytester.runpytest_subprocess("-n2").assert_outcomes(passed=6)


def test_properties_of_other_tests_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_mine(record_property): record_property('outcome', 'ok')")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
