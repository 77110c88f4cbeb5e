"""Whether it was the client, not the server, that set the limit of what was measured."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pytest_llmbench.client.recorder.stamps import kernel_stamps

PERIOD_S = 0.01
"""How often the event loop is asked whether it comes in time."""

MAX_CPU_SHARE = 0.7
"""Of one core; one event loop cannot use more than that one, and near it everything queues."""

MAX_LAG_S = 0.005
"""Of the event loop, p99, where its own clock takes the times: so late may be one time in a hundred."""

MAX_LAG_STAMPED_S = 0.02
"""The same where the kernel takes them: what comes meanwhile shares one stamp, but no stamp is late."""

MAX_DRAIN_SHARE = 0.5
"""Of the rate at which this client drains a flood that costs the server nothing."""


@dataclass(frozen=True, slots=True)
class ClientLoad:
    """What a measurement cost this process, and how well it kept up."""

    wall_s: float
    cpu_s: float
    """Of all threads of this process."""
    loop_lag_p99_s: float | None
    """How late the event loop woke up; None if it was never asked."""
    loop_lag_max_s: float | None
    has_kernel_stamps: bool
    """Whether times are the kernel's, which a late loop does not spoil."""

    @property
    def cpu_share(self) -> float:
        """Cores that this process kept busy; 1 is one core."""
        return self.cpu_s / self.wall_s


class LoadWatch:
    """Watches the running event loop and this process from entering to leaving the context; `load` is then there."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lags_s: list[float] = []
        self._timer: asyncio.TimerHandle | None = None
        self._began_s = 0.0
        self._began_cpu_s = 0.0
        self.load: ClientLoad | None = None

    def __enter__(self) -> Self:
        self._began_s, self._began_cpu_s = time.monotonic(), time.process_time()
        self._ask_again()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        now_s = time.monotonic()
        if self._timer is not None:
            # It may be overdue: a loop that was held up until now has been late all that time.
            self._lags_s.append(max(0.0, now_s - self._timer.when()))
            self._timer.cancel()
        self.load = ClientLoad(
            wall_s=now_s - self._began_s,
            cpu_s=time.process_time() - self._began_cpu_s,
            loop_lag_p99_s=_percentile(self._lags_s, 0.99),
            loop_lag_max_s=max(self._lags_s, default=None),
            has_kernel_stamps=kernel_stamps(),
        )

    def _ask_again(self) -> None:
        self._timer = self._loop.call_later(PERIOD_S, self._woken)

    def _woken(self) -> None:
        if self._timer is not None:
            self._lags_s.append(self._loop.time() - self._timer.when())
        self._ask_again()


def client_limit(load: ClientLoad, seen_tok_s: float | None = None, drain_tok_s: float | None = None) -> str | None:
    """Say why the figures of a measurement may be the client's; None if they are the server's.

    Args:
        load: of this process during the measurement.
        seen_tok_s: tokens per second that all streams brought together; None if unknown.
        drain_tok_s: what `self_test` found that this client can take; None if it did not run.
    """
    reasons = []
    if load.cpu_share > MAX_CPU_SHARE:
        reasons.append(f"it kept {load.cpu_share:.0%} of a core busy (bound {MAX_CPU_SHARE:.0%})")
    max_lag_s = MAX_LAG_STAMPED_S if load.has_kernel_stamps else MAX_LAG_S
    if load.loop_lag_p99_s is not None and load.loop_lag_p99_s > max_lag_s:
        late_ms, max_ms = 1000 * load.loop_lag_p99_s, 1000 * max_lag_s
        reasons.append(f"its event loop woke up {late_ms:.1f} ms late at p99 (bound {max_ms:g} ms)")
    if seen_tok_s is not None and drain_tok_s is not None and seen_tok_s > MAX_DRAIN_SHARE * drain_tok_s:
        reasons.append(
            f"it took {seen_tok_s:,.0f} tok/s of the {drain_tok_s:,.0f} tok/s that it can take (bound {MAX_DRAIN_SHARE:.0%})"
        )
    return f"the client may have set the limit: {'; '.join(reasons)}" if reasons else None


def _percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value below or at which that share of all lies, one of the values itself."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else None
