"""Sandboxes that are opened once, and a host full of bait."""

from __future__ import annotations

import pytest

from pytest_llmbench.sandbox import KINDS, open_sandbox
from pytest_llmbench.sandbox.api import Sandbox

_opened: dict[str, Sandbox] = {}


def opened(kind: str) -> Sandbox:
    if kind not in _opened:
        _opened[kind] = open_sandbox(kind)
    return _opened[kind]


@pytest.fixture
def bubblewrap() -> Sandbox:
    return opened("bubblewrap")


@pytest.fixture
def unsandboxed() -> Sandbox:
    return opened("none")


@pytest.fixture(params=sorted(KINDS))
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Every kind: what holds for one holds for all."""
    kind: str = request.param
    return opened(kind)
