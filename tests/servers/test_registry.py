from __future__ import annotations

from typing import Any

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Launch, ServerKind
from pytest_llmbench.servers.registry import kind_named, kinds
from tests.servers.samples import KINDS


class Mine(ServerKind):
    """Of somebody else."""

    name = "vllm"

    def launch(self, serve: Serve, port: int) -> Launch:
        return Launch(self.argv(serve, port, "mine"))


def test_kinds_of_others_come_to_ours_and_may_replace_them() -> None:
    mine = Mine()
    known = kinds([mine])
    assert kind_named(known, "vllm", "here") is mine
    assert set(known) == set(KINDS)


def test_a_kind_of_that_name_must_exist() -> None:
    with pytest.raises(UsageFault, match=r"^models.yaml:3: no server kind 'vlm'; there are command, .*vllm$"):
        kind_named(KINDS, "vlm", "models.yaml:3")


def test_a_class_is_not_taken_for_a_kind() -> None:
    with pytest.raises(UsageFault, match="wanted instances of ServerKind, got <class"):
        kinds([Mine])  # type: ignore[list-item]


@pytest.mark.parametrize("name", [None, "", "my kind", "a:b", 3])
def test_a_kind_that_cannot_be_typed_is_refused(name: Any) -> None:
    class Nameless(Mine):
        pass

    Nameless.name = name
    with pytest.raises(UsageFault, match=r"server_kinds: Nameless\.name: wanted letters, digits, .*, got "):
        kinds([Nameless()])
