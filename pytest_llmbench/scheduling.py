"""How checks are dealt out to xdist workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

from pytest_llmbench.nodeids import read_check_id, read_speed_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController


class CaseScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no type information
    """All checks of one answer go to one worker, so that what one of them observed serves the others.

    xdist's own `loadgroup` would do the same, but writes the group into the test ids.
    """

    def __init__(
        self,
        config: pytest.Config,
        log: Producer | None,
        endpoints: frozenset[str],
        measurable: frozenset[str],
        roots: Sequence[Path] = (),
    ) -> None:
        """Begin.

        Args:
            config: of the controller.
            log: where xdist says what it does.
            endpoints: names of those whose checks are dealt out.
            measurable: names of those that have a speed.
            roots: where the ids of tests may begin; empty: at the root folder.
        """
        super().__init__(config, log)
        self._roots = tuple(roots) or (config.rootpath,)
        self._endpoints = endpoints
        self._measurable = measurable

    def _split_scope(self, nodeid: str) -> str:
        check = read_check_id(nodeid, self._endpoints, *self._roots)
        if check is not None:
            return "/".join(map(str, check.key))
        measured = read_speed_id(nodeid, self._measurable, *self._roots)
        # One after the other: two workers would only wait for each other.
        return nodeid if measured is None else f"speed/{measured}"

    def remove_node(self, node: WorkerController) -> str | None:
        """Take a worker that died out of the schedule, and return the test that it died of.

        xdist would deal that test out again with the rest of its group, to kill the next worker.
        """
        units = self.assigned_work.get(node, {}).values()
        died_of = next(((unit, nodeid) for unit in units for nodeid, done in unit.items() if not done), None)
        if died_of is not None:
            unit, nodeid = died_of
            unit[nodeid] = True
        super().remove_node(node)
        return None if died_of is None else nodeid
