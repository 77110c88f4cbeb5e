"""One start of one server: from the words that start it to the first answer, or to why there is none."""

from __future__ import annotations

import asyncio
import errno
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import closing
from dataclasses import dataclass, replace

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.endpoint import ServerInfo
from pytest_llmbench.model.serving import Cause, Failure, Phase
from pytest_llmbench.provision.beforehand import Beforehand, environment
from pytest_llmbench.provision.facts import what_runs
from pytest_llmbench.provision.health import Place
from pytest_llmbench.provision.ports import free_port, holder, is_taken, root_url
from pytest_llmbench.provision.process import ServerProcess
from pytest_llmbench.provision.start import Start
from pytest_llmbench.provision.waiting import End, wait
from pytest_llmbench.servers.advice import HELP
from pytest_llmbench.servers.kind import Launch

POLL_S = 0.05
PORTS = 3
"""How many free ports are tried: between the look at one and the server's own, somebody may take it."""

_WHY_NOT_STARTED = {
    errno.EACCES: Cause.PERMISSION,
    errno.EPERM: Cause.PERMISSION,
    errno.ECHILD: Cause.KILLED,
}


@dataclass(frozen=True, slots=True)
class Running:
    """A server that has answered."""

    process: ServerProcess
    root: str
    """URL without a path."""
    url: str
    """Base URL of its API."""
    health_url: str
    model: str
    info: ServerInfo


def bring_up(start: Start) -> Running | Failure:
    """Start a server and wait for its first answer; whatever else happens, nothing of it is left running."""
    serve = start.serve
    if serve.port is not None:
        return _on_port(start, serve.port)
    for _ in range(PORTS):
        found = _on_port(start, free_port(serve.host))
        if isinstance(found, Running) or found.cause is not Cause.PORT_IN_USE:
            break
    return found


def _on_port(start: Start, port: int) -> Running | Failure:
    serve = start.serve
    if is_taken(serve.host, port):
        who = holder(serve.host, port) or "another program"
        return _not_started(Cause.PORT_IN_USE, f"{serve.host}:{port} is in use by {who}")
    try:
        launch = start.kind.launch(serve, port)
        process = ServerProcess(launch.argv, environment(launch, serve), serve.folder, start.log, serve.stop_timeout_s)
    except UsageFault as error:
        return _not_started(Cause.BAD_FLAG, str(error))
    except OSError as error:
        cause = _WHY_NOT_STARTED.get(error.errno or 0, Cause.PROGRAM_MISSING)
        return _not_started(cause, f"{error.filename or launch.argv[0]}: {error.strerror}")
    try:
        start.began(process)
        start.tell(f"starting {start.kind.name} (pid {process.pid}), log: {start.log}")
        return _bring_up(start, launch, process, root_url(serve.host, port))
    except BaseException:
        start.stop(process)
        raise


def _not_started(cause: Cause, line: str) -> Failure:
    return Failure(Phase.START, cause, line, HELP[cause].advice)


def _bring_up(start: Start, launch: Launch, process: ServerProcess, root: str) -> Running | Failure:
    serve, kind = start.serve, start.kind
    url = f"{root}{kind.api_path}"
    model = start.endpoint.model or kind.wanted_model(serve)
    place = Place(replace(start.endpoint, url=url, model=model), f"{root}{kind.health_path}", start.api_key)
    with closing(Beforehand(kind, serve, launch)) as beforehand:
        end = asyncio.run(wait(process, place, start.log, serve.ready_timeout_s, start.is_cancelled, start.tell))
        if end.model is None:
            return _failed(start, process, end)
        info = _facts(start, beforehand, root)
    start.tell(f"ready after {end.after_s:.1f} s at {url}")
    info = replace(info, load_s=end.after_s, log=start.log_name)
    return Running(process, root, url, place.health_url, end.model, info)


def _facts(start: Start, beforehand: Beforehand, root: str) -> ServerInfo:
    """Ask what runs; some of the answers take time, and are not worth it any more when the run is given up."""
    with ThreadPoolExecutor(1, "llmbench-facts") as pool:
        asked = pool.submit(what_runs, beforehand, root, api_key=start.api_key)
        while not wait_for([asked], POLL_S).done:
            if start.is_cancelled():
                beforehand.close()
        return asked.result()


def _failed(start: Start, process: ServerProcess, end: End) -> Failure:
    if end.ended is not None or end.is_cancelled:
        start.stop(process)  # before its log is read: what it left may have more to say
    if end.is_cancelled:
        return Failure(end.phase, Cause.KILLED, None, "the run was given up", None, end.after_s, start.log_name)
    failure = start.failure(end.phase, end.after_s, end.ended, said=end.said, is_late=end.is_late)
    if end.ended is None:
        start.stop(process)  # after its log is read: how it takes SIGTERM is no part of the problem
    return failure
