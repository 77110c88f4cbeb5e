"""A run that was cut off, gone on with: what it was, and whether what is asked for now agrees."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from pytest_llmbench.disclosure import holds_redacted, without_secrets
from pytest_llmbench.endpoints.context import Discover
from pytest_llmbench.errors import EndpointError, UsageFault
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.identity import steering_env, steering_words
from pytest_llmbench.model.runrecord import RUN_SCHEMA, RunRecord
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.runfolder import RUN_FILE, RunFolder

FLAG = "--llm-resume"
_FIELDS = {
    "report": ("reports",),
    "timeout": ("timeout_s",),
    "max-ttft": ("max_ttft_s",),
    "baseline": ("baseline", "baseline_endpoint"),
}
"""Option -> fields of the settings, where they are not called the same."""
_FIXED = ("samples", "seed", "sandbox")
"""Options that decide answers or verdicts, besides endpoints and sampling."""
_SAMPLING = {"temperature": "temperature", "max-tokens": "max_tokens"}
DECIDING = frozenset({"endpoint", "out", *_FIXED, *_SAMPLING})
"""Options that must agree where they are typed again; the ini file's are for new runs."""


def read_run(folder: Path) -> RunRecord:
    """Return the run that a folder holds.

    Raises:
        UsageFault: there is none that could be gone on with; one line.
    """
    if not folder.is_dir():
        raise UsageFault(f"{FLAG}={folder}: no such folder; it wants the folder of a run, such as .llmbench/<time>")
    run = RunFolder(folder)
    record = run.run_record()
    if record is None:
        why = "holds no run" if not (folder / RUN_FILE).exists() else f"its {RUN_FILE} is not a {RUN_SCHEMA}"
        raise UsageFault(
            f"{FLAG}={folder}: {why}; it wants the folder of a run, such as .llmbench/<time>"
            + (f"; --llm-endpoint=replay:{folder} judges its answers" if (folder / "completions").is_dir() else "")
        )
    if run.is_claimed("run"):
        raise UsageFault(f"{FLAG}={folder}: that run is still being written; wait for its end, or stop it")
    return record


def go_on(  # noqa: PLR0913, PLR0917 - both runs, and what endpoints are looked up by
    folder: Path,
    record: RunRecord,
    asked: Settings,
    given: Collection[str],
    environment: Mapping[str, str],
    discover: Discover,
) -> Settings:
    """Return the settings of the next session of a run.

    Args:
        folder: of the run.
        record: what it was; as it was written down, without secrets.
        asked: the settings that the command line and the ini file come to.
        given: names of the options that one of these gave, those of `DECIDING` by the command line; all others are as
            they were.
        environment: holds the API keys.
        discover: as for new endpoints.

    Raises:
        UsageFault: something given does not agree with the run; one line that says what. Or an endpoint cannot be asked
            as it was then.
    """
    before = record.settings
    is_named = "endpoint" in given
    wrong = [*_other_options(before, asked, given)]
    if "out" in given and Path(asked.out) != folder:
        wrong.append(f"--llm-out: {folder} -> {asked.out}")
    if is_named:
        wrong += _other_endpoints(before.endpoints, [without_secrets(one, environment) for one in asked.endpoints])
    if wrong:
        raise UsageFault(
            f"{FLAG}={folder}: not as when the run began: {'; '.join(wrong)}; leave it out, or begin a new run"
        )
    names = {field.name for field in fields(Settings)} - {"out", "sampling", "endpoints", "session"}
    settings = replace(
        before,
        **{name: getattr(asked, name) for option in given for name in _fields(option) if name in names},
        endpoints=tuple(
            map(_with_known_model, before.endpoints, asked.endpoints)
            if is_named
            else _look_again(before.endpoints, environment, discover)
        ),
        out=str(folder),
        session=record.sessions[-1].number + 1,
    )
    if settings.baseline is not None and not Path(settings.baseline).is_file():
        raise UsageFault(f"{FLAG}={folder}: its baseline {settings.baseline} is gone; name one with --llm-baseline")
    return settings


def _with_known_model(before: Endpoint, now: Endpoint) -> Endpoint:
    """Ask an endpoint that does not tell its model at the moment for the one that it told then."""
    return now if now.model is not None or before.model is None else replace(now, model=before.model, problem=None)


def _look_again(
    endpoints: Collection[Endpoint], environment: Mapping[str, str], discover: Discover
) -> Iterator[Endpoint]:
    """Yield the endpoints of a run as they can be asked now."""
    for endpoint in endpoints:
        if hidden := holds_redacted(endpoint):
            raise UsageFault(
                f"{FLAG}: {RUN_FILE} holds no secrets, and {endpoint.name} had some ({', '.join(hidden)});"
                " give --llm-endpoint again as when the run began"
            )
        variable = endpoint.api_key_env
        key = environment.get(variable) if variable else None
        if variable and not key:
            raise UsageFault(
                f"{FLAG}: the environment variable {variable} is not set; export it with the key of {endpoint.name}"
            )
        yield endpoint if endpoint.url is None else _served(endpoint, endpoint.url, key, discover)


def _served(endpoint: Endpoint, url: str, key: str | None, discover: Discover) -> Endpoint:
    try:
        models = discover(url, key)
    except EndpointError as error:
        return replace(endpoint, problem=str(error) if endpoint.model is None else None)
    model = endpoint.model or (models[0] if len(models) == 1 else None)
    if model is None or (len(models) == 1 and model != models[0]):
        raise UsageFault(
            f"{FLAG}: {url} serves {', '.join(models) or 'no model'}, and the run was begun with"
            f" {model or 'none'}; give --llm-endpoint={endpoint.name}={url}#MODEL again"
        )
    return replace(endpoint, model=model, problem=None)


def _fields(option: str) -> tuple[str, ...]:
    return _FIELDS.get(option, (option.replace("-", "_"),))


def _other_options(before: Settings, asked: Settings, given: Collection[str]) -> Iterator[str]:
    for option in _FIXED:
        old, new = getattr(before, option), getattr(asked, option)
        if option in given and old != new:
            yield f"--llm-{option}: {old} -> {new}"
    for option, name in _SAMPLING.items():
        old, new = getattr(before.sampling, name), getattr(asked.sampling, name)
        if option in given and old != new:
            yield f"--llm-{option}: {old} -> {new}"


def _other_endpoints(before: Collection[Endpoint], asked: Collection[Endpoint]) -> Iterator[str]:
    names, now = ([one.name for one in endpoints] for endpoints in (before, asked))
    if names != now:
        yield f"--llm-endpoint: {', '.join(names)} -> {', '.join(now)}"
        return
    for old, new in zip(before, asked, strict=True):
        first, second = _facts(old), _facts(new)
        for name in dict.fromkeys((*first, *second)):
            # A model that is not known yet, or cannot be told now, is no other one.
            if first.get(name) != second.get(name) and not (name == "model" and None in {first[name], second[name]}):
                yield f"{old.name}: {name}: {first.get(name)} -> {second.get(name)}"


def _facts(endpoint: Endpoint) -> dict[str, Any]:
    """Return what decides the answers of an endpoint, by name; where it listens does not."""
    serve = endpoint.serve
    found = {
        "model": endpoint.model,
        "replay": endpoint.replay,
        **{f"sampling.{name}": value for name, value in asdict(endpoint.sampling).items()},
        "extra_body": dict(endpoint.extra_body),
        "kind": endpoint.server.kind,
    }
    if serve is not None:
        found |= {
            "serve.kind": serve.kind,
            "serve.model": serve.model,
            "serve.args": steering_words(serve.args),
            "serve.env": steering_env(serve.env),
            "serve.program": serve.program,
        }
    return found
