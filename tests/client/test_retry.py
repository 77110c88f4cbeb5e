from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import stamina

from pytest_llmbench.client.retry import RetryPolicy, TryAgainError, retry_after_s, with_retries
from pytest_llmbench.errors import EndpointError

DATE = "Sat, 21 Nov 2026 10:00:00 GMT"


class Flaky:
    """Fails with each error in turn, then returns `ok`."""

    def __init__(self, *errors: Exception) -> None:
        self.calls = 0
        self._errors = list(errors)

    async def __call__(self) -> str:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return "ok"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Turn the real pauses on, but let them take no time."""
    slept: list[float] = []

    async def sleep(delay: float) -> None:
        slept.append(delay)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    stamina.set_testing(False)
    return slept


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Live nine hours before UTC."""
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_success_needs_one_call() -> None:
    assert asyncio.run(with_retries(Flaky(), RetryPolicy())) == ("ok", 1)


def test_the_pauses_grow_and_vary(pauses: list[float]) -> None:
    assert asyncio.run(with_retries(Flaky(*[TryAgainError("busy")] * 3), RetryPolicy())) == ("ok", 4)
    assert all(low <= pause <= low + 0.5 for low, pause in zip([0.5, 1, 2], pauses, strict=True))
    asyncio.run(with_retries(Flaky(*[TryAgainError("busy")] * 3), RetryPolicy()))
    assert pauses[:3] != pauses[3:], "there is no jitter"


def test_the_server_decides_the_pause(pauses: list[float]) -> None:
    flaky = Flaky(TryAgainError("busy", 17.0), TryAgainError("busy", 0.0))
    assert asyncio.run(with_retries(flaky, RetryPolicy())) == ("ok", 3)
    assert pauses == [17.0, 0.0]


def test_a_pause_over_the_bound_is_refused() -> None:
    flaky = Flaky(TryAgainError("HTTP 429", 3600.0))
    with pytest.raises(EndpointError, match=r"HTTP 429.*asks to wait 3600 s, more than the 60 s"):
        asyncio.run(with_retries(flaky, RetryPolicy()))
    assert flaky.calls == 1


def test_it_gives_up() -> None:
    flaky = Flaky(*[TryAgainError("HTTP 503")] * 9)
    with pytest.raises(EndpointError, match=r"HTTP 503 \(gave up after 4 attempts\)"):
        asyncio.run(with_retries(flaky, RetryPolicy()))
    assert flaky.calls == 4


@pytest.mark.parametrize("error", [EndpointError("half an answer"), ValueError("a bug"), TimeoutError()])
def test_other_errors_are_not_retried(error: Exception) -> None:
    flaky = Flaky(error)
    with pytest.raises(type(error)) as caught:
        asyncio.run(with_retries(flaky, RetryPolicy()))
    assert caught.value is error
    assert flaky.calls == 1


@pytest.mark.parametrize(
    ("value", "wanted_s"),
    [("0", 0), ("120", 120), (" 2 ", 2), ("1.5", 1.5), ("-1", None), ("soon", None), ("", None), ("1e3", None), ("²", None),
     ("Sat, 21 Nov 2026 10:00:30 GMT", 30), ("Sat, 21 Nov 2026 10:00:30 -0000", 30), ("Sat, 21 Nov 2026 12:00:30 +0200", 30),
     ("Sat, 21 Nov 2026 09:00:00 GMT", 0), ("Saturday, 21-Nov-26 10:00:30 GMT", 30), ("Sat Nov 21 10:00:30 2026", 30),
     ("Sat, 99 Nov 2026 10:00:30 GMT", None), (f"Sat, 21 Nov {'9' * 20} 10:00:30 GMT", None), (f"Sat, 21 Nov 2026 10:00:30 +{'9' * 20}", None)],
)  # fmt: skip
@pytest.mark.usefixtures("far_east")
def test_retry_after(value: str, wanted_s: float | None) -> None:
    assert retry_after_s({"retry-after": value, "date": DATE}) == wanted_s


def test_retry_after_absent() -> None:
    assert retry_after_s({}) is None


def test_a_date_without_the_servers_clock_is_held_against_ours() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1000), usegmt=True)
    wait_s = retry_after_s({"retry-after": soon})
    assert wait_s is not None
    assert 800 < wait_s <= 1000
