"""The servers of a run, for the process that the user started: what they need to know of its tests and its terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_llmbench.nodeids import read_speed_id
from pytest_llmbench.provision.owner import Owner, Wishes

if TYPE_CHECKING:
    import pytest

    from pytest_llmbench.model.endpoint import Endpoint
    from pytest_llmbench.run import Run
    from pytest_llmbench.runfolder import RunFolder


class Servers:
    """Up while tests want them, gone when this is closed."""

    def __init__(self, run: Run, folder: RunFolder, speed_tests: Sequence[str]) -> None:
        """Begin; `speed_tests` are the node ids of those that were collected."""
        self._terminal: pytest.TerminalReporter | None = run.config.pluginmanager.get_plugin("terminalreporter")
        self._left = {nodeid: read_speed_id(nodeid, run.endpoint_names) for nodeid in speed_tests}
        self._owner = Owner(
            run.settings.endpoints, run.server_kinds, folder, Wishes(is_pending=self._is_pending, tell=self._tell)
        )
        self._owner.start()

    def done(self, nodeid: str) -> None:
        """Note that a test has ended."""
        self._left.pop(nodeid, None)

    def close(self) -> Mapping[str, Endpoint]:
        """Stop all servers and return the endpoints that had one, as they were served."""
        self._owner.close()
        return self._owner.served

    def _is_pending(self, endpoint: str) -> bool:
        return endpoint in list(self._left.values())

    def _tell(self, line: str) -> None:
        if self._terminal is not None and self._terminal.verbosity >= 0:
            self._terminal.ensure_newline()
            self._terminal.write_line(f"llmbench: {line}")
