"""Answers that are there before the first test, of an earlier session or of another run: whether they are to these letters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_llmbench.keeping import refuse_changed, refuse_other_letters
from pytest_llmbench.nodeids import read_check_id, suite_folder
from pytest_llmbench.provenance import missing_line
from pytest_llmbench.reports.comparable import PROMPTS

if TYPE_CHECKING:
    from pytest_llmbench.run import Run


def look_at_suites(run: Run, nodeids: Sequence[str]) -> None:
    """See that the suites are as they were when they were asked; say what a run that is gone on with still wants.

    What xdist's controller cannot find of a suite, the workers look at.

    Raises:
        UsageFault: one is not.
    """
    settings = run.settings
    checks = {nodeid: read_check_id(nodeid, run.endpoint_names, *run.roots) for nodeid in nodeids}
    keys = {known.key for known in checks.values() if known is not None}
    seen = {suite_folder(nodeid, run.roots) for nodeid, known in checks.items() if known is not None}
    suites = sorted(folder for folder in seen if folder is not None)
    if PROMPTS not in settings.allow_different:
        refuse_other_letters([one.replay for one in settings.endpoints if one.replay], suites)
    if settings.session > 1:
        refuse_changed(Path(settings.out), suites)
        terminal = run.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and terminal.verbosity >= 0:
            terminal.ensure_newline()
            terminal.write_line(f"llmbench: {missing_line(settings, keys)}")
