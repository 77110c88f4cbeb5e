"""The section of the Markdown report on speed: each workload, as mean ± standard deviation of its rounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.reports.markdown_text import MISSING, code, code_cell, table, without_empty, word_cell
from pytest_llmbench.reports.speed_tables import deviation

MAX_ROWS = 200
MAX_MARKS = 30

_COLUMNS: Final[Mapping[str, Callable[[SpeedRow], str]]] = {
    "endpoint": lambda row: code_cell(row.endpoint),
    "workload": lambda row: word_cell(row.workload),
    "streams": lambda row: "open" if row.concurrency is None else str(row.concurrency),
    "depth": lambda row: str(row.depth_tokens) if row.depth_tokens else MISSING,
    "in": lambda row: MISSING if row.target_prompt_tokens is None else str(row.target_prompt_tokens),
    "out": lambda row: MISSING if row.target_answer_tokens is None else str(row.target_answer_tokens),
    "tok/s of a stream": lambda row: deviation(row.decode_tok_s),
    "tok/s of all": lambda row: deviation(row.throughput_tok_s),
    "prompt tok/s": lambda row: deviation(row.prefill_tok_s),
    "TTFT ms": lambda row: deviation(row.ttft_s, scale=1000),
    "ITL p99 ms": lambda row: deviation(row.itl_p99_s, scale=1000),
    "marks": lambda row: code_cell(", ".join(row.marks)),
}
_LEFT = {"endpoint", "workload", "marks"}


def speed_section(rows: Sequence[SpeedRow]) -> list[str]:
    """Return a line for each workload, and why some are not to be believed; nothing where none was measured."""
    if not rows:
        return []
    heads, cells = without_empty(
        list(_COLUMNS), [[cell(row) for cell in _COLUMNS.values()] for row in rows[:MAX_ROWS]], kept=2
    )
    lines = ["## Speed", "", *table(heads, cells, frozenset(heads) - _LEFT)]
    if len(rows) > MAX_ROWS:
        lines += [f"… and {len(rows) - MAX_ROWS} more, see report.json.", ""]
    marked = [
        f"- {code(row.endpoint)}, {code(row.workload)}: {code(mark)}: {code(why)}"
        for row in rows
        for mark, why in row.marks.items()
    ]
    return [*lines, *marked[:MAX_MARKS], *([""] if marked else [])]
