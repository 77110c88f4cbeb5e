"""The options: all that the command line, the ini file and `pytest --help` know of them.

Their texts are ASCII: where a terminal is no more than that, pytest would show the whole help, of every plugin, on one line.
"""

from __future__ import annotations

from pytest_llmbench import bars
from pytest_llmbench.model.endpoint import DEFAULT_MAX_TOKENS
from pytest_llmbench.model.settings import SWEEP
from pytest_llmbench.option import Option
from pytest_llmbench.options import values

OPTIONS = (
    Option(
        "endpoint",
        "SPEC",
        "whom to ask: [NAME=]URL[#MODEL], [NAME=]KIND:MODEL (a server to start: vllm, llamacpp ...), [NAME=]replay:DIR "
        "or a name from models.yaml; repeatable; none: the bundled reference answers",
        repeatable=True,
    ),
    Option("config", "FILE", "file with endpoints by name (default: models.yaml)", default="models.yaml"),
    Option("samples", "N", "answers asked of each endpoint for each suite (default: 1)", values.count, 1),
    Option("concurrency", "N", "requests in flight to one endpoint at most (default: 8)", values.count, 8),
    Option("temperature", "T", "sampling temperature (default: 0)", values.temperature, 0.0),
    Option(
        "max-tokens",
        "N",
        f"tokens an answer may have, reasoning included (default: {DEFAULT_MAX_TOKENS})",
        values.count,
        DEFAULT_MAX_TOKENS,
    ),
    Option("timeout", "SECONDS", "for one whole answer (default: 1800)", values.above_zero, 1800.0),
    Option("seed", "N", "what the judges' random inputs are drawn from (default: random, recorded)", values.whole),
    Option("out", "DIR", "run folder (default: .llmbench/<time>)"),
    Option("resume", "RUN", "go on with the run in that folder, which was cut off; asks only for what is missing"),
    Option(
        "report",
        "FORMAT:PATH",
        "write a further copy of the report as csv, html, json, markdown or tsv; repeatable",
        values.report,
        repeatable=True,
    ),
    Option("sandbox", "KIND", "bubblewrap (default), or none: no isolation at all", values.sandbox, "bubblewrap"),
    Option("speed", "", "measure speed, too: needs a server to itself", is_switch=True),
    Option(
        "sweep",
        "N,N,...",
        "requests in flight of the concurrency sweep (default: 1,2,4,8,16,32,64)",
        values.levels,
        SWEEP,
    ),
    Option("min-tok-s", "RATE", "a single stream must decode at least that many tokens a second", values.above_zero),
    Option("max-ttft", "SECONDS", "a single stream must begin within that time", values.above_zero),
    Option(
        "goodput",
        "NAME:SECONDS,...",
        "count the requests that are served in time: ttft, tpot, itl (99 % of the tokens), e2e; such as ttft:0.5,tpot:0.05",
        values.goodput,
    ),
    Option("baseline", "REPORT", "not worse than: a report.json, a run folder, or the name of an endpoint of this run"),
    *bars.OPTIONS,
    Option("export-prompts", "DIR", "write each suite's prompt to DIR/<suite>.md and run nothing"),
)


def option_named(name: str) -> Option:
    """Return the option of that name."""
    return next(option for option in OPTIONS if option.name == name)
