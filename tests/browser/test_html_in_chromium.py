"""What a reader does with the report: opens, looks, filters, follows links, prints; with a mouse, with keys, on a phone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from pytest_llmbench.reports.html.visible import visible
from tests.browser.conftest import WIDTHS, Open
from tests.reports.hostile import ATTACK, NAME, make_hostile
from tests.reports.large import make_large

DEEP = "#check/qwen3-coder-4b-fp8/stratum/byte_order/2"


def rows_of(page: Page) -> int:
    return page.locator("#rows li").count()


def ready(page: Page) -> None:
    """Wait until all texts of the check that the address names are there."""
    expect(page.locator("#detail")).to_have_attribute("data-shows", page.evaluate("location.hash"))


def open_all(page: Page) -> None:
    """Open all parts of a check, and wait until each has its text."""
    page.evaluate("document.querySelectorAll('#detail > details:not([open]) > summary').forEach(each => each.click())")
    expect(page.locator("#detail > details:not([open])")).to_have_count(0)
    expect(page.locator("#detail > details:not(:has(> :nth-child(2)))")).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["small", "hostile"])
def test_it_opens_as_a_file_and_asks_for_nothing(open_report: Open, name: str, width: str) -> None:
    found = open_report(name, width)
    expect(found.page.locator("#found")).to_contain_text("checks")
    assert rows_of(found.page) > 0
    assert found.all_trouble() == []


@pytest.mark.parametrize("name", ["small", "large", "hostile"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_of_the_page(open_report: Open, name: str, width: str) -> None:
    page = open_report(name, width).page
    first = page.locator("#rows a").first.get_attribute("href")
    for link in ("", first):
        page.evaluate("link => { location.hash = link; }", link)
        if link:
            ready(page)
            open_all(page)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_the_charts_are_coloured_by_the_page(open_report: Open) -> None:
    page = open_report("small").page
    strokes = page.eval_on_selector_all(
        ".pygal-chart >> nth=0 >> .series path.line", "lines => lines.map(line => getComputedStyle(line).stroke)"
    )
    assert len(strokes) == len(set(strokes)) == 3
    assert page.locator("figure.chart").count() == 5
    page.locator("figure.chart summary").first.click()
    expect(page.locator("figure.chart table").first).to_be_visible()


def test_text_and_choices_filter_the_list(open_report: Open) -> None:
    page = open_report("small").page
    report, _ = make_large(4, 2)
    found = page.locator("#found")
    expect(found).to_have_text(f"{len(report.checks)} checks")
    page.fill("#filter-text", "byte_order")
    wanted = [check for check in report.checks if check.check == "byte_order"]
    expect(found).to_have_text(f"{len(wanted)} of {len(report.checks)} checks")
    page.select_option("#filter-endpoint", "qwen3-coder-4b-fp8")
    expect(page.locator("#rows li")).to_have_count(2)
    page.fill("#filter-text", "")
    page.select_option("#filter-outcome", "not passed")
    failed = [one for one in report.checks if one.endpoint == "qwen3-coder-4b-fp8" and one.outcome != "passed"]
    expect(page.locator("#rows li")).to_have_count(len(failed))
    page.select_option("#filter-suite", "payment")
    expect(page.locator("#rows li")).to_have_count(sum(one.suite == "payment" for one in failed))
    assert "suite=payment" in page.url
    page.reload()
    expect(page.locator("#rows li")).to_have_count(sum(one.suite == "payment" for one in failed))
    page.get_by_role("button", name="Show all").click()
    expect(found).to_have_text(f"{len(report.checks)} checks")
    page.fill("#filter-text", "nothing-has-this-in-it")
    expect(page.locator("#rows li")).to_have_count(0)
    expect(found).to_have_text(f"0 of {len(report.checks)} checks")


def test_the_search_goes_into_answers_and_logs_where_it_is_told_to(open_report: Open) -> None:
    page = open_report("small").page
    report, texts = make_large(4, 2)
    word = "extranonce2_size"
    having = {key for key, one in texts.completions.items() if one.exchange and word in one.exchange.content.lower()}
    wanted = [one for one in report.checks if (one.endpoint, one.suite, one.sample) in having]
    page.fill("#filter-text", word)
    said = page.locator("#rows li").count()
    page.get_by_label("in answers and logs too").check()
    expect(page.locator("#rows li").nth(len(wanted) - 1)).to_be_attached()
    assert len(wanted) > said
    page.reload()
    expect(page.get_by_label("in answers and logs too")).to_be_checked()
    expect(page.locator("#rows li").nth(len(wanted) - 1)).to_be_attached()


def test_what_one_check_printed_does_not_list_its_neighbours(open_report: Open) -> None:
    page = open_report("small").page
    report, _ = make_large(4, 2)
    wanted = [one for one in report.checks if one.check == "byte_order" and one.log]
    page.get_by_label("in answers and logs too").check()
    page.fill("#filter-text", "byte_order_was_here")
    expect(page.locator("#found")).to_have_text(f"{len(wanted)} of {len(report.checks)} checks")


def test_all_of_it_can_be_done_with_keys(open_report: Open) -> None:
    page = open_report("small").page
    page.keyboard.press("/")
    expect(page.locator("#filter-text")).to_be_focused()
    page.keyboard.type("race n")
    assert rows_of(page) == 8
    page.keyboard.press("Escape")
    assert rows_of(page) == 176
    page.keyboard.type("race")
    for _ in range(6):
        page.keyboard.press("Tab")
    expect(page.locator("#rows a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_have_text("payment race")
    first = page.url
    page.keyboard.press("n")
    expect(page.locator("#detail")).to_contain_text("sample 2")
    page.keyboard.press("p")
    assert page.url == first
    page.keyboard.press("u")
    expect(page.locator("#overview")).to_be_visible()
    assert rows_of(page) == 8
    expect(page.locator("#rows a").first).to_be_focused()
    page.keyboard.press("Enter")
    ready(page)
    page.keyboard.press("/")
    expect(page.locator("#filter-text")).to_be_focused()
    expect(page.locator("#detail")).to_be_hidden()


def test_a_cell_of_the_heat_map_leads_to_its_check_and_back(open_report: Open) -> None:
    page = open_report("small").page
    cell = page.locator(".heat td a").nth(50)
    cell.scroll_into_view_if_needed()
    top = page.evaluate("scrollY")
    assert top > 0
    said = cell.get_attribute("aria-label") or ""
    cell.click()
    ready(page)
    expect(page.locator("#overview")).to_be_hidden()
    suite, check = said.split(",")[0].split(" ")
    expect(page.locator("#detail h2")).to_have_text(f"{suite} {check}")
    page.go_back()
    expect(page.locator("#overview")).to_be_visible()
    expect(page.locator("#detail")).to_be_hidden()
    expect(cell).to_be_focused()
    assert page.evaluate("scrollY") == top, "where the reader was"


def test_the_list_is_where_the_reader_left_it(open_report: Open) -> None:
    page = open_report("large").page
    page.locator("#more").click()
    assert rows_of(page) == 400
    row = page.locator("#rows a").nth(350)
    row.click()
    ready(page)
    page.keyboard.press("n")
    expect(page.locator("#detail .neighbours")).to_contain_text("352 of 1760")
    page.keyboard.press("u")
    expect(page.locator("#rows a").nth(351)).to_be_focused()
    expect(page.locator("#rows a").nth(351)).to_be_in_viewport()
    assert rows_of(page) == 400


def test_a_deep_link_opens_the_check_with_all_of_its_texts(open_report: Open) -> None:
    found = open_report("small", link=DEEP)
    page = found.page
    ready(page)
    report, texts = make_large(4, 2)
    (check,) = [
        one for one in report.checks
        if (one.endpoint, one.check, one.sample) == ("qwen3-coder-4b-fp8", "byte_order", 2)
    ]  # fmt: skip
    assert check.log is not None
    open_all(page)
    key = ("qwen3-coder-4b-fp8", "stratum", 2)
    exchange = texts.completion(*key).exchange  # type: ignore[union-attr]
    assert exchange is not None
    wanted = (
        exchange.reasoning, exchange.content, texts.prompt("stratum"), texts.program("stratum")["server.py"],
        texts.text(check.log), texts.text(check.log.replace(".log", ".seen.txt")),
    )  # fmt: skip
    shown = [" ".join(text.split()) for text in page.locator("#detail pre").all_text_contents()]
    for text in wanted:
        assert any(" ".join((text or "").split())[:5000].startswith(each[:5000]) for each in shown), (text or "")[:60]
    colours = {
        name: page.eval_on_selector(f".diff .{name}", "line => getComputedStyle(line).backgroundColor")
        for name in ("added", "removed", "hunk")
    }
    assert len(set(colours.values())) == 3
    assert (page.locator(".diff .added").first.text_content() or "").startswith("+"), "not by colour alone"
    assert found.all_trouble() == []


def test_a_link_to_nothing_says_so(open_report: Open) -> None:
    page = open_report("small", link="#check/gone/%E0%A4%A/x/1").page
    expect(page.locator("#trouble")).to_contain_text("no such check")
    expect(page.locator("#overview")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_hostile_answer_runs_nothing_and_leads_nowhere(open_report: Open, width: str) -> None:
    found = open_report("hostile", width)
    page = found.page
    links = [link.get_attribute("href") or "" for link in page.locator("#rows a").all()]
    assert len(links) == len(make_hostile()[0].checks)
    for link in links[:8]:
        page.evaluate("link => { location.hash = link; }", link)
        ready(page)
        open_all(page)
        for _ in range(5):
            page.locator("#detail button").first.click()
        page.mouse.move(200, 300)
        for line in page.locator("#detail pre").all():
            line.hover()
            line.click()
        assert page.locator("#detail :is(script, img, iframe, style, base, svg, meta, object, embed)").count() == 0
        assert page.eval_on_selector_all(
            "#detail a", "links => links.every(a => a.getAttribute('href').startsWith('#'))"
        )
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("({}).polluted") is None
    assert found.all_trouble() == []
    assert page.url.startswith("file://")
    assert page.title().startswith("pytest-llmbench")


def test_what_would_hide_is_shown(open_report: Open) -> None:
    page = open_report("hostile").page
    page.locator("#rows a").first.click()
    ready(page)
    open_all(page)
    assert visible(ATTACK) in "".join(page.locator("#detail pre").all_text_contents())
    assert {"⟨U+202E⟩", "⟨U+0000⟩", "⟨U+D800⟩", "⟨U+2028⟩"} <= set(page.locator("#detail .control").all_text_contents())
    assert visible(NAME) in (page.locator("#detail h2").text_content() or "")


def test_a_huge_line_is_a_click_away(open_report: Open) -> None:
    page = open_report("hostile").page
    page.locator("#rows a").first.click()
    ready(page)
    block = page.locator("#detail pre").first
    before = len(block.text_content() or "")
    assert before < 20_000
    more = block.get_by_role("button", name=re.compile("more characters in this line"))
    while more.count():
        more.first.click()
    assert "window.pwned=13" in (block.text_content() or "")


def test_dark_and_light_follow_the_system_and_the_switch(open_report: Open) -> None:
    backgrounds = {}
    for scheme in ("light", "dark"):
        page = open_report("small", scheme=scheme).page
        backgrounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert backgrounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}
    switch = page.get_by_role("button", name="Colours")
    switch.click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == backgrounds["light"]
    switch.click()
    switch.click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == backgrounds["dark"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("link", ["", DEEP])
def test_axe_finds_no_fault(open_report: Open, link: str, scheme: str) -> None:
    page = open_report("small", link=link, scheme=scheme).page
    if link:
        ready(page)
        open_all(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_an_old_browser_still_says_what_is_known(open_report: Open) -> None:
    page = open_report("small", link=DEEP, before="delete window.DecompressionStream;").page
    expect(page.locator("#detail .notice")).to_contain_text("cannot unpack")
    expect(page.locator("#detail .notice")).to_contain_text("completions/qwen3-coder-4b-fp8/stratum-s2.json")


def test_it_prints_what_was_opened_and_no_controls(open_report: Open) -> None:
    page = open_report("small", link=DEEP).page
    ready(page)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#detail > details:not([open])").count() == 0
    expect(page.locator("nav")).to_be_hidden()
    expect(page.locator("button:not(.more):visible")).to_have_count(0)
    assert page.pdf().startswith(b"%PDF")


def test_on_paper_it_is_said_what_is_not_there(open_report: Open) -> None:
    page = open_report("hostile").page
    page.locator("#rows a").first.click()
    ready(page)
    page.emulate_media(media="print")
    expect(page.locator("#detail pre button").first).to_be_visible()
    expect(page.locator("#detail pre button").first).to_contain_text("more characters in this line")


def test_of_a_large_report_little_is_drawn_and_little_unpacked(open_report: Open) -> None:
    count = (
        "window.unpacked = 0; const { atob } = window; window.atob = (text) => { unpacked += 1; return atob(text); };"
    )
    page = open_report("large", before=count).page
    assert page.evaluate("document.querySelectorAll('*').length") < 12_000
    assert rows_of(page) == 200
    assert page.evaluate("unpacked") == 0
    page.locator("#rows a").first.click()
    ready(page)
    assert page.evaluate("unpacked") == 3, "what was asked, what was answered, what was seen"
    page.go_back()
    page.fill("#filter-text", "float_precision")
    expect(page.locator("#found")).to_have_text("80 of 1,760 checks")
