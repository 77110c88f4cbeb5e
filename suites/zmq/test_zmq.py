"""Block notifier over ZeroMQ: does the socket stay with one thread, and does the notifier let go?"""

from __future__ import annotations

import pytest

from pytest_llmbench import Observe

from . import judge
from .session import DEADLINE_S


@pytest.mark.concurrency
def test_socket_ownership(observe: Observe) -> None:
    """Messages arrive exactly, and only the listener thread ever touches the SUB socket."""
    seen = observe(judge.working_hours)
    assert seen.delivery.mismatch is None, seen.delivery.mismatch
    assert not seen.foreign_operations, "the SUB socket does not belong to the listener thread alone: " + "; ".join(
        seen.foreign_operations
    )
    assert seen.unseen is None, f"who handles the SUB socket could not be seen: {seen.unseen}"


@pytest.mark.concurrency
@pytest.mark.robustness
def test_clean_shutdown(observe: Observe) -> None:
    """Messages arrive exactly, and `stop()` ends the listener whatever is going on, with nothing left behind."""
    for scenario in (judge.quiet_evening, judge.busy_evening, judge.false_start):
        seen = observe(scenario)
        assert seen.delivery.mismatch is None, seen.delivery.mismatch
        for stop in seen.stops:
            # The letter says 5 s; three times that is allowed, so that a loaded grader does not fail a good answer.
            assert stop.took_s is not None, f"stop() {stop.situation} did not return within {DEADLINE_S:g} s"
            assert stop.raised is None, f"stop() {stop.situation} raised {stop.raised}"
            assert stop.threads_left == 0, f"stop() {stop.situation} returned with {stop.threads_left} threads running"
            assert stop.sockets_left == 0, f"stop() {stop.situation} returned with the SUB socket open"
        last = seen.stops[-1].situation
        assert seen.connections_left == 0, f"after stop() {last} the connection to bitcoind was still there"
        assert seen.late_calls == 0, (
            f"after stop() {last} had returned, the callback was called {seen.late_calls} times"
        )
        assert seen.threads_left <= seen.threads_before, (
            f"after stop() {last} the process still had {seen.threads_left} threads, libzmq's own included; "
            f"{seen.threads_before} before"
        )
        assert seen.exit is not None, f"after stop() {last} the process did not end when its main thread returned"
        assert seen.exit.status == 0, f"after stop() {last} the process ended with {seen.exit}"
