from __future__ import annotations

import asyncio

import pytest

from pytest_llmbench.provision.health import is_well
from tests.client.scripted_server import refusing_url
from tests.provision.pages import pages


@pytest.mark.parametrize(("page", "well"), [({}, True), (503, False), (404, False)])
def test_only_200_is_well(page: object, well: bool) -> None:  # noqa: FBT001
    with pages({"/health": page}) as server:
        assert asyncio.run(is_well(f"{server.root}/health", "sk-key")) is well
    assert server.asked == [("/health", "Bearer sk-key")]


def test_where_nobody_listens_nobody_is_well() -> None:
    with refusing_url() as url:
        assert not asyncio.run(is_well(url, None))


def test_a_key_that_cannot_be_sent_is_no_error_of_the_look() -> None:
    with pages({"/health": {}}) as server:
        assert not asyncio.run(is_well(f"{server.root}/health", "two words"))
