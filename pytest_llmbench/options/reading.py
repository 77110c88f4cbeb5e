"""All options together -> the frozen `Settings` of a run."""

from __future__ import annotations

import os
import random
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.endpoint import Sampling
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.options.given import is_given, typed_path, value_of
from pytest_llmbench.options.table import OPTIONS, option_named
from pytest_llmbench.options.whom import baseline_of, drawn_from, endpoints_of

if TYPE_CHECKING:
    from pytest_llmbench.model.runrecord import RunRecord


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
    endpoints = endpoints_of(config, sampling, begun)
    drawn = drawn_from(config, endpoints)
    for endpoint in endpoints:
        if endpoint.replay and Path(endpoint.replay).is_relative_to(out):
            raise UsageFault(f"--llm-out={out} is what {endpoint.name} replays; name another folder for the new run")
    baseline, baseline_endpoint = baseline_of(config, endpoints)
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


def _refuse_two_formats_of_one_file(settings: Settings) -> None:
    """The second would replace the first, as any but JSON would the run's own report."""
    taken = {str(Path(settings.out, "report.json")): "json"}
    for target in settings.reports:
        first = taken.setdefault(os.path.normpath(target.path), target.format)
        if first != target.format:
            raise UsageFault(
                f"--llm-report={target.format}:{target.path}: {first} is written there, too; name another file"
            )
