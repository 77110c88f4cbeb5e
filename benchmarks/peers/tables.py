"""The rows of the comparison. Pure but for the printing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.peers.compare import Outcome

Row = Mapping[str, str]


def accuracy_row(client: str, outcomes: Sequence[Outcome]) -> Row:
    """Return what a client said of one setting and how far it was off; medians over the rounds."""
    return {
        "client": client,
        "TTFT ms": _median([_times(1e3, _said(outcome, "ttft_s")) for outcome in outcomes], ".1f"),
        "true": _median([_times(1e3, outcome.true.ttft_s) for outcome in outcomes], ".1f"),
        "error %": _error(outcomes, "ttft_s"),
        "tok/s": _median([_said(outcome, "decode_tok_s") for outcome in outcomes], ".2f"),
        "off by %": _error(outcomes, "decode_tok_s"),
        "ITL p99 ms": _median([_times(1e3, _said(outcome, "itl_p99_s")) for outcome in outcomes], ".2f"),
        "p99 off by %": _error(outcomes, "itl_p99_s"),
        "tokens off by %": _error(outcomes, "tokens"),
        "server late p99 ms": _median([_times(1e3, outcome.late_p99_s) for outcome in outcomes], ".2f"),
    }


def cost_row(
    client: str,
    paced: tuple[Sequence[Outcome], Sequence[Outcome]],
    flood: tuple[Sequence[Outcome], Sequence[Outcome]],
) -> Row:
    """Return what a token costs a client, from a short and a long run of each kind."""
    paced_us, fixed_s = _marginal(*paced, "cpu_s")
    flood_us, _ = _marginal(*flood, "cpu_s")
    wall_us, wall_s = _marginal(*flood, "wall_s")
    return {
        "client": client,
        "paced, us CPU a token": _shown(_times(1e6, paced_us), ".1f"),
        "flood, us": _shown(_times(1e6, flood_us), ".2f"),
        "flood, tok/s a core": _shown(None if flood_us is None else 1 / flood_us, ",.0f"),
        "fixed CPU s": _shown(fixed_s, ".2f"),
        "by the clock": _shown(None if wall_us is None else 1 / wall_us, ",.0f"),
        "fixed wall s": _shown(wall_s, ".1f"),
    }


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print rows under their names, all columns aligned."""
    print(f"\n{title}")
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    for row in ({name: name for name in rows[0]}, *rows):
        first, *rest = row
        cells = [f"{row[first]:{widths[first]}}", *(f"{row[name]:>{widths[name]}}" for name in rest)]
        print("  " + "  ".join(cells), flush=True)


def _marginal(short: Sequence[Outcome], long: Sequence[Outcome], cost: str) -> tuple[float | None, float | None]:
    """Return the cost of one token and that of a run without any, in seconds; None where a run failed or noise hides it."""
    if any(outcome.cost.status for outcome in (*short, *long)):
        return None, None
    tokens = [median(outcome.tokens_served for outcome in outcomes) for outcomes in (short, long)]
    costs_s = [median(getattr(outcome.cost, cost) for outcome in outcomes) for outcomes in (short, long)]
    each_s = (costs_s[1] - costs_s[0]) / (tokens[1] - tokens[0])
    return (each_s, costs_s[0] - each_s * tokens[0]) if each_s > 0 else (None, None)


def _error(outcomes: Sequence[Outcome], figure: str) -> str:
    errors = []
    for outcome in outcomes:
        said, true = _said(outcome, figure), getattr(outcome.true, figure)
        errors.append(100 * (said / true - 1) if said is not None and true else None)
    return _median(errors, "+.2f")


def _said(outcome: Outcome, figure: str) -> float | None:
    value: float | None = None if outcome.said is None else getattr(outcome.said, figure)
    return value


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value


def _median(values: Sequence[float | None], form: str) -> str:
    known = [value for value in values if value is not None]
    return _shown(median(known) if known else None, form)


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
