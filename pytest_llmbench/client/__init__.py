"""Talks to an endpoint over HTTP. Importing it imports httpx, so it is imported where it is used."""

from pytest_llmbench.client.chat import build_body, complete, open_client
from pytest_llmbench.client.models import list_models
from pytest_llmbench.client.retry import RetryPolicy
from pytest_llmbench.client.timeouts import Timeouts

__all__ = ["RetryPolicy", "Timeouts", "build_body", "complete", "list_models", "open_client"]
