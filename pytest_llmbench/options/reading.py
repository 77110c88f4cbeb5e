"""All options together -> the frozen `Settings` of a run."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.endpoint import Endpoint, Sampling
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.options.given import is_given, typed_path, value_of
from pytest_llmbench.options.table import OPTIONS, option_named

if TYPE_CHECKING:
    from pytest_llmbench.model.runrecord import RunRecord
    from pytest_llmbench.servers.kind import ServerKind


def read_settings(config: pytest.Config) -> Settings:
    """Decide what the run does; asks servers for their models if endpoints were given.

    Raises:
        UsageFault: see `pytest_llmbench.endpoints.resolve`.
    """
    for option in OPTIONS:
        value_of(config, option.name)  # so that no mistake waits for a server that is slow to answer
    now = datetime.now(UTC)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    out = config.rootpath / ".llmbench" / run_id
    if (given := value_of(config, "out")) is not None:
        out = _run_folder(config, given)
    begun = _begun(config)
    sampling = _sampling(config, begun)
    endpoints = _endpoints(config, sampling, begun)
    drawn = _replayed(config, endpoints)
    for endpoint in endpoints:
        if endpoint.replay and Path(endpoint.replay).is_relative_to(out):
            raise UsageFault(f"--llm-out={out} is what {endpoint.name} replays; name another folder for the new run")
    baseline, baseline_endpoint = _baseline(config, endpoints)
    settings = Settings(
        endpoints=endpoints,
        out=str(out),
        run_id=run_id,
        started_at=now.isoformat(timespec="milliseconds"),
        seed=drawn.get("seed", random.SystemRandom().randrange(2**32)),
        samples=drawn.get("samples", 1),
        concurrency=value_of(config, "concurrency"),
        timeout_s=value_of(config, "timeout"),
        sandbox=value_of(config, "sandbox"),
        reports=value_of(config, "report"),
        sweep=value_of(config, "sweep"),
        min_tok_s=value_of(config, "min-tok-s"),
        max_ttft_s=value_of(config, "max-ttft"),
        goodput=value_of(config, "goodput"),
        baseline=baseline,
        baseline_endpoint=baseline_endpoint,
        fail_under=value_of(config, "fail-under"),
        drop=value_of(config, "drop"),
        min_coverage=value_of(config, "min-coverage"),
        must_pass=value_of(config, "must-pass"),
        allow_different=value_of(config, "allow-different"),
        sampling=sampling,
    )
    settings = settings if begun is None else _gone_on(config, begun, settings)
    _refuse_two_formats_of_one_file(settings)
    return settings


def settings_to_text(settings: Settings) -> str:
    """Serialise for an xdist worker."""
    from pytest_llmbench.model.codec import encode

    return encode(settings).decode()


def settings_from_text(text: str) -> Settings:
    """Read what the controller sent."""
    from pytest_llmbench.model.codec import decode

    return decode(text.encode(), Settings)


def server_kinds(config: pytest.Config) -> Mapping[str, ServerKind]:
    """Return the kinds of servers that can be started, by name: ours and those that conftest files and plugins add."""
    from pytest_llmbench.servers.registry import kinds

    found = config.hook.pytest_llmbench_server_kinds()
    return kinds(chain.from_iterable(some if isinstance(some, Iterable) else (some,) for some in found))


def _begun(config: pytest.Config) -> RunRecord | None:
    """Return the run to go on with; None if this is a new one."""
    given = value_of(config, "resume")
    if given is None:
        return None
    from pytest_llmbench.resuming import read_run

    return read_run(_resumed_folder(config, given))


def _gone_on(config: pytest.Config, begun: RunRecord, asked: Settings) -> Settings:
    from pytest_llmbench import client
    from pytest_llmbench.resuming import DECIDING, go_on

    given = {one.name for one in OPTIONS if is_given(config, one, typed=one.name in DECIDING)}
    folder = _resumed_folder(config, value_of(config, "resume"))
    return go_on(folder, begun, asked, given, os.environ, client.list_models)


def _resumed_folder(config: pytest.Config, given: str) -> Path:
    return Path(os.path.normpath(typed_path(config, given)))


def _run_folder(config: pytest.Config, given: str) -> Path:
    out = Path(os.path.normpath(typed_path(config, given)))
    if any(place.is_relative_to(out) for place in (config.invocation_params.dir, config.rootpath)):
        raise UsageFault(
            f"--llm-out={given}: wanted a folder of its own, got one that holds your work; use {given}/NAME"
        )
    return out


def _sampling(config: pytest.Config, begun: RunRecord | None) -> Sampling:
    """Return the sampling of endpoints that say nothing else."""
    given = {
        field: value_of(config, name)
        for name, field in (("temperature", "temperature"), ("max-tokens", "max_tokens"))
        if begun is None or is_given(config, option_named(name), typed=True)
    }
    return replace(Sampling() if begun is None else begun.settings.sampling, **given)


def _endpoints(config: pytest.Config, sampling: Sampling, begun: RunRecord | None) -> tuple[Endpoint, ...]:
    if begun is not None and not is_given(config, option_named("endpoint"), typed=True):
        return begun.settings.endpoints
    specs = value_of(config, "endpoint")
    if not specs:
        return (Endpoint(name="reference", replay="", sampling=sampling),)
    from pytest_llmbench import client
    from pytest_llmbench.endpoints.resolve import Context, resolve_all

    path = typed_path(config, value_of(config, "config"))
    context = Context(
        sampling,
        path,
        os.environ,
        client.list_models,
        kinds=server_kinds(config),
        folder=config.invocation_params.dir,
    )
    return resolve_all(specs, context)


def _replayed(config: pytest.Config, endpoints: Iterable[Endpoint]) -> Mapping[str, int]:
    """Return seed and samples as given, else those of the run that is judged again, if it is one."""
    found = {name: value_of(config, name) for name in ("seed", "samples") if is_given(config, option_named(name))}
    if not any(endpoint.replay for endpoint in endpoints):
        return found
    from pytest_llmbench.endpoints.replay import replayed_run

    run = replayed_run(endpoints)
    return found if run is None else {"seed": run.seed, "samples": run.samples} | found


def _baseline(config: pytest.Config, endpoints: Iterable[Endpoint]) -> tuple[str | None, str | None]:
    """Return the path of a report, or the name of an endpoint; both None if there is no baseline."""
    given = value_of(config, "baseline")
    if given is None:
        return None, None
    from pytest_llmbench.model.codec import decode
    from pytest_llmbench.model.report import Report

    names = [endpoint.name for endpoint in endpoints]
    if given in names:
        if len(names) == 1:
            raise UsageFault(f"--llm-baseline={given}: is the only endpoint; name another one to compare with it")
        return None, given
    path = typed_path(config, given)
    path = path / "report.json" if path.is_dir() else path
    try:
        decode(path.read_bytes(), Report)
        return str(path), None
    except (OSError, ValueError) as error:
        raise UsageFault(
            f"--llm-baseline={given}: wanted a report.json or a run folder, or one of the endpoints "
            f"{', '.join(names)}: {error}"
        ) from error


def _refuse_two_formats_of_one_file(settings: Settings) -> None:
    """The second would replace the first, as any but JSON would the run's own report."""
    taken = {str(Path(settings.out, "report.json")): "json"}
    for target in settings.reports:
        first = taken.setdefault(os.path.normpath(target.path), target.format)
        if first != target.format:
            raise UsageFault(
                f"--llm-report={target.format}:{target.path}: {first} is written there, too; name another file"
            )
