from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_llmbench.model.completion import Completion, Exchange, Timing, Usage
from pytest_llmbench.model.endpoint import Endpoint, ServerInfo
from pytest_llmbench.model.report import EndpointRow, Report
from pytest_llmbench.model.serverfigures import ServerFigures
from pytest_llmbench.model.serving import Cause, Failure, Phase
from pytest_llmbench.reports.build import build_report
from pytest_llmbench.reports.server_tables import MAX_LINE, failure_lines, server_lines
from pytest_llmbench.reports.terminal import summary_lines
from tests.reports.conftest import make_report

ALIGNMENT = Failure(
    Phase.LOADING,
    Cause.ALIGNMENT,
    "ValueError: size_n = 5472 is not divisible by tile_n_size = 64",
    "use a tensor-parallel size that leaves whole tiles",
    "exit status 1",
    34.52,
    "servers/dead-1.log",
)
SERVERS = {
    "new": ServerInfo("vllm", "0.11.1", load_s=31.24, memory_peak_bytes=19 * 2**30),
    "a-model-with-a-name-that-is-far-too-long": ServerInfo("llamacpp", None, "b7-c0ffee", load_s=0.8),
    "dead": ServerInfo("vllm", failure=ALIGNMENT),
}


@pytest.fixture
def report() -> Report:
    plain = make_report()
    rows = tuple(replace(row, server=SERVERS[row.name]) for row in plain.endpoints)
    own = ServerFigures(0.2, None, 5000.0, 101.3, 0.25, -0.013)
    answers = tuple(replace(one, server=own) if one.endpoint == "new" else one for one in plain.completions)
    evidence = f"infra_error: dead: {ALIGNMENT}"
    checks = tuple(replace(one, evidence=evidence) if one.endpoint == "dead" else one for one in plain.checks)
    return replace(plain, endpoints=rows, completions=answers, checks=checks)


def failed(failure: Failure, name: str = "dead") -> EndpointRow:
    return replace(make_report().endpoints[0], name=name, server=ServerInfo("vllm", failure=failure))


def test_what_failed_and_what_ran_at_80_columns(report: Report) -> None:
    lines = summary_lines(report, run_folder="/runs/1", width=80)[10:]
    assert lines == [
        "failed server  cause      what happened       after s",
        "dead           alignment  died while loading     34.5",
        "dead: exit status 1: ValueError: size_n = 5472 is not divisible by tile_n_size = 64",
        "dead: use a tensor-parallel size that leaves whole tiles",
        "dead: log: servers/dead-1.log",
        "",
        "endpoint                                  server    version    load s  peak GiB",
        "new                                       vllm      0.11.1       31.2     19.00",
        "a-model-with-a-name-that-is-far-too-long  llamacpp  b7-c0ffee     0.8         -",
        "",
        "endpoint                                  own tok/s  client  own TTFT s",
        "new                                           101.3   -1.3%       0.200",
        "a-model-with-a-name-that-is-far-too-long          -       -           -",
        "",
        "new: 1 truncated: the token limit cut the answer off, see --llm-max-tokens",
        "new: 1 empty: there was no answer, or reasoning only",
        "a-model-with-a-name-that-is-far-too-long: 1 grader_error: refused",
        "dead: 5 infra_error: its server failed, see above",
        "report: /runs/1/report.json",
    ]


def test_another_reason_beside_the_servers_failure_is_told(report: Report) -> None:
    first, *others = [check for check in report.checks if check.endpoint == "dead"]
    checks = (replace(first, evidence="infra_error: no sandbox"), *others)
    lines = summary_lines(replace(report, checks=checks), run_folder="x", width=80)
    assert [line for line in lines if "infra_error" in line] == [
        "dead: 4 infra_error: its server failed, see above",
        "dead: 1 infra_error: no sandbox",
    ]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (Failure(Phase.START, Cause.PORT_IN_USE, "7 is taken", "stop it"), ["7 is taken", "stop it"]),
        (Failure(Phase.SERVING, Cause.KILLED, None, "see its log", "SIGKILL", 3.0, "a.log"), ["SIGKILL", "see its log", "log: a.log"]),
        (Failure(Phase.NOT_READY, Cause.UNKNOWN, "x" * 999, "wait"), [f"{'x' * (MAX_LINE - 1)}…", "wait"]),
    ],
)  # fmt: skip
def test_what_is_not_known_leaves_no_line(failure: Failure, told: list[str]) -> None:
    assert failure_lines([failed(failure)], 80)[2:] == [*(f"dead: {line}" for line in told), ""]


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("phase", Phase)
def test_the_table_of_failures_keeps_to_80_columns(phase: Phase, cause: Cause) -> None:
    failure = Failure(phase, cause, None, "", after_s=1200.0)
    for line in failure_lines([failed(failure, name="a-model-with-a-name-that-is-far-too-long")], 80):
        assert len(line) <= 80


def test_a_server_that_died_in_the_middle_is_in_both_tables() -> None:
    died = Failure(Phase.SERVING, Cause.GPU_MEMORY, "out of memory", "lower it")
    row = replace(make_report().endpoints[0], server=ServerInfo("vllm", "0.11.1", load_s=3.0, failure=died))
    report = replace(make_report(), endpoints=(row,))
    assert "GPU memory" in failure_lines(report.endpoints, 80)[1]
    assert "0.11.1" in server_lines(report, 80)[1]


def test_nothing_is_said_of_servers_that_nobody_knows() -> None:
    plain = make_report()
    assert failure_lines(plain.endpoints, 80) == server_lines(plain, 80) == []
    kind_only = tuple(replace(row, server=ServerInfo("vllm")) for row in plain.endpoints)
    assert server_lines(replace(plain, endpoints=kind_only), 80) == []


def test_the_report_holds_the_servers_figures_beside_the_clients() -> None:
    exchange = Exchange(
        "x",
        finish_reason="stop",
        usage=Usage(10, 101),
        timing=Timing(0.25, 0.25, 1.25, 1.5, 101),
        server_timings={"prompt_n": 10, "prompt_ms": 200.0, "predicted_n": 101, "predicted_ms": 990.0},
    )
    plain = make_report()
    (answer,) = build_report(plain.run, [Endpoint("new")], [_completion(exchange)], []).completions
    assert answer.server is not None
    assert answer.decode_tok_s == pytest.approx(100.0)
    assert answer.server.ttft_s == 0.2
    assert answer.server.decode_tok_s == pytest.approx(100 / 0.99)
    assert answer.server.ttft_difference == pytest.approx(0.25)
    assert answer.server.decode_difference == pytest.approx(-0.01)
    (silent,) = build_report(
        plain.run, [Endpoint("new")], [_completion(replace(exchange, server_timings=None))], []
    ).completions
    assert silent.server is None


def _completion(exchange: Exchange) -> Completion:
    return Completion("new", "zmq", 1, {}, "", exchange)
