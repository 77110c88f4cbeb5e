from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.serving import Cause, Phase, Serve
from pytest_llmbench.provision.kept import Wishes
from pytest_llmbench.provision.lease import Lease, leased
from pytest_llmbench.provision.owner import Owner
from pytest_llmbench.provision.state import read_state
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.servers.command import Command
from pytest_llmbench.servers.registry import kinds
from tests.provision import diary_server

PATIENCE_S = 60.0


class Yard:
    """Some endpoints with servers that keep a diary, and an owner for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = RunFolder(folder / "run")
        self.diary = folder / "diary"
        self.endpoints: list[Endpoint] = []
        self.pending: set[str] = set()
        self.looks: Counter[str] = Counter()
        """How often the owner asked whether tests are left for an endpoint."""
        self.told: list[str] = []
        self.kinds = kinds()

    def add(self, name: str, *words: str, resources: tuple[str, ...] = ("gpu",), restarts: int = 0) -> Endpoint:
        program = (sys.executable, diary_server.__file__, "{port}", name, str(self.diary))
        serve = Serve("command", program=program, args=words, resources=resources, restarts=restarts)
        self.endpoints.append(Endpoint(name, serve=serve))
        return self.endpoints[-1]

    @contextmanager
    def owned(self) -> Iterator[Owner]:
        wishes = Wishes(is_pending=self._is_pending, tell=self.told.append)
        owner = Owner(self.endpoints, self.kinds, self.folder, wishes)
        owner.start()
        try:
            yield owner
        finally:
            owner.close()

    def _is_pending(self, name: str) -> bool:
        self.looks[name] += 1
        return name in self.pending

    def events(self) -> list[tuple[str, str]]:
        lines = self.diary.read_text().splitlines() if self.diary.exists() else []
        return [(name, event) for _, name, event in map(str.split, lines) if event != "asked"]


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def _until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_a_server_is_up_while_it_is_wanted_and_gone_at_the_end(yard: Yard) -> None:
    a = yard.add("a")
    with yard.owned() as owner:
        assert yard.events() == []
        with leased(yard.folder, a) as up:
            assert (up.name, up.model) == ("a", "a")
            assert up.url is not None
        served: Mapping[str, Endpoint] = owner.served
    assert yard.events() == [("a", "up"), ("a", "down")]
    assert served["a"].url == up.url
    assert served["a"].server.load_s is not None
    assert "ready after" in yard.told[-1]


def test_what_nobody_wants_is_not_started(yard: Yard) -> None:
    a, _ = yard.add("a"), yard.add("b", resources=("other",))
    with yard.owned(), leased(yard.folder, a):
        pass
    assert {name for name, _ in yard.events()} == {"a"}


def test_servers_that_share_a_resource_are_never_up_together(yard: Yard) -> None:
    leases = {name: Lease(yard.folder, yard.add(name)) for name in "abc"}
    for lease in leases.values():
        lease.take()
    told: list[tuple[str, str]] = []
    with yard.owned():
        for name, lease in leases.items():
            lease.wait()
            told.append((name, "up"))
            assert yard.events() == told  # and whoever is waited for next, is waiting already
            lease.drop()
            told.append((name, "down"))
    assert yard.events() == told


def test_servers_that_share_nothing_are_up_together(yard: Yard) -> None:
    a, b = yard.add("a", resources=("gpu0",)), yard.add("b", resources=("gpu1",))
    with yard.owned(), leased(yard.folder, a), leased(yard.folder, b):
        pass
    assert [event for _, event in yard.events()] == ["up", "up", "down", "down"]


def test_a_server_stays_for_tests_that_will_want_it_though_another_waits(yard: Yard) -> None:
    a, b = yard.add("a"), yard.add("b")
    yard.pending.add("a")
    with yard.owned() as owner:
        with leased(yard.folder, a):
            pass
        wish = Lease(yard.folder, b)
        wish.take()
        _until(lambda: owner._kept[0]._shared.resources.is_contended(0))
        looks = yard.looks["a"]
        _until(lambda: yard.looks["a"] >= looks + 3)  # the last but one look was in full knowledge, and decided
        assert yard.events() == [("a", "up")]
        yard.pending.clear()
        wish.wait()
        wish.drop()
    assert yard.events() == [("a", "up"), ("a", "down"), ("b", "up"), ("b", "down")]


def test_one_that_fails_says_why_to_all_who_ask_and_leaves_the_resource_to_others(yard: Yard) -> None:
    a, b = yard.add("a", "--no-such-flag"), yard.add("b")
    with yard.owned() as owner:
        with pytest.raises(EndpointError, match="a: died while loading"), leased(yard.folder, a):
            pass
        with leased(yard.folder, b):
            pass
        with pytest.raises(EndpointError, match="a: died while loading"), leased(yard.folder, a):
            pass
        failure = owner.served["a"].server.failure
    assert failure is not None
    assert failure.phase is Phase.LOADING
    assert failure.ended == "exit status 2"
    assert failure.log is not None
    assert "unrecognized arguments" in (yard.folder.path / failure.log).read_text()
    assert yard.events() == [("b", "up"), ("b", "down")]


def test_a_program_that_is_not_there_is_told_by_name(yard: Yard) -> None:
    serve = Serve("command", program=("/nonexistent/serve", "{port}"))
    yard.endpoints.append(Endpoint("a", serve=serve))
    with yard.owned() as owner:
        with pytest.raises(EndpointError, match="/nonexistent/serve"), leased(yard.folder, yard.endpoints[0]):
            pass
        failure = owner.served["a"].server.failure
    assert failure is not None
    assert (failure.phase, failure.cause) == (Phase.START, Cause.PROGRAM_MISSING)
    assert failure.log is None


def test_the_end_of_the_run_does_not_wait_for_one_that_loads(yard: Yard) -> None:
    a = yard.add("a", "--loads=600")
    wish = Lease(yard.folder, a)
    with yard.owned():
        wish.take()
        _until(lambda: yard.events() == [("a", "up")])
    wish.drop()
    assert yard.events()[-1] == ("a", "down")


def test_one_that_stops_for_another_is_not_asked_any_more(yard: Yard) -> None:
    a, b = yard.add("a", "--stops=2"), yard.add("b")
    with yard.owned():
        with leased(yard.folder, a) as first:
            pass
        other = Lease(yard.folder, b)
        other.take()
        _until(lambda: ("a", "told") in yard.events())
        wish = Lease(yard.folder, a)
        wish.take()
        assert read_state(yard.folder, "a").url is None
        other.wait()
        other.drop()
        assert wish.wait().url != first.url
        wish.drop()
    told = [("a", event) for event in ("up", "told", "down")]
    assert yard.events() == [*told, ("b", "up"), ("b", "down"), *told]


@pytest.mark.parametrize("words", [(), ("--leaves",)])
def test_one_that_dies_under_a_request_says_why_however_long_its_remains_take(yard: Yard, words: Sequence[str]) -> None:
    a = yard.add("a", "--dies-at=2", *words)
    died = pytest.raises(EndpointError, match=r"died while serving \(exit status 1\), NCCL")
    with yard.owned(), died, leased(yard.folder, a) as up:
        with suppress(httpx.HTTPError):
            httpx.post(f"{up.url}/chat/completions", json={}, trust_env=False)
        raise EndpointError("the connection was cut")


def test_what_went_wrong_under_a_server_that_lives_is_told_at_once_as_it_is(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_llmbench.provision.lease.NEWS_S", 10 * PATIENCE_S)
    a = yard.add("a")
    began_s = time.monotonic()
    with yard.owned(), pytest.raises(EndpointError, match=r"^HTTP 500$"), leased(yard.folder, a):
        raise EndpointError("HTTP 500")
    assert time.monotonic() - began_s < PATIENCE_S


def test_news_of_one_that_is_not_well_is_waited_for(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_dying(_url: str, _key: str | None) -> bool:
        process = owner._kept[0]._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        return False

    monkeypatch.setattr("pytest_llmbench.provision.lease.is_well", is_dying)
    monkeypatch.setattr("pytest_llmbench.provision.lease.NEWS_S", 10 * PATIENCE_S)
    a = yard.add("a")
    died = pytest.raises(EndpointError, match=r"^a: died while serving \(SIGKILL\), killed")
    with yard.owned() as owner, died, leased(yard.folder, a):
        raise EndpointError("HTTP 500")


def test_one_that_is_not_well_and_does_not_die_is_not_waited_for_for_ever(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_ill(_url: str, _key: str | None) -> bool:
        return False

    monkeypatch.setattr("pytest_llmbench.provision.lease.is_well", is_ill)
    monkeypatch.setattr("pytest_llmbench.provision.lease.NEWS_S", 0.1)
    a = yard.add("a")
    with yard.owned(), pytest.raises(EndpointError, match=r"^HTTP 500$"), leased(yard.folder, a):
        raise EndpointError("HTTP 500")


class Broken(Command):
    """Somebody else's kind, with a fault in it."""

    def wanted_model(self, serve: Serve) -> str | None:
        """See `ServerKind.wanted_model`."""
        unknown: dict[str, str] = {}
        return unknown[serve.kind]


def test_a_fault_of_a_kind_is_told_to_those_who_wait(yard: Yard) -> None:
    a, b = yard.add("a"), yard.add("b")
    yard.kinds = {"command": Broken()}
    with yard.owned() as owner:
        for endpoint in (a, b):
            with (
                pytest.raises(EndpointError, match=r"KeyError: 'command' \(.*test_owner.py:"),
                leased(yard.folder, endpoint),
            ):
                pass
        assert owner.served["a"].server.failure is not None
    assert "up" not in [event for _, event in yard.events()][2:]
