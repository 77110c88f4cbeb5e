"""Rows of speed as charts: SVG without styles and scripts of its own, coloured by the page."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pygal
from markupsafe import Markup

from pytest_llmbench.model.speed import SpeedRow, Spread
from pytest_llmbench.reports.html.visible import visible
from pytest_llmbench.reports.speed_tables import MISSING, deviation

# The library leaves an import hook for its plug-ins that Python warns of at every further import, in a user's process.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

SIZE = (600, 340)
"""Of the drawing, in its own units; small enough that its letters can be read on a phone."""
COLOURS, DASHES = 8, 4
"""That the page has for lines; each line of the first eight has its own colour, and every fourth the same dashes."""
_SERIES = re.compile(r"\bserie-(\d+)\b")
MARKED = "†"
"""Beside a figure of a row that has marks."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    classes: str
    """Of the page's style: a colour and, so that not the colour alone tells, a pattern of dashes."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, and its figures as a table."""

    title: str
    svg: Markup
    lines: tuple[Line, ...]
    x_title: str
    xs: tuple[int, ...]
    cells: tuple[tuple[str, ...], ...]
    """A row for each line, a cell for each x: mean ± standard deviation."""


@dataclass(frozen=True, slots=True)
class _Kind:
    workload: str
    x_title: str
    x: Callable[[SpeedRow], int | None]
    name: Callable[[SpeedRow], str]
    figures: Mapping[str, str]
    """Field -> title, with the unit."""


def _by_length(row: SpeedRow) -> str:
    return row.endpoint if row.target_answer_tokens is None else f"{row.endpoint}, tg{row.target_answer_tokens}"


KINDS = (
    _Kind(
        "sweep",
        "requests in flight",
        lambda row: row.concurrency,
        lambda row: row.endpoint,
        {
            "throughput_tok_s": "All streams together, tok/s",
            "decode_tok_s": "One stream among them, tok/s",
            "ttft_s": "Time to first token, s",
        },
    ),
    _Kind(
        "depth",
        "prompt tokens before the question",
        lambda row: row.depth_tokens,
        _by_length,
        {"decode_tok_s": "One stream by depth, tok/s", "ttft_s": "Time to first token by depth, s"},
    ),
)


def charts(rows: Sequence[SpeedRow]) -> tuple[Chart, ...]:
    """Return a chart for each figure that was measured at two places at least."""
    found = []
    for kind in KINDS:
        own = [row for row in rows if row.workload == kind.workload and kind.x(row) is not None]
        for figure, title in kind.figures.items():
            known = {(kind.name(row), kind.x(row)): row for row in own if getattr(row, figure) is not None}
            xs = tuple(sorted({x for _, x in known if x is not None}))
            if len(xs) > 1:
                found.append(_chart(title, kind.x_title, xs, known, figure))
    return tuple(found)


def _chart(
    title: str, x_title: str, xs: tuple[int, ...], known: Mapping[tuple[str, int | None], SpeedRow], figure: str
) -> Chart:
    names = list(dict.fromkeys(name for name, _ in known))
    lines = tuple(Line(visible(name), _classes(place)) for place, name in enumerate(names))
    spreads: list[list[Spread | None]] = [
        [getattr(known[name, x], figure) if (name, x) in known else None for x in xs] for name in names
    ]
    means = [[None if spread is None else spread.mean for spread in line] for line in spreads]
    svg = _svg(title, x_title, xs, {line.name: line_means for line, line_means in zip(lines, means, strict=True)})
    cells = tuple(tuple(_cell(known.get((name, x)), figure) for x in xs) for name in names)
    return Chart(title, svg, lines, x_title, xs, cells)


def _classes(place: int) -> str:
    return f"colour-{place % COLOURS} dash-{(place + place // COLOURS) % DASHES}"


def _cell(row: SpeedRow | None, figure: str) -> str:
    text = MISSING if row is None else deviation(getattr(row, figure))
    return f"{text} {MARKED}" if row is not None and row.marks else text


def _svg(title: str, x_title: str, xs: Sequence[int], lines: Mapping[str, Sequence[float | None]]) -> Markup:
    width, height = SIZE
    chart = pygal.Line(
        width=width,
        height=height,
        js=(),
        css=(),
        no_prefix=True,
        disable_xml_declaration=True,
        show_legend=False,
        x_title=x_title,
        x_labels=[f"{x:,}" for x in xs],
        range=(0, max((mean for line in lines.values() for mean in line if mean is not None), default=0) or 1),
        dots_size=4,
        margin=4,
        max_scale=8,
    )
    for name, means in lines.items():
        chart.add(name, [_point(name, x, mean) for x, mean in zip(xs, means, strict=True)])
    chart.add_xml_filter(partial(_bare, title))
    # The library escapes every text; of these only names are from outside, and they went through `visible`.
    return Markup(chart.render(is_unicode=True))  # noqa: S704


def _point(name: str, x: int, mean: float | None) -> dict[str, float | str] | None:
    return None if mean is None else {"value": mean, "tooltip": f"{name}, {x:,}: {mean:.4g}"}


def _bare(title: str, root: Any) -> Any:
    """Take out what a strict Content-Security-Policy forbids and what only the library's script reads; give it a name."""
    for parent in list(root.iter()):
        parent.attrib.pop("style", None)
        for child in list(parent):
            # The tag of a comment is no text; this one has today's date in it.
            if not isinstance(child.tag, str) or child.tag in {"defs", "desc"}:
                parent.remove(child)
        if place := _SERIES.search(parent.get("class", "")):
            parent.set("class", f"series {_classes(int(place[1]))}")
    for child in root.findall("title"):
        root.remove(child)
    del root.attrib["id"]
    root.set("role", "img")
    root.set("aria-label", f"{title}, as a chart; the table below has its figures")
    return root
