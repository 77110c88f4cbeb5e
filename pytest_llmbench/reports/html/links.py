"""Links into the page: `#check/ENDPOINT/SUITE/CHECK/SAMPLE`, which last as long as these names."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from pytest_llmbench.reports.html.visible import visible


def check_link(endpoint: str, suite: str, check: str, sample: int) -> str:
    """Return the link of one check of one answer."""
    return "#check/" + "/".join(quote(visible(part), safe="") for part in (endpoint, suite, check, str(sample)))


def filter_link(**wanted: str) -> str:
    """Return the link of the list of checks, filtered: by `endpoint`, `suite`, `outcome`, `text`."""
    return "#checks?" + urlencode({name: visible(value) for name, value in wanted.items()})
