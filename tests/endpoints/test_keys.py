from __future__ import annotations

import pytest

from pytest_llmbench.endpoints.keys import check_key, read_key
from pytest_llmbench.errors import UsageFault


def test_a_key_is_read_where_a_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEBRA_KEY", "sk-1")
    assert read_key("ZEBRA_KEY") == "sk-1"
    assert read_key("ZEBRA_KEY", {"ZEBRA_KEY": "sk-2"}) == "sk-2"
    assert read_key("ZEBRA_KEY", {}) is None
    assert read_key(None) is None


def test_a_variable_that_is_named_must_hold_a_key() -> None:
    check_key(None, {}, "models.yaml:3")
    check_key("ZEBRA_KEY", {"ZEBRA_KEY": "sk-1"}, "models.yaml:3")
    with pytest.raises(UsageFault, match=r"^models\.yaml:3: the environment variable ZEBRA_KEY is not set; export it"):
        check_key("ZEBRA_KEY", {"ZEBRA_KEY": ""}, "models.yaml:3")
