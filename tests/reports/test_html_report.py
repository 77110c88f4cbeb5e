"""The page as a file: what is in it, and that nothing of it can run but its own script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from pytest_llmbench.model.completion import CaseKey, Completion, Exchange
from pytest_llmbench.model.report import Gate, Report
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.details import NO_DETAILS, Details
from pytest_llmbench.reports.html import answers
from pytest_llmbench.reports.html.packing import LIMITS, unpack
from pytest_llmbench.reports.html.visible import visible
from tests.reports.hostile import ATTACK, HIDDEN, NAME, SCRIPTS, make_hostile
from tests.reports.large import CHECKS, Texts, make_large

VOID = {"meta", "br", "input", "img", "link", "hr", "wbr"}


class Page(HTMLParser):
    """What a browser would find in a page, element by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[dict[str, str | None], str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.unmatched: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.raw.append((dict(attrs), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.unmatched.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            attributes, text = self.raw[-1]
            self.raw[-1] = (attributes, text + data)
        else:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.unmatched.append(f"<!--{data}")

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def raw_of(self, identity: str) -> str:
        (found,) = [text for attributes, text in self.raw if attributes.get("id") == identity]
        return found

    @property
    def index(self) -> Any:
        return json.loads(self.raw_of("index"))

    def block(self, number: int) -> Any:
        return unpack(self.raw_of(f"block-{number}"))


def page_of(report: Report, details: Details = NO_DETAILS) -> Page:
    text = FORMATS["html"](report, details)
    text.encode()
    return Page(text)


@pytest.fixture(scope="module")
def large() -> tuple[Report, Texts]:
    return make_large()


@pytest.fixture(scope="module")
def large_page(large: tuple[Report, Texts]) -> Page:
    return page_of(*large)


@pytest.fixture(scope="module")
def hostile_page() -> Page:
    return page_of(*make_hostile())


@pytest.fixture(params=["large", "hostile"])
def any_page(request: pytest.FixtureRequest) -> Page:
    page: Page = request.getfixturevalue(f"{request.param}_page")
    return page


def test_every_element_that_is_opened_is_closed(any_page: Page) -> None:
    assert (any_page.open, any_page.unmatched) == ([], [])


def test_nothing_runs_but_the_one_script_whose_hash_the_policy_has(any_page: Page) -> None:
    policies = [each for tag, each in any_page.elements if tag == "meta" and "http-equiv" in each]
    assert [each["http-equiv"] for each in policies] == ["Content-Security-Policy"]
    policy = dict(rule.split(" ", 1) for rule in (policies[0]["content"] or "").split("; "))
    assert policy["default-src"] == "'none'"
    data_only = ("application/json", "text/plain")
    running = [text for attributes, text in any_page.raw if attributes.get("type") not in data_only]
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in running]
    assert hashes == [policy["style-src"], policy["script-src"]]
    assert [tag for tag, each in any_page.elements[:6] if "http-equiv" in each] == ["meta"], "the policy stands first"


def test_no_attribute_runs_styles_or_leads_out_of_the_page(any_page: Page) -> None:
    for tag, attributes in any_page.elements:
        assert tag not in {"iframe", "object", "embed", "base", "link", "img"}
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in {"style", "src", "srcdoc", "action", "formaction", "xlink:href"}, (tag, name)
            assert name != "href" or (value or "").startswith("#"), value


def test_ids_are_unique_and_labels_lead_to_them(any_page: Page) -> None:
    ids = [each["id"] for _, each in any_page.elements if "id" in each]
    assert len(ids) == len(set(ids))
    for _, attributes in any_page.elements:
        for name in ("aria-labelledby", "for"):
            assert attributes.get(name, ids[0]) in {*ids, "detail-title"}, "the script makes that one"


def test_links_within_the_page_lead_to_what_is_there(any_page: Page) -> None:
    ids = {each["id"] for _, each in any_page.elements if "id" in each}
    for tag, attributes in any_page.elements:
        target = (attributes.get("href") or "").partition("?")[0]
        if tag == "a" and not target.startswith("#check/"):
            assert target[1:] in ids, target


def test_the_attack_is_there_to_be_read(hostile_page: Page) -> None:
    for text in SCRIPTS:
        assert " ".join(text.split()) in hostile_page.text
    assert "⟨U+202E⟩txt.exe⟨U+202C⟩" in hostile_page.text
    assert "⟨U+D800⟩ lone ⟨U+DFFF⟩" in hostile_page.text
    assert "⟨U+0000⟩⟨U+001B⟩[31m" in hostile_page.text


def test_texts_come_back_from_their_blocks_as_they_were(hostile_page: Page) -> None:
    answer = hostile_page.index["answers"][0]
    said = hostile_page.block(answer[3])
    assert said["reasoning"] == ATTACK
    assert said["answer"].startswith(ATTACK)
    changes = dict(said["diff"])
    assert set(changes) == {"new.py", visible(NAME)}, "huge.txt is as it was"
    assert HIDDEN in changes["new.py"]


def test_every_check_is_in_the_index(large: tuple[Report, Texts], large_page: Page) -> None:
    report, texts = large
    index = large_page.index
    assert len(index["rows"]) == len(report.checks) == 16 * 22 * 5
    for place in (0, 777, 1500):
        check, row = report.checks[place], index["rows"][place]
        answer = index["answers"][row[0]]
        assert index["endpoints"][answer[0]] == check.endpoint
        assert (index["suites"][answer[1]]["name"], index["checks"][row[1]][1]) == (check.suite, check.check)
        assert (answer[2], index["outcomes"][row[2]][0]) == (check.sample, check.outcome)
        evidence, logs, nodeid, _ = large_page.block(answer[4])["said"][check.check]
        assert (evidence, nodeid) == (check.evidence, check.nodeid)
        assert bool(logs) is (check.log is not None)
        for log, seen in logs:
            runs = large_page.block(answer[4])["texts"]
            assert (runs[log], runs[seen]) == (texts.texts[log], texts.texts[seen])


def test_prompt_and_program_are_kept_once_for_each_suite(large: tuple[Report, Texts], large_page: Page) -> None:
    texts = large[1]
    for suite in large_page.index["suites"]:
        asked = large_page.block(suite["asked"])
        assert asked["prompt"] == texts.prompts[suite["name"]]
        assert dict(asked["program"]) == texts.programs[suite["name"]]


def test_the_page_shows_ranks_figures_and_the_verdict(large_page: Page) -> None:
    for wanted in (
        "The bar is not met", "p = 0.038", "Leaderboard", "qwen3-coder-3b-awq", "32768", "GPU memory",
        "use a smaller --max-model-len", "server.version: 0.11.0 -> 0.11.1", "must pass", "All streams together, tok/s",
    ):  # fmt: skip
        assert wanted in large_page.text, wanted
    heads = {attributes.get("title") for tag, attributes in large_page.elements if tag == "span"}
    assert {f"qwen3-coder-{number + 3}b-{kind}" for number, kind in ((0, "awq"), (15, "bf16"))} <= heads
    cells = [
        attributes
        for tag, attributes in large_page.elements
        if tag == "td" and "level" in (attributes.get("class") or "")
    ]
    assert len(cells) == 16 * 22


def test_a_check_that_got_worse_leads_to_the_answer_that_did(large: tuple[Report, Texts]) -> None:
    report, texts = large
    (comparison,) = report.gate.comparisons
    (worse,) = comparison.regressions
    evidence = f"\nAssertionError: {'x' * 400}\nassert 1 == 2"
    comparison = replace(comparison, regressions=(replace(worse, evidence=evidence),))
    gate = replace(report.gate, comparisons=(comparison,))
    page = page_of(replace(report, gate=gate), texts)
    links = {each.get("href") for tag, each in page.elements if tag == "a"}
    assert f"#check/{comparison.endpoint}/stratum/byte_order/2" in links
    assert f"✓ {worse.samples[0].before} → ✗ {worse.samples[0].after}" in page.text
    assert f"AssertionError: {'x' * 283}… ✓" in page.text


def test_of_merged_runs_the_whole_of_a_text_is_in_the_run_that_it_is_from(report: Report) -> None:
    row = report.completions[0]
    key = CaseKey(row.endpoint, row.suite, row.sample)
    long = "x" * (LIMITS[0] + 1)
    texts = Texts({key: Completion(*key, {}, "", Exchange(long))}, candidates={key: {"a.py": long}})
    merged = replace(row, transcript=f"run-a/{row.transcript}")
    page = page_of(replace(report, completions=(merged, *report.completions[1:])), texts)
    said = page.block(page.index["answers"][0][3])
    assert said["answer"][1:] == [1, "x" * (LIMITS[0] // 4), f"run-a/{row.transcript}"]
    ((_, diff),) = said["diff"]
    assert diff[3] == f"run-a/candidates/{row.endpoint}/{row.suite}-s{row.sample}/a.py"


def test_a_large_report_is_quick_and_stays_small(large: tuple[Report, Texts]) -> None:
    FORMATS["html"](*make_large(2, 1))
    began_s = time.process_time()
    text = FORMATS["html"](*large)
    assert time.process_time() - began_s < 2 * 3, "two seconds, and as much again twice for a busy machine"
    assert len(text.encode()) < 15_000_000


def test_texts_that_are_too_much_are_cut_and_the_page_says_where_the_whole_is(
    large: tuple[Report, Texts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MAX_PACKED_BYTES", 4_000_000)
    text = FORMATS["html"](*large)
    assert len(text) < 6_000_000
    page = Page(text)
    found = re.search(r"Texts of more than ([\d,]+) characters are cut", page.text)
    assert found
    limit = int(found[1].replace(",", ""))
    assert limit in LIMITS[1:-1]
    head, left, tail, path = page.block(page.index["answers"][0][3])["answer"]
    row = large[0].completions[0]
    whole = large[1].completions[CaseKey(row.endpoint, row.suite, row.sample)].exchange
    assert whole is not None
    assert (head, tail) == (whole.content[: len(head)], whole.content[len(whole.content) - len(tail) :])
    assert len(head) + len(tail) == limit
    assert len(head) + len(tail) + left == len(whole.content)
    assert path == page.index["answers"][0][7]


def test_identical_answers_are_kept_once() -> None:
    report, texts = make_large(2, 5)
    (first,) = {(key.endpoint) for key in texts.candidates}
    same = {
        key: replace(one, exchange=texts.completions[CaseKey(first, key.suite, 1)].exchange)
        for key, one in texts.completions.items()
    }
    candidates = {key: texts.candidates[CaseKey(first, key.suite, 1)] for key in texts.candidates}
    page = page_of(report, replace(texts, completions=same, candidates=candidates))
    kept = {(answer[1], answer[3]) for answer in page.index["answers"] if answer[0] == 0}
    assert len(kept) == len(CHECKS)


def test_a_report_without_its_run_folder_still_has_what_it_knows(report: Report) -> None:
    page = page_of(report)
    assert len(page.index["rows"]) == len(report.checks)
    answer = page.index["answers"][0]
    assert page.block(answer[3]) == {"answer": None, "reasoning": None, "diff": []}


def test_an_endpoint_that_only_checks_know_is_shown_too(report: Report) -> None:
    page = page_of(replace(report, endpoints=report.endpoints[1:]))
    assert sorted(page.index["endpoints"]) == sorted(row.name for row in report.endpoints)
    assert len(page.index["rows"]) == len(report.checks)


def test_a_check_shows_all_that_its_scenarios_printed(report: Report) -> None:
    check = replace(report.checks[0], log="logs/b.log", earlier_logs=("logs/a.log",))
    texts = {"logs/a.log": "one", "logs/a.seen.txt": "1", "logs/b.log": "two"}
    page = page_of(replace(report, checks=(check,)), Texts(texts=texts))
    (answer,) = [one for one in page.index["answers"] if page.block(one[4])["said"]]
    runs = page.block(answer[4])
    assert runs["said"][check.check][1] == [["logs/a.log", "logs/a.seen.txt"], ["logs/b.log", "logs/b.seen.txt"]]
    assert runs["texts"] == texts | {"logs/b.seen.txt": None}


def test_an_empty_report_is_a_page(report: Report) -> None:
    page = page_of(replace(report, endpoints=(), completions=(), checks=(), scores=(), suites=()))
    assert "No endpoint could be judged" in page.text
    assert page.index["rows"] == []


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("met", "The bar is met"),
        ("not_met", "The bar is not met"),
        ("inconclusive", "Inconclusive: these answers cannot tell"),
    ],
)
def test_the_verdict_is_said_in_words(report: Report, verdict: Any, said: str) -> None:
    page = page_of(replace(report, gate=Gate(verdict, ("because",))))
    assert f"{said} because" in page.text
    assert "Gate" not in page_of(report).text


def test_the_same_report_gives_the_same_page(report: Report) -> None:
    assert FORMATS["html"](report, NO_DETAILS) == FORMATS["html"](report, NO_DETAILS)
