"""Hooks of this plugin that conftest files and other plugins may implement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_llmbench.servers.kind import ServerKind


@pytest.hookspec
def pytest_llmbench_server_kinds() -> Iterable[ServerKind]:  # type: ignore[empty-body]
    """Return further kinds of model servers for `--llm-endpoint=KIND:MODEL` and `serve: {kind: KIND}` in models.yaml.

    A kind with the name of one of ours takes its place.
    """
