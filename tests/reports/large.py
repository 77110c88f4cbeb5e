"""A report as large as a night of many models makes it, with texts as long and as like each other as real ones."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from pytest_llmbench.model.check import Check, SandboxUse
from pytest_llmbench.model.completion import CaseKey, Completion, Exchange, Timing, Usage
from pytest_llmbench.model.endpoint import Endpoint, Gpu, ServerInfo
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import AnswerPair, Comparison, Gate, Regression, Report, RunInfo, SuiteRow, Tally
from pytest_llmbench.model.serving import Cause, Failure, Phase
from pytest_llmbench.model.speed import SpeedRow, Spread
from pytest_llmbench.reports.build import build_report

SUITES = Path(__file__).parents[2] / "suites"
CHECKS = {
    "zmq": ("easy", ("socket_ownership", "clean_shutdown")),
    "pplns": ("hard", ("hardcoded_window", "unused_window", "config_key")),
    "payment": ("expert", ("race", "sql_injection", "float_precision", "atomicity")),
    "stratum": ("nightmare", ("byte_order", "info_leak", "stale_job", "memory_leak", "input_validation")),
    "hiveos": (
        "practical",
        ("heredocs", "manifest", "custom_variables", "h_config", "h_run_exec", "h_stats", "directory", "api_port"),
    ),
}
DEAD = 1
"""Of the endpoints, the last ones: their server did not come up."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Details that lie in memory."""

    completions: Mapping[CaseKey, Completion] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    candidates: Mapping[CaseKey, Mapping[str, str]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def completion(self, endpoint: str, suite: str, sample: int) -> Completion | None:
        return self.completions.get(CaseKey(endpoint, suite, sample))

    def prompt(self, suite: str) -> str | None:
        return self.prompts.get(suite)

    def program(self, suite: str) -> Mapping[str, str]:
        return self.programs.get(suite, {})

    def candidate(self, endpoint: str, suite: str, sample: int) -> Mapping[str, str]:
        return self.candidates.get(CaseKey(endpoint, suite, sample), {})

    def text(self, path: str) -> str | None:
        return self.texts.get(path)


@cache
def program_of(suite: str) -> Mapping[str, str]:
    return {
        path.name: path.read_text("utf-8") for path in sorted((SUITES / suite / "program").iterdir()) if path.is_file()
    }


@cache
def prompt_of(suite: str) -> str:
    return (SUITES / suite / "prompt.md").read_text("utf-8")


def make_large(endpoints: int = 16, samples: int = 5) -> tuple[Report, Texts]:
    """Return the same report each time; 22 checks an endpoint and sample."""
    rng = random.Random(6)  # noqa: S311 - the same each time
    known = [_endpoint(number, is_dead=number >= endpoints - DEAD) for number in range(endpoints)]
    completions: dict[CaseKey, Completion] = {}
    candidates: dict[CaseKey, Mapping[str, str]] = {}
    texts: dict[str, str] = {}
    checks: list[Check] = []
    for number, endpoint in enumerate(known):
        skill = 0.97 - 0.05 * number
        for suite, (_, names) in CHECKS.items():
            for sample in range(1, samples + 1):
                key = CaseKey(endpoint.name, suite, sample)
                if endpoint.server.failure is not None:
                    completions[key] = Completion(*key, {}, "2026-01-01T00:00:00Z", error="the server did not start")
                else:
                    files = {path: _changed(text, rng) for path, text in program_of(suite).items()}
                    completions[key] = _completion(key, files, rng)
                    candidates[key] = files
                found = [_check(key, name, skill, rng, completions[key]) for name in names]
                texts |= {path: text for check in found for path, text in _logs(check, rng).items()}
                checks += found
    speed = [row for number, one in enumerate(known[:-DEAD]) for row in _speed(one.name, 1 - number / 30)]
    run = RunInfo("large", "2026-01-01T00:00:00Z", 4000.0, "0.1.0", ("pytest",), 7, {"cpus": 2}, "bubblewrap")
    report = build_report(run, known, list(completions.values()), checks, speed)
    suites = tuple(
        SuiteRow(name, f"About {name}", difficulty, "0" * 64, "1" * 64) for name, (difficulty, _) in CHECKS.items()
    )
    return replace(report, suites=suites, gate=_gate(known)), Texts(
        completions,
        {suite: prompt_of(suite) for suite in CHECKS},
        {suite: program_of(suite) for suite in CHECKS},
        candidates,
        texts,
    )


def _endpoint(number: int, *, is_dead: bool) -> Endpoint:
    name = f"qwen3-coder-{number + 3}b-{('awq', 'fp8', 'q4_k_m', 'bf16')[number % 4]}"
    failure = Failure(
        Phase.LOADING, Cause.GPU_MEMORY, "torch.OutOfMemoryError: CUDA out of memory", "use a smaller --max-model-len",
        "exit status 1", 31.5, f"servers/{name}-1.log",
    )  # fmt: skip
    server = ServerInfo(
        "vllm", f"0.11.{number}", command=("vllm", "serve", name, "--max-model-len", "32768"), context_tokens=32_768,
        quantisation=("awq", "fp8", "Q4_K_M", "bf16")[number % 4], gpus=(Gpu("H200"),), load_s=60.0 + number,
        memory_peak_bytes=(20 + number) * 2**30, failure=failure if is_dead else None,
    )  # fmt: skip
    return Endpoint(name, "http://127.0.0.1:8000/v1", name, server=server)


def _prose(rng: random.Random, sources: Sequence[str], size: int) -> str:
    """Sentences made of the words of the sources: as hard to compress as what a model thinks aloud."""
    words = [word for source in sources for word in source.split()]
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append(" ".join(rng.choice(words) for _ in range(rng.randint(5, 16))))
    return "\n".join(lines)


def _changed(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    words = text.split()
    for _ in range(max(2, len(lines) // 8)):
        place = rng.randrange(len(lines))
        new = "    " + " ".join(rng.choice(words) for _ in range(rng.randint(2, 8)))
        lines[place : place + rng.choice((0, 1))] = [new]
    return "\n".join(lines)


def _completion(key: CaseKey, files: Mapping[str, str], rng: random.Random) -> Completion:
    sources = (prompt_of(key.suite), *files.values())
    blocks = "\n\n".join(f"```python {path}\n{text}```" for path, text in files.items())
    content = f"{_prose(rng, sources, 1500)}\n\n{blocks}\n\n{_prose(rng, sources, 800)}\n"
    tokens = len(content) // 4
    exchange = Exchange(
        content, _prose(rng, sources, rng.randint(6_000, 18_000)), "stop", Usage(3000, tokens, tokens // 2, None),
        Timing(0.2 + rng.random() / 5, 12.0, 60.0, 60.5, tokens),
    )  # fmt: skip
    return Completion(*key, {"model": "m"}, "2026-01-01T00:00:00Z", exchange, concurrency=8)


def _check(key: CaseKey, name: str, skill: float, rng: random.Random, completion: Completion) -> Check:
    outcome = Outcome.PASSED if rng.random() < skill else rng.choice((Outcome.WRONG, Outcome.WRONG, Outcome.TRUNCATED))
    outcome = outcome if completion.error is None else Outcome.INFRA_ERROR
    evidence = None
    if outcome is Outcome.INFRA_ERROR:
        evidence = f"infra_error: {completion.error}"
    elif outcome is not Outcome.PASSED:
        evidence = f"AssertionError: {name} should hold, but does not\n" + _prose(rng, (prompt_of(key.suite),), 1200)
    log = None if outcome is Outcome.INFRA_ERROR else f"logs/{key.endpoint}/{key.suite}-s{key.sample}/{name}.log"
    nodeid = f"suites/{key.suite}/test_{key.suite}.py::test_{name}[{key.endpoint}-s{key.sample}]"
    sandbox = SandboxUse("bubblewrap", ("rlimits",)) if log else None
    return Check(*key[:2], name, key.sample, outcome, evidence, 0.7, nodeid, sandbox, log, name == "sql_injection")


def _logs(check: Check, rng: random.Random) -> Mapping[str, str]:
    if check.log is None:
        return {}
    source = (prompt_of(check.suite),)
    seen = "{'lines': [\n" + "\n".join(f"  {line!r}," for line in _prose(rng, source, 1500).split("\n")) + "\n]}"
    log = f"--- stdout\n{_prose(rng, source, 1500)}\n--- stderr\n{check.check}_was_here\n"
    return {check.log: log, check.log.removesuffix(".log") + ".seen.txt": seen}


def _speed(endpoint: str, factor: float) -> list[SpeedRow]:
    def spread(value: float) -> Spread:
        return Spread(3, value, value, value * 0.98, value * 1.02, value * 0.02, value * 0.95, value * 1.05)

    sweep = [
        SpeedRow(
            endpoint, "sweep", streams, 0, 512, 128, "prose", 3, 3 * streams, 0,
            throughput_tok_s=spread(40 * streams**0.8 * factor), decode_tok_s=spread(45 * streams**-0.2 * factor),
            ttft_s=spread(0.05 * streams / factor), marks={"client-limited": "the client's CPU"} if streams > 32 else {},
        )
        for streams in (1, 2, 4, 8, 16, 32, 64)
    ]  # fmt: skip
    depth = [
        SpeedRow(
            endpoint, "depth", 1, tokens, 512, 128, "prose", 3, 3, 0,
            decode_tok_s=spread(45 * factor / (1 + tokens / 50_000)), ttft_s=spread((tokens + 512) / 9000 / factor),
        )
        for tokens in (0, 4096, 16384)
    ]  # fmt: skip
    return [*sweep, *depth]


def _gate(endpoints: Sequence[Endpoint]) -> Gate:
    new, old = endpoints[1].name, endpoints[0].name
    before, after = (f"completions/{name}/stratum-s2.json" for name in (old, new))
    pair = AnswerPair(before, after, before_passed=True, after_passed=False)
    regression = Regression(
        "stratum", "byte_order", must_pass=False, before=Tally(5, 5), after=Tally(2, 5), samples=(pair,),
        evidence="AssertionError: previous hash",
    )  # fmt: skip
    comparison = Comparison(new, old, 110, 25, 12, 4, 0.038, -0.07, -0.14, 0.0, 0.08, 9, regressions=(regression,))
    return Gate("not_met", (f"{new} is worse than {old}: p = 0.038",), (comparison,))
