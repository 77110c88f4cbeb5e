from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llmbench.endpoints.context import Discover
from pytest_llmbench.errors import EndpointError, UsageFault
from pytest_llmbench.model.endpoint import Endpoint, Sampling
from pytest_llmbench.model.runrecord import RUN_SCHEMA, RunRecord, Session
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.resuming import go_on, read_run
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.takeover import take

NEW = Endpoint("new", "http://h/v1", "org/m")
SERVE = Serve("vllm", "org/m", args=("--port", "1", "--dtype", "half"))
STARTED = Endpoint("old", serve=SERVE)
SEEDED = Sampling(seed=1)


@pytest.fixture
def begun(tmp_path: Path) -> Settings:
    return Settings((NEW, STARTED), str(tmp_path / "run"), "r-1", "2026-01-01T00:00:00Z", 3, samples=2)


def served(*models: str) -> Discover:
    def discover(asked: str, key: str | None) -> tuple[str, ...]:
        assert (asked, key) == (NEW.url, None)
        return models

    return discover


def silent(url: str, _key: str | None) -> tuple[str, ...]:
    raise EndpointError(f"{url}: cannot connect")


def resumed(
    begun: Settings,
    asked: Settings,
    *given: str,
    discover: Discover = silent,
) -> Settings:
    session = Session(1, begun.started_at, "0.1.0", ("pytest",))
    record = RunRecord(RUN_SCHEMA, begun, (session, replace(session, number=4)))
    return go_on(Path(begun.out), record, asked, given, {}, discover)


def with_endpoint(settings: Settings, endpoint: Endpoint) -> Settings:
    return replace(
        settings, endpoints=tuple(endpoint if one.name == endpoint.name else one for one in settings.endpoints)
    )


def test_nothing_has_to_be_given_again(begun: Settings) -> None:
    other = Settings((), "elsewhere", "r-2", "2026-02-02T00:00:00Z", 4, samples=9, sampling=Sampling(0.7))
    assert resumed(begun, other) == replace(begun, session=5)


@pytest.mark.parametrize(
    ("option", "asked", "says"),
    [
        ("samples", {"samples": 3}, "--llm-samples: 2 -> 3"),
        ("seed", {"seed": 4}, "--llm-seed: 3 -> 4"),
        ("sandbox", {"sandbox": "none"}, "--llm-sandbox: bubblewrap -> none"),
        ("temperature", {"sampling": Sampling(0.5)}, "--llm-temperature: 0.0 -> 0.5"),
        ("max-tokens", {"sampling": Sampling(max_tokens=5)}, "--llm-max-tokens: 16384 -> 5"),
        ("out", {"out": "/elsewhere"}, "--llm-out: */run -> /elsewhere"),
        ("endpoint", {"endpoints": (NEW,)}, "--llm-endpoint: new, old -> new"),
    ],
)
def test_what_does_not_agree_is_told(begun: Settings, option: str, asked: Mapping[str, object], says: str) -> None:
    other = replace(begun, **asked)  # type: ignore[arg-type]
    with pytest.raises(UsageFault) as caught:
        resumed(begun, other, option)
    said = pytest.LineMatcher([str(caught.value)])
    said.fnmatch_lines([f"--llm-resume=*/run: not as when the run began: {says}; leave it out, or begin a new run"])


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        (replace(NEW, model="org/big"), "new: model: org/m -> org/big"),
        (replace(NEW, sampling=SEEDED), "new: sampling.seed: None -> 1"),
        (replace(NEW, extra_body={"top_k": 1}), "new: extra_body: {} -> {'top_k': 1}"),
        (replace(NEW, url=None, replay="/runs/a"), "new: replay: None -> /runs/a"),
        (replace(STARTED, serve=Serve("vllm", "org/m")), r"old: serve.args: ('--dtype', 'half') -> ()"),
        (replace(STARTED, serve=Serve("sglang", "org/m", args=("--dtype", "half"))), "old: serve.kind: vllm -> sglang"),
    ],
)
def test_an_endpoint_that_does_not_agree_is_told(begun: Settings, endpoint: Endpoint, says: str) -> None:
    with pytest.raises(UsageFault) as caught:
        resumed(begun, with_endpoint(begun, endpoint), "endpoint")
    assert f"not as when the run began: {says}; leave it out" in str(caught.value)


def test_where_an_endpoint_listens_may_differ_and_whether_it_tells_its_model(begun: Settings) -> None:
    moved = with_endpoint(begun, replace(NEW, url="http://other/v1", model=None, problem="it is down"))
    moved = with_endpoint(moved, replace(STARTED, serve=replace(SERVE, args=("--port", "2", "--dtype", "half"))))
    found = resumed(begun, moved, "endpoint", "samples")
    assert found.endpoint("new") == replace(NEW, url="http://other/v1")
    assert found.endpoint("old") == moved.endpoint("old")


def test_what_changes_no_answer_is_that_of_this_session(begun: Settings) -> None:
    now = replace(begun, timeout_s=9.0, concurrency=1, fail_under=90.0, baseline_endpoint="old", max_ttft_s=1.0)
    found = resumed(begun, now, "timeout", "baseline", "max-ttft")
    assert found == replace(begun, timeout_s=9.0, baseline_endpoint="old", max_ttft_s=1.0, session=5)


def test_a_baseline_that_has_gone_is_told(begun: Settings, tmp_path: Path) -> None:
    compared = replace(begun, baseline=str(tmp_path / "report.json"))
    with pytest.raises(UsageFault, match=r"/run: its baseline /.*/report\.json is gone; name one with --llm-baseline"):
        resumed(compared, begun)
    assert resumed(compared, begun, "baseline").baseline is None
    (tmp_path / "report.json").touch()
    assert resumed(compared, begun).baseline == compared.baseline


def test_a_server_is_looked_at_again(begun: Settings) -> None:
    assert resumed(begun, begun, discover=served("org/m")).endpoints == begun.endpoints
    unknown = with_endpoint(begun, replace(NEW, model=None, problem="it was down"))
    assert resumed(unknown, begun, discover=served("org/m")).endpoint("new") == NEW
    assert resumed(unknown, begun).endpoint("new").problem == "http://h/v1: cannot connect"
    with pytest.raises(
        UsageFault, match=r"http://h/v1 serves org/big, and the run was begun with org/m; give .*new=http"
    ):
        resumed(begun, begun, discover=served("org/big"))


def test_what_is_in_no_file_has_to_be_there_again(begun: Settings) -> None:
    secret = with_endpoint(begun, replace(NEW, extra_body={"api_key": "<redacted>"}))
    with pytest.raises(
        UsageFault, match=r"run\.json holds no secrets, and new had some \(extra_body\); give --llm-endp"
    ):
        resumed(secret, begun)
    keyed = with_endpoint(begun, replace(NEW, api_key_env="QWEN_KEY"))
    with pytest.raises(UsageFault, match="the environment variable QWEN_KEY is not set; export it with the key of new"):
        resumed(keyed, begun)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (None, "no such folder; it wants the folder of a run"),
        ((), "holds no run; it wants the folder of a run, such as .llmbench/<time>"),
        (("completions/new/zmq-s1.json",), "holds no run; *; --llm-endpoint=replay:*/run judges its answers"),
        (("run.json",), "its run.json is not a llmbench-run/1; it wants"),
    ],
)
def test_a_folder_that_is_no_run_is_told(tmp_path: Path, files: tuple[str, ...] | None, says: str) -> None:
    folder = RunFolder(tmp_path / "run")
    if files is not None:
        folder.path.mkdir()
        for name in files:
            folder.write(name, b"{}")
    with pytest.raises(UsageFault) as caught:
        read_run(folder.path)
    pytest.LineMatcher([str(caught.value)]).fnmatch_lines([f"--llm-resume=*/run: {says}*"])


def test_a_run_that_is_still_being_written_is_left_alone(begun: Settings) -> None:
    folder = RunFolder(Path(begun.out))
    folder.write_run(RunRecord(RUN_SCHEMA, begun, (Session(1, begun.started_at, "0.1.0", ("pytest",)),)))
    held = take(folder, again=True)
    with pytest.raises(UsageFault, match="that run is still being written; wait for its end, or stop it"):
        read_run(folder.path)
    held.close()
    assert read_run(folder.path).settings == begun
