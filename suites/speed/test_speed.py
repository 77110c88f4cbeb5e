"""How fast is the endpoint? Each test measures one workload and asserts the bars that were set for it."""

from __future__ import annotations

import pytest

from pytest_llmbench import Measure
from pytest_llmbench.speed import workloads
from pytest_llmbench.speed.workloads import Workload

pytestmark = pytest.mark.speed


def test_single_stream(measure: Measure) -> None:
    """One request at a time: what a single user sees."""
    short = measure.shortfalls(measure(workloads.SINGLE_STREAM))
    assert not short, "; ".join(short)


def test_sweep(measure: Measure) -> None:
    """More and more requests at a time, until the server gives no more."""
    short = measure.shortfalls(*measure.sweep(workloads.SWEEP))
    assert not short, "; ".join(short)


@pytest.mark.parametrize("workload", [pytest.param(cell, id=name) for name, cell in workloads.depth_matrix()])
def test_depth(measure: Measure, workload: Workload) -> None:
    """A question at the end of a long context, and short to long answers."""
    short = measure.shortfalls(measure(workload))
    assert not short, "; ".join(short)


@pytest.mark.parametrize("workload", [pytest.param(cell, id=name) for name, cell in workloads.SHAPES.items()])
def test_shape(measure: Measure, workload: Workload) -> None:
    """What people really ask: short and long, code, and the turns of an agent."""
    short = measure.shortfalls(measure(workload))
    assert not short, "; ".join(short)


def test_prefill(measure: Measure) -> None:
    """How fast prompts are read: the slope of TTFT over their length."""
    short = measure.shortfalls(measure(workloads.PREFILL))
    assert not short, "; ".join(short)


def test_cached_prefix(measure: Measure) -> None:
    """The same beginning again and again, which the server may keep."""
    short = measure.shortfalls(measure(workloads.CACHED_PREFIX))
    assert not short, "; ".join(short)


def test_open_loop(measure: Measure) -> None:
    """Requests that arrive by themselves, whether the server keeps up or not."""
    short = measure.shortfalls(measure(workloads.OPEN_LOOP))
    assert not short, "; ".join(short)
