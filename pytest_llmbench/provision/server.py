"""One start of one server: from the words that start it to the first answer, or to why there is none."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_llmbench import client
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.endpoint import Endpoint, ServerInfo
from pytest_llmbench.model.serving import Cause, Failure, Phase
from pytest_llmbench.provision.health import is_up
from pytest_llmbench.provision.ports import free_port, is_taken
from pytest_llmbench.provision.process import ServerProcess
from pytest_llmbench.servers.classify import classify
from pytest_llmbench.servers.kind import ServerKind

POLL_S = 0.1
TELL_EVERY_S = 10.0
WARM_UP = "Say OK."
WARM_UP_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Running:
    """A server that has answered."""

    process: ServerProcess
    url: str
    """Base URL of its API."""
    model: str
    info: ServerInfo


@dataclass(frozen=True, slots=True)
class Start:
    """What a start needs to know."""

    endpoint: Endpoint
    kind: ServerKind
    log: Path
    log_name: str
    """As the report calls it."""
    is_cancelled: Callable[[], bool]
    tell: Callable[[str], None]
    """Takes lines for the user who waits."""


def bring_up(start: Start) -> Running | Failure:
    """Start a server and wait for its first answer; whatever else happens, nothing of it is left running."""
    serve = start.endpoint.serve
    assert serve is not None  # noqa: S101 - for the type checker; others are not started
    port = free_port(serve.host) if serve.port is None else serve.port
    if is_taken(serve.host, port):
        return Failure(
            Phase.START,
            Cause.PORT_IN_USE,
            f"something listens on {serve.host}:{port} already",
            "stop it, or leave out `port` to get a free one",
        )
    launch = start.kind.launch(serve, port)
    environment = {**os.environ, **launch.env, **serve.env}
    try:
        process = ServerProcess(launch.argv, environment, serve.folder, start.log)
    except OSError as error:
        return Failure(
            Phase.START,
            Cause.PROGRAM_MISSING,
            f"{launch.argv[0]}: {error.strerror}",
            "install it, or name its path as `program`",
        )
    start.tell(f"starting {start.kind.name} (pid {process.pid}), log: {start.log}")
    try:
        found = _wait(start, process, f"http://{serve.host}:{port}")
    except BaseException:
        process.stop(serve.stop_timeout_s)
        raise
    if isinstance(found, Failure):
        process.stop(serve.stop_timeout_s)
    return found


def _wait(start: Start, process: ServerProcess, root: str) -> Running | Failure:
    serve = start.endpoint.serve
    assert serve is not None  # noqa: S101 - for the type checker
    began_s = time.monotonic()
    told_s = began_s
    while True:
        elapsed_s = time.monotonic() - began_s
        if process.ended is not None:
            return _failure(start, Phase.LOADING, elapsed_s, process.ended)
        if start.is_cancelled():
            return Failure(Phase.LOADING, Cause.KILLED, None, "the run was given up", after_s=elapsed_s)
        if elapsed_s > serve.ready_timeout_s:
            return _failure(start, Phase.NOT_READY, elapsed_s)
        if time.monotonic() - told_s >= TELL_EVERY_S:
            told_s = time.monotonic()
            start.tell(f"loading for {elapsed_s:.0f} s: {_last_line(start.log)}")
        if is_up(root + start.kind.health_path):
            break
        time.sleep(POLL_S)
    return _first_answer(start, process, root, began_s)


def _first_answer(start: Start, process: ServerProcess, root: str, began_s: float) -> Running | Failure:
    serve, endpoint = start.endpoint.serve, start.endpoint
    assert serve is not None  # noqa: S101 - for the type checker
    url = root + start.kind.api_path
    key = os.environ.get(endpoint.api_key_env) if endpoint.api_key_env else None
    left_s = max(1.0, serve.ready_timeout_s - (time.monotonic() - began_s))
    try:
        model = endpoint.model or start.kind.wanted_model(serve) or client.list_models(url, key)[0]
        asked = replace(endpoint, url=url, model=model, sampling=replace(endpoint.sampling, max_tokens=WARM_UP_TOKENS))
        asyncio.run(_ask(asked, key, left_s))
    except (EndpointError, IndexError) as error:
        time.sleep(POLL_S)
        elapsed_s = time.monotonic() - began_s
        if process.ended is not None:
            return _failure(start, Phase.LOADING, elapsed_s, process.ended)
        return replace(_failure(start, Phase.UNHEALTHY, elapsed_s), line=str(error))
    load_s = time.monotonic() - began_s
    start.tell(f"ready after {load_s:.1f} s at {url}")
    return Running(process, url, model, ServerInfo(kind=start.kind.name, load_s=load_s, log=start.log_name))


async def _ask(endpoint: Endpoint, key: str | None, timeout_s: float) -> None:
    timeouts = client.Timeouts(total_s=timeout_s, read_idle_s=timeout_s)
    async with client.open_client(timeouts) as http:
        await client.complete(http, endpoint, WARM_UP, api_key=key, timeouts=timeouts)


def _failure(start: Start, phase: Phase, after_s: float, ended: str | None = None) -> Failure:
    said = classify(start.log.read_text("utf-8", "replace"), start.kind.signatures)
    return Failure(phase, said.cause, said.line, said.advice, ended, after_s, start.log_name)


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")
