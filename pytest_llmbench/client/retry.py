"""Which failures are worth another attempt, and after which pause."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import stamina

from pytest_llmbench.errors import EndpointError

RETRIED_STATUS = frozenset({429, 503})

T = TypeVar("T")


class TryAgainError(EndpointError):
    """The request failed before any of an answer came, in a way that may pass.

    Args:
        message: as of every `EndpointError`.
        retry_after_s: how long the server asks to wait; None if it does not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently."""

    attempts: int = 4
    """The first one included."""
    wait_initial_s: float = 0.5
    """Before the second attempt; doubled for each further one."""
    wait_max_s: float = 20.0
    wait_jitter_s: float = 0.5
    """Up to this much is added, so that requests refused together do not come back together."""
    retry_after_max_s: float = 60.0
    """A server that asks for more is not waited for."""

    def pause(self, error: Exception) -> bool | float:
        """Return whether to try again, or after how many seconds: what stamina asks of its `on` hook."""
        if not isinstance(error, TryAgainError):
            return False
        if error.retry_after_s is None:
            return True
        return error.retry_after_s if error.retry_after_s <= self.retry_after_max_s else False


async def with_retries(ask: Callable[[], Awaitable[T]], policy: RetryPolicy) -> tuple[T, int]:
    """Call `ask` until it succeeds; return its result and the number of calls.

    Raises:
        EndpointError: what the last call raised, with the reason for giving up.
    """
    calls = 0
    try:
        async for attempt in stamina.retry_context(
            on=policy.pause,
            attempts=policy.attempts,
            timeout=None,  # the caller's total time-out covers pauses too
            wait_initial=policy.wait_initial_s,
            wait_max=policy.wait_max_s,
            wait_jitter=policy.wait_jitter_s,
        ):
            with attempt:
                calls += 1
                return await ask(), calls
    except TryAgainError as error:
        raise EndpointError(f"{error} ({_why_given_up(error, policy, calls)})") from error
    raise AssertionError("stamina ended without a result or an error")


def _why_given_up(error: TryAgainError, policy: RetryPolicy, calls: int) -> str:
    if error.retry_after_s is not None and error.retry_after_s > policy.retry_after_max_s:
        return f"it asks to wait {error.retry_after_s:.0f} s, more than the {policy.retry_after_max_s:g} s that we wait"
    return f"gave up after {calls} attempt{'s' if calls > 1 else ''}"


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` in either of its forms: seconds, or the date to wait for; None if absent or malformed.

    Args:
        headers: of the response, looked up by their lower-case names.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return float(value)
    until = _date(value)
    if until is None:
        return None
    # The date is on the server's clock, and so is `Date`; ours may be wrong by more than the pause.
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # a year or an offset of twenty digits
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
