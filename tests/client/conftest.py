from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def retries_without_pauses() -> Iterator[None]:
    """Take the pauses out of retries; their number stays what the policy says."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
