"""What the options of a run come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmbench import Launch, Serve, ServerKind
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
