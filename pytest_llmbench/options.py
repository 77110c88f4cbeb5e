"""Command line, ini file and defaults -> `Settings`. Imports nothing heavy before an option asks for it."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.endpoint import DEFAULT_MAX_TOKENS, Endpoint, Sampling
from pytest_llmbench.model.settings import DROP_PERCENT, MIN_COVERAGE_PERCENT, SWEEP, ReportTarget, Settings

if TYPE_CHECKING:
    from pytest_llmbench.model.runrecord import RunRecord
    from pytest_llmbench.servers.kind import ServerKind

SANDBOXES = ("bubblewrap", "none")


@dataclass(frozen=True, slots=True)
class Option:
    """One option with its ini twin: `--llm-max-tokens` and `llm_max_tokens`."""

    name: str
    metavar: str
    help: str
    parse: Callable[[str], Any] = str
    default: Any = None
    repeatable: bool = False
    is_switch: bool = False
    """It takes no value."""

    @property
    def flag(self) -> str:
        """As on the command line."""
        return f"--llm-{self.name}"

    @property
    def dest(self) -> str:
        """As in the ini file and on `config.option`."""
        return f"llm_{self.name.replace('-', '_')}"


def _positive_int(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError("wanted 1 or more")
    return value


def _positive_float(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError("wanted more than 0")
    return value


def _temperature(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError("wanted 0 or more")
    return value


def _sandbox(text: str) -> str:
    if text not in SANDBOXES:
        raise ValueError(f"wanted {' or '.join(SANDBOXES)}")
    return text


def _percent(text: str) -> float:
    value = float(text.removesuffix("%"))
    if not 0 < value <= 100:  # noqa: PLR2004 - per cent
        raise ValueError("wanted more than 0 and at most 100")
    return value


def _check_name(text: str) -> str:
    suite, slash, check = text.partition("/")
    if not slash or not suite or not check or check.startswith("test_"):
        raise ValueError("wanted SUITE/CHECK, the check without test_, such as stratum/byte_order")
    return text


def _may_differ(text: str) -> str:
    from pytest_llmbench.reports.comparable import MAY_DIFFER

    if text not in MAY_DIFFER:
        raise ValueError(f"wanted one of: {', '.join(MAY_DIFFER)}")
    return text


def _levels(text: str) -> tuple[int, ...]:
    levels = tuple(_positive_int(part) for part in text.split(","))
    if list(levels) != sorted(set(levels)):
        raise ValueError("wanted numbers that grow")
    return levels


def _goodput(text: str) -> str:
    from pytest_llmbench.speed.goodput import read_bounds

    read_bounds(text)
    return text


def _report(text: str) -> ReportTarget:
    from pytest_llmbench.reports import FORMATS

    kind, colon, path = text.partition(":")
    if not colon or not path or kind not in FORMATS:
        raise ValueError(f"wanted FORMAT:PATH with FORMAT one of: {', '.join(FORMATS)}")
    return ReportTarget(kind, str(Path(os.path.expanduser(path)).absolute()))  # noqa: PTH111 - takes `~nobody` as it is


OPTIONS = (
    Option(
        "endpoint",
        "SPEC",
        "whom to ask: [NAME=]URL[#MODEL], [NAME=]KIND:MODEL (a server to start: vllm, llamacpp, …), [NAME=]replay:DIR "
        "or a name from models.yaml; repeatable; none: the bundled reference answers",
        repeatable=True,
    ),
    Option("config", "FILE", "file with endpoints by name (default: models.yaml)", default="models.yaml"),
    Option("samples", "N", "answers asked of each endpoint for each suite (default: 1)", _positive_int, 1),
    Option("concurrency", "N", "requests in flight to one endpoint at most (default: 8)", _positive_int, 8),
    Option("temperature", "T", "sampling temperature (default: 0)", _temperature, 0.0),
    Option(
        "max-tokens",
        "N",
        f"tokens an answer may have, reasoning included (default: {DEFAULT_MAX_TOKENS})",
        _positive_int,
        DEFAULT_MAX_TOKENS,
    ),
    Option("timeout", "SECONDS", "for one whole answer (default: 1800)", _positive_float, 1800.0),
    Option("seed", "N", "what the judges' random inputs are drawn from (default: random, recorded)", int),
    Option("out", "DIR", "run folder (default: .llmbench/<time>)"),
    Option("resume", "RUN", "go on with the run in that folder, which was cut off; asks only for what is missing"),
    Option("report", "FORMAT:PATH", "write a further copy of the report; repeatable", _report, repeatable=True),
    Option("sandbox", "KIND", "bubblewrap (default), or none: no isolation at all", _sandbox, "bubblewrap"),
    Option("speed", "", "measure speed, too: needs a server to itself", is_switch=True),
    Option("sweep", "N,N,…", "requests in flight of the concurrency sweep (default: 1,2,4,8,16,32,64)", _levels, SWEEP),
    Option("min-tok-s", "RATE", "a single stream must decode at least that many tokens a second", _positive_float),
    Option("max-ttft", "SECONDS", "a single stream must begin within that time", _positive_float),
    Option(
        "goodput",
        "NAME:SECONDS,…",
        "count the requests that are served in time: ttft, tpot, itl (99 % of the tokens), e2e; such as ttft:0.5,tpot:0.05",
        _goodput,
    ),
    Option("baseline", "REPORT", "not worse than: a report.json, a run folder, or the name of an endpoint of this run"),
    Option("fail-under", "PERCENT", "lowest pass rate that is good enough", _percent),
    Option("drop", "POINTS", "drop of the pass rate that has to show (default: 20)", _percent, DROP_PERCENT),
    Option(
        "min-coverage",
        "PERCENT",
        "share of the checks that must have been judged (default: 95)",
        _percent,
        MIN_COVERAGE_PERCENT,
    ),
    Option("must-pass", "SUITE/CHECK", "a check that may fail not even once; repeatable", _check_name, repeatable=True),
    Option(
        "allow-different",
        "NAME",
        "what of the baseline need not be equal: prompts, suites or sampling; repeatable",
        _may_differ,
        repeatable=True,
    ),
    Option("export-prompts", "DIR", "write each suite's prompt to DIR/<suite>.md and run nothing"),
)


def add_options(parser: pytest.Parser) -> None:
    """Register every option and its ini twin."""
    group = parser.getgroup("llmbench", "judge language models by running their answers")
    for option in OPTIONS:
        if option.is_switch:
            group.addoption(option.flag, dest=option.dest, action="store_true", default=None, help=option.help)
            parser.addini(option.dest, f"same as {option.flag}", type="bool", default=False)
            continue
        action = "append" if option.repeatable else "store"
        group.addoption(option.flag, dest=option.dest, action=action, metavar=option.metavar, help=option.help)
        help_text = f"same as {option.flag}"
        if option.repeatable:
            parser.addini(option.dest, help_text, type="linelist", default=[])
        else:
            parser.addini(option.dest, help_text, default=None)


def value_of(config: pytest.Config, name: str) -> Any:
    """Return the value of an option: command line, then ini file, then default.

    Raises:
        UsageFault: it cannot be parsed.
    """
    option = _option(name)
    given = config.getoption(option.dest)
    raw = config.getini(option.dest) if given in (None, []) else given
    if option.is_switch:
        return bool(raw)
    if option.repeatable:
        return tuple(_parsed(option, text) for text in raw)
    return _parsed(option, raw) if raw else option.default


def read_settings(config: pytest.Config) -> Settings:
    """Decide what the run does; asks servers for their models if endpoints were given.

    Raises:
        UsageFault: see `pytest_llmbench.endpoints.resolve`.
    """
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
    return settings if begun is None else _gone_on(config, begun, settings)


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

    given = {one.name for one in OPTIONS if _is_given(config, one, typed=one.name in DECIDING)}
    folder = _resumed_folder(config, value_of(config, "resume"))
    return go_on(folder, begun, asked, given, os.environ, client.list_models)


def _resumed_folder(config: pytest.Config, given: str) -> Path:
    return Path(os.path.normpath(typed_path(config, given)))


def _sampling(config: pytest.Config, begun: RunRecord | None) -> Sampling:
    """Return the sampling of endpoints that say nothing else."""
    given = {
        field: value_of(config, name)
        for name, field in (("temperature", "temperature"), ("max-tokens", "max_tokens"))
        if begun is None or _is_given(config, _option(name), typed=True)
    }
    return replace(Sampling() if begun is None else begun.settings.sampling, **given)


def _replayed(config: pytest.Config, endpoints: Iterable[Endpoint]) -> Mapping[str, int]:
    """Return seed and samples as given, else those of the run that is judged again, if it is one."""
    found = {name: value_of(config, name) for name in ("seed", "samples") if _is_given(config, _option(name))}
    if not any(endpoint.replay for endpoint in endpoints):
        return found
    from pytest_llmbench.endpoints.replay import replayed_run

    run = replayed_run(endpoints)
    return found if run is None else {"seed": run.seed, "samples": run.samples} | found


def _option(name: str) -> Option:
    return next(option for option in OPTIONS if option.name == name)


def _is_given(config: pytest.Config, option: Option, *, typed: bool = False) -> bool:
    """Whether the command line or, unless it must be `typed`, the ini file names a value."""
    given = config.getoption(option.dest)
    return (config.getini(option.dest) if given in (None, []) and not typed else given) not in (None, [], "", False)


def typed_path(config: pytest.Config, given: str) -> Path:
    """Return a path from where pytest was started; shells leave the `~` of `--llm-out=~/runs` to us."""
    return config.invocation_params.dir / os.path.expanduser(given)  # noqa: PTH111 - takes `~nobody` as it is


def _run_folder(config: pytest.Config, given: str) -> Path:
    out = Path(os.path.normpath(typed_path(config, given)))
    if any(place.is_relative_to(out) for place in (config.invocation_params.dir, config.rootpath)):
        raise UsageFault(
            f"--llm-out={given}: wanted a folder of its own, got one that holds your work; use {given}/NAME"
        )
    return out


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


def server_kinds(config: pytest.Config) -> Mapping[str, ServerKind]:
    """Return the kinds of servers that can be started, by name: ours and those that conftest files and plugins add."""
    from pytest_llmbench.servers.registry import kinds

    found = config.hook.pytest_llmbench_server_kinds()
    return kinds(chain.from_iterable(some if isinstance(some, Iterable) else (some,) for some in found))


def settings_to_text(settings: Settings) -> str:
    """Serialise for an xdist worker."""
    from pytest_llmbench.model.codec import encode

    return encode(settings).decode()


def settings_from_text(text: str) -> Settings:
    """Read what the controller sent."""
    from pytest_llmbench.model.codec import decode

    return decode(text.encode(), Settings)


def _endpoints(config: pytest.Config, sampling: Sampling, begun: RunRecord | None) -> tuple[Endpoint, ...]:
    if begun is not None and not _is_given(config, _option("endpoint"), typed=True):
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


def _parsed(option: Option, text: str) -> Any:
    try:
        return option.parse(text)
    except ValueError as error:
        raise UsageFault(f"{option.flag}={text}: {error}") from error
