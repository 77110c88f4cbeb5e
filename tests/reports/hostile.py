"""A report in which every text is an attack on whoever reads it; where one works, `window.pwned` is set."""

from __future__ import annotations

from dataclasses import replace

from pytest_llmbench.model.check import Check, SandboxUse
from pytest_llmbench.model.completion import CaseKey, Completion, Exchange
from pytest_llmbench.model.endpoint import Endpoint, ServerInfo
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Gate, Report, RunInfo, SuiteRow
from pytest_llmbench.model.serving import Cause, Failure, Phase
from pytest_llmbench.model.speed import SpeedRow, Spread
from pytest_llmbench.reports.build import build_report
from tests.reports.large import Texts

SCRIPTS = (
    "<script>window.pwned = 1</script>",
    "</script><script>window.pwned = 2</script>",
    "<!--<script>",
    "--><img src=x onerror='window.pwned = 3'>",
    '" onmouseover="window.pwned = 4" autofocus onfocus="window.pwned = 5" x="',
    "'><svg onload=window.pwned=6><a href='javascript:window.pwned=7' id=detail>click</a>",
    "[click](javascript:window.pwned=8) javascript:window.pwned=9 data:text/html,<script>parent.pwned=10</script>",
    "</style><style>body{display:none}</style></pre></textarea></title></noscript><base href='https://evil.example/'>",
    "{{ 7 * 7 }}{% raw %}${window.pwned=11}`",
    "<iframe srcdoc='<script>parent.pwned=12</script>'></iframe><meta http-equiv=refresh content='0;url=//evil.example'>",
    "__proto__", "constructor",
)  # fmt: skip
HIDDEN = (
    "\u202etxt.exe\u202c \u2066\u200b\u00ad\ufeff \u2028\u2029 \x00\x1b[31m\x7f\x9b \ud800 lone \udfff \U000e0041 a\rb"
)
ATTACK = "\n".join((*SCRIPTS, HIDDEN))
HUGE_LINE = "A" * 90_000 + "<script>window.pwned=13</script>"
NAME = f"{SCRIPTS[1]}{SCRIPTS[4]}\u202e/../%2e%2e"
"""Of an endpoint, a suite, a check and a file."""


def make_hostile() -> tuple[Report, Texts]:
    failure = Failure(Phase.LOADING, Cause.UNKNOWN, ATTACK, ATTACK, "exit status 1", 1.0, NAME)
    server = ServerInfo(ATTACK, ATTACK, command=("vllm", ATTACK), model=ATTACK, quantisation=ATTACK, load_s=1.0)
    known = [
        Endpoint("plain", "http://h/v1", "m", server=server),
        Endpoint(NAME, ATTACK, ATTACK, extra_body={ATTACK: ATTACK}, server=replace(server, version="1")),
        Endpoint("dead", server=ServerInfo(failure=failure), problem=ATTACK),
        *(Endpoint(word, "http://h/v1", word) for word in SCRIPTS[-2:]),
    ]
    keys = [CaseKey(endpoint.name, NAME, 1) for endpoint in known]
    log = f"logs/{NAME}.log"
    exchange = Exchange(ATTACK + HUGE_LINE, ATTACK, ATTACK)
    completions = {key: Completion(*key, {}, "", exchange) for key in keys}
    checks = [
        Check(*key[:2], name, 1, outcome, f"{ATTACK}\n{HUGE_LINE}", 0.1, NAME, SandboxUse(ATTACK, ()), log)
        for key in keys
        for name, outcome in ((NAME, Outcome.WRONG), ("__proto__", Outcome.PASSED), ("toString", Outcome.INFRA_ERROR))
    ]
    figure = Spread(1, 1.0, 1.0, 1.0, 1.0, None, None, None)
    speed = [
        SpeedRow(
            one.name, "sweep", streams, 0, None, None, ATTACK, 1, 1, 0, decode_tok_s=figure, marks={ATTACK: ATTACK}
        )
        for one in known
        for streams in (1, 2)
    ]
    run = RunInfo(ATTACK, ATTACK, 1.5, ATTACK, (ATTACK,), 7, {}, "none")
    report = build_report(run, known, list(completions.values()), checks, speed)
    suites = (SuiteRow(NAME, ATTACK, ATTACK, "0" * 64, "1" * 64),)
    gate = Gate("not_met", (ATTACK,))
    return replace(report, suites=suites, gate=gate), Texts(
        completions,
        {NAME: ATTACK},
        {NAME: {NAME: ATTACK, "huge.txt": HUGE_LINE}},
        {key: {NAME: f"changed\n{ATTACK}\n{HUGE_LINE}", "huge.txt": HUGE_LINE, "new.py": HIDDEN} for key in keys},
        {log: ATTACK + HUGE_LINE, log.removesuffix(".log") + ".seen.txt": ATTACK},
    )
