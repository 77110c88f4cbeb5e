"""All options of a run together."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmbench import Launch, Serve, ServerKind
from pytest_llmbench.errors import UsageFault
from pytest_llmbench.options import OPTIONS, read_settings, server_kinds

OPTION = {option.name: option for option in OPTIONS}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_run_folder_at_home_is_not_one_that_is_called_tilde(
    home: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytestconfig.option, "llm_out", "~/run")
    assert read_settings(pytestconfig).out == str(home / "run")


def test_a_report_at_home_is_written_there(home: Path) -> None:
    assert OPTION["report"].parse("json:~/r.json").path == str(home / "r.json")


def test_a_config_and_a_replay_at_home_are_found(
    home: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "answers").mkdir()
    (home / "mine.yaml").write_text("endpoints: {m: {serve: {kind: vllm, model: org/m}}}")
    monkeypatch.setattr(pytestconfig.option, "llm_config", "~/mine.yaml")
    monkeypatch.setattr(pytestconfig.option, "llm_endpoint", ["m", "replay:~/answers"])
    served, replayed = read_settings(pytestconfig).endpoints
    assert served.serve is not None
    assert served.serve.folder == str(home)
    assert replayed.replay == str(home / "answers")


@pytest.mark.parametrize(
    ("out", "targets", "told"),
    [
        ("run", ["html:run/report.json"], "--llm-report=html:/.*/run/report.json: json is written there, too; "),
        ("run", ["json:r", "html:../{here}/r"], "--llm-report=html:/.*/r: json is written there, too; "),
    ],
)
def test_two_reports_are_not_written_to_one_file(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, out: str, targets: list[str], told: str
) -> None:
    monkeypatch.setattr(pytestconfig.option, "llm_out", out)
    here = pytestconfig.invocation_params.dir.name
    monkeypatch.setattr(pytestconfig.option, "llm_report", [one.format(here=here) for one in targets])
    with pytest.raises(UsageFault, match=told):
        read_settings(pytestconfig)


def test_the_runs_own_report_may_be_asked_for_where_it_lies(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytestconfig.option, "llm_out", "run")
    monkeypatch.setattr(pytestconfig.option, "llm_report", ["json:run/report.json"] * 2)
    assert len(read_settings(pytestconfig).reports) == 2


def test_a_mistake_is_told_before_anybody_is_asked(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytestconfig.option, "llm_endpoint", ["http://127.0.0.1:1/v1"])
    monkeypatch.setattr(pytestconfig.option, "llm_timeout", "soon")
    monkeypatch.setattr("pytest_llmbench.client.list_models", lambda *_: pytest.fail("asked"))
    with pytest.raises(UsageFault, match="--llm-timeout=soon: wanted a number, more than 0"):
        read_settings(pytestconfig)


class Mine(ServerKind):
    """A kind that somebody adds."""

    name = "mine"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        return Launch(self.argv(serve, port))


def test_a_hook_may_return_one_kind_alone(pytestconfig: pytest.Config) -> None:
    class Plugin:
        def pytest_llmbench_server_kinds(self) -> ServerKind:
            return Mine()

    plugin = Plugin()
    pytestconfig.pluginmanager.register(plugin)
    try:
        assert isinstance(server_kinds(pytestconfig)["mine"], Mine)
    finally:
        pytestconfig.pluginmanager.unregister(plugin)
