"""The servers of a run, for the process that the user started: what they need to know of its tests and its terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING

from pytest_llmbench.nodeids import read_speed_id
from pytest_llmbench.provision.kept import Wishes
from pytest_llmbench.provision.neighbour import Neighbour
from pytest_llmbench.provision.owner import Owner

if TYPE_CHECKING:
    import pytest

    from pytest_llmbench.model.endpoint import Endpoint
    from pytest_llmbench.run import Run
    from pytest_llmbench.runfolder import RunFolder

Hide = Callable[[], AbstractContextManager[None]]


class Servers:
    """Those to start are up while tests want them, and gone when this is closed; of the others it is told what they are."""

    def __init__(self, run: Run, folder: RunFolder, speed_tests: Sequence[str], hide: Hide | None = None) -> None:
        """Begin.

        Args:
            run: whose servers they are.
            folder: of the run.
            speed_tests: node ids of those that were collected.
            hide: takes away what else is shown on the terminal, for a time; None if nothing is.
        """
        self._terminal = Terminal(run.config, hide)
        self._left = {nodeid: read_speed_id(nodeid, run.measurable_names, *run.roots) for nodeid in speed_tests}
        endpoints, kinds = run.settings.endpoints, run.server_kinds
        self._owner = Owner(endpoints, kinds, folder, Wishes(is_pending=self._is_pending, tell=self._terminal.tell))
        self._owner.start()
        self._neighbours = [
            Neighbour(one, kinds, self._terminal.tell)
            for one in endpoints
            if one.url is not None and one.problem is None
        ]

    def done(self, nodeid: str) -> None:
        """Note that a test has ended."""
        self._left.pop(nodeid, None)

    def close(self) -> Mapping[str, Endpoint]:
        """Stop what was started, and return the endpoints that have a server, with what is known of it."""
        self._owner.close()
        others = {one.name: one.leave() for one in self._neighbours}
        self._terminal.close()
        return {**self._owner.served, **others}

    @property
    def known(self) -> Mapping[str, Endpoint]:
        """The endpoints that have a server, with what is known of it so far."""
        return {**self._owner.served, **{one.name: one.known for one in self._neighbours}}

    def _is_pending(self, endpoint: str) -> bool:
        return endpoint in list(self._left.values())


class Terminal:
    """Tells what goes on while tests run; whatever they print is captured, this is not."""

    def __init__(self, config: pytest.Config, hide: Hide | None = None) -> None:
        """Begin; before the first test runs, as then nothing is captured yet."""
        self._hide = hide or nullcontext
        self._config = config
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
        self._told_at = 0
        """Column in which pytest was when we wrote last."""
        wanted = self._reporter is not None and self._reporter.verbosity >= 0
        try:
            self._fd = os.dup(sys.stdout.fileno()) if wanted else None
        except (OSError, ValueError):  # no file, as in a notebook
            self._fd = None

    def tell(self, line: str) -> None:
        """Write a line of its own; from any thread."""
        if self._fd is None or self._reporter is None:
            return
        with self._hide():
            at = self._config.get_terminal_writer().width_of_current_line
            is_amid = at and (self._reporter.currentfspath is not None or at != self._told_at)
            line_end = "\n" if is_amid else ""  # of a line of dots, once
            self._told_at = at
            self._reporter.currentfspath = None  # so that pytest names its file again before the next dot
            with suppress(OSError):  # nobody reads it any more, or the disk is full: no reason to let the server down
                os.write(self._fd, f"{line_end}llmbench: {line}\n".encode("utf-8", "replace"))

    def close(self) -> None:
        """End."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
