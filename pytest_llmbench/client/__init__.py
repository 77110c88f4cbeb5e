"""Talks to an endpoint over HTTP. Importing it imports httpx, so it is imported where it is used."""

from pytest_llmbench.client.chat import Received, build_body, complete, open_client, receive
from pytest_llmbench.client.glimpse import Glimpse, Onlooker
from pytest_llmbench.client.limits import ClientLoad, LoadWatch, client_limit
from pytest_llmbench.client.models import list_models
from pytest_llmbench.client.retry import RetryPolicy
from pytest_llmbench.client.selftest import SelfTest, self_test
from pytest_llmbench.client.timeouts import Timeouts

__all__ = [
    "ClientLoad",
    "Glimpse",
    "LoadWatch",
    "Onlooker",
    "Received",
    "RetryPolicy",
    "SelfTest",
    "Timeouts",
    "build_body",
    "client_limit",
    "complete",
    "list_models",
    "open_client",
    "receive",
    "self_test",
]
