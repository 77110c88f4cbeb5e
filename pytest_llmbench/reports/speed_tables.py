"""Rows of speed as tables, in the form that users of llama-bench and llama-benchy know: Markdown, mean ± deviation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_llmbench.model.speed import SpeedRow, Spread

MISSING = "-"

Cell = Callable[[SpeedRow], str]


def speed_lines(rows: Sequence[SpeedRow]) -> list[str]:
    """Return the tables of all workloads, each with an empty line after it; nothing for no rows."""
    kinds: dict[str, Callable[[Sequence[SpeedRow]], list[str]]] = {"sweep": sweep_table, "depth": depth_matrix}
    lines = []
    for table in (bench_table, *kinds.values()):
        own = [row for row in rows if kinds.get(row.workload, bench_table) is table]
        lines += [*table(own), ""] if own else []
    for row in rows:
        lines += [f"{row.endpoint}, {row.workload}: {mark}: {why}" for mark, why in row.marks.items()]
    return lines


def bench_table(rows: Sequence[SpeedRow]) -> list[str]:
    """Return a line for the prompt (`pp2048 @ d4096`) and one for the answer (`tg128 @ d4096`) of each row.

    The rate of a prompt is the slope of TTFT over its tokens, and missing where there was but one length.
    """
    lines = []
    for row in rows:
        prompt = _label("pp", row.target_prompt_tokens, row.prompt_tokens, row)
        answer = _label("tg", row.target_answer_tokens, row.completion_tokens, row)
        waited, marks = deviation(row.ttft_s, scale=1000), ", ".join(row.marks)
        lines.append([row.endpoint, prompt, deviation(row.prefill_tok_s), waited, marks])
        lines.append([row.endpoint, answer, deviation(row.decode_tok_s), "", marks])
    return markdown(["endpoint", "test", "t/s", "TTFT ms", "marks"], lines)


def sweep_table(rows: Sequence[SpeedRow]) -> list[str]:
    """Return a line for each concurrency: all streams together, one stream among them, and how long they waited."""
    columns: dict[str, Cell] = {
        "endpoint": lambda row: row.endpoint,
        "workload": lambda row: row.workload,
        "c": lambda row: "open" if row.concurrency is None else str(row.concurrency),
        "t/s (total)": lambda row: deviation(row.throughput_tok_s),
        "peak t/s": lambda row: deviation(row.peak_tok_s),
        "t/s (stream)": lambda row: deviation(row.decode_tok_s),
        "TTFT ms": lambda row: deviation(row.ttft_s, scale=1000),
        "TTFT p99 ms": lambda row: deviation(row.ttft_p99_s, scale=1000),
        "ITL p99 ms": lambda row: deviation(row.itl_p99_s, scale=1000),
        "req/s": lambda row: deviation(row.request_rate_s),
        "marks": lambda row: ", ".join(row.marks),
    }
    return markdown(list(columns), [[cell(row) for cell in columns.values()] for row in rows])


def depth_matrix(rows: Sequence[SpeedRow]) -> list[str]:
    """Return, for each endpoint and depth, decode rate and TTFT by length of answer; missing where none was measured."""
    answers = sorted({row.target_answer_tokens for row in rows if row.target_answer_tokens is not None})
    found = {(row.endpoint, row.depth_tokens, row.target_answer_tokens): row for row in rows}
    places = dict.fromkeys((row.endpoint, row.depth_tokens) for row in rows)
    lines = []
    for endpoint, depth in sorted(places, key=lambda place: (place[0], place[1])):
        own = [found.get((endpoint, depth, tokens)) for tokens in answers]
        rates = [MISSING if row is None else deviation(row.decode_tok_s) for row in own]
        waits = [MISSING if row is None else deviation(row.ttft_s, scale=1000) for row in own]
        lines.append([endpoint, f"d{depth}", *rates, *waits])
    heads = [*(f"tg{tokens} t/s" for tokens in answers), *(f"tg{tokens} TTFT ms" for tokens in answers)]
    return markdown(["endpoint", "depth", *heads], lines)


def deviation(figure: Spread | None, *, scale: float = 1.0) -> str:
    """Return `mean ± standard deviation`, the mean alone for one round, `-` if it is not known."""
    if figure is None:
        return MISSING
    mean = f"{figure.mean * scale:.2f}"
    return mean if figure.stdev is None else f"{mean} ± {figure.stdev * scale:.2f}"


def markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a table of Markdown that can also be read as it is; the first column flush left, the others right."""
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in (heads, *lines)]
    sizes = [max(3, *map(len, column)) for column in zip(*escaped, strict=True)]
    rule = [":".ljust(sizes[0], "-"), *("-" * (size - 1) + ":" for size in sizes[1:])]
    return [_line(cells, sizes) for cells in (escaped[0], rule, *escaped[1:])]


def _line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    first, *others = zip(cells, sizes, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(size) for cell, size in others)]
    return f"| {' | '.join(padded)} |"


def _label(kind: str, target: int | None, counted: Spread | None, row: SpeedRow) -> str:
    """Name a test: by what was aimed at, else by what came."""
    tokens = target if target is not None else (MISSING if counted is None else f"{counted.median:.0f}")
    depth = f" @ d{row.depth_tokens}" if row.depth_tokens else ""
    streams = "" if row.concurrency == 1 else " (open)" if row.concurrency is None else f" (c{row.concurrency})"
    return f"{kind}{tokens}{depth}{streams}"
