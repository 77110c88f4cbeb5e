from __future__ import annotations

import asyncio

import pytest

from pytest_llmbench.client import flood, selftest
from pytest_llmbench.client.selftest import self_test
from pytest_llmbench.errors import EndpointError


def test_the_client_drains_a_flood() -> None:
    found = asyncio.run(self_test(tokens=2000))
    assert 0 < found.whole_tok_s < found.drain_tok_s


def test_a_flood_that_does_not_come(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(flood, "__file__", f"{tmp_path}/none.py")
    with pytest.raises(EndpointError, match="self-test"):
        asyncio.run(selftest.self_test())
