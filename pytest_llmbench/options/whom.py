"""Whom a run asks, and with what it is compared."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.endpoint import Endpoint, Sampling
from pytest_llmbench.options.given import is_given, typed_path, value_of
from pytest_llmbench.options.table import option_named

if TYPE_CHECKING:
    from pytest_llmbench.model.runrecord import RunRecord
    from pytest_llmbench.servers.kind import ServerKind


def server_kinds(config: pytest.Config) -> Mapping[str, ServerKind]:
    """Return the kinds of servers that can be started, by name: ours and those that conftest files and plugins add."""
    from pytest_llmbench.servers.registry import kinds

    found = config.hook.pytest_llmbench_server_kinds()
    return kinds(chain.from_iterable(some if isinstance(some, Iterable) else (some,) for some in found))


def endpoints_of(config: pytest.Config, sampling: Sampling, begun: RunRecord | None) -> tuple[Endpoint, ...]:
    """Return who is asked; servers are asked for their models.

    Raises:
        UsageFault: see `pytest_llmbench.endpoints.resolve`.
    """
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


def drawn_from(config: pytest.Config, endpoints: Iterable[Endpoint]) -> Mapping[str, int]:
    """Return seed and samples as given, else those of the run that is judged again, if it is one."""
    found = {name: value_of(config, name) for name in ("seed", "samples") if is_given(config, option_named(name))}
    if not any(endpoint.replay for endpoint in endpoints):
        return found
    from pytest_llmbench.endpoints.replay import replayed_run

    run = replayed_run(endpoints)
    return found if run is None else {"seed": run.seed, "samples": run.samples} | found


def baseline_of(config: pytest.Config, endpoints: Iterable[Endpoint]) -> tuple[str | None, str | None]:
    """Return the path of a report, or the name of an endpoint; both None if there is no baseline.

    Raises:
        UsageFault: it is neither.
    """
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
