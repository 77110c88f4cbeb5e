"""Every answer and every check of it, as the page's script reads them: a small index, and packed texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import CaseKey, transcript_path
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.details import Details
from pytest_llmbench.reports.evidence import first_line
from pytest_llmbench.reports.html.packing import LIMITS, Pack, Shown, cut
from pytest_llmbench.reports.html.texts import Texts, checks_of, endpoints_of, keys_of, logs_of, read_texts, suites_of
from pytest_llmbench.reports.html.visible import INVISIBLE, visible

MAX_PACKED_BYTES = 11_000_000
"""Of all texts, packed; the page around them takes its share of the 15 MB that a mail or a CI artefact can bear."""
FIRST_LINE = 200
"""Characters of it in the list of checks."""

SYMBOLS: Mapping[Outcome, str] = {
    Outcome.PASSED: "✓",
    Outcome.WRONG: "✗",
    Outcome.TRUNCATED: "…",
    Outcome.EMPTY: "∅",
    Outcome.INFRA_ERROR: "!",
    Outcome.GRADER_ERROR: "!",
}
FIGURES: Mapping[str, str] = {
    "finish_reason": "finish reason",
    "prompt_tokens": "prompt tokens",
    "completion_tokens": "tokens",
    "reasoning_tokens": "of these reasoning",
    "ttft_s": "TTFT s",
    "ttft_answer_s": "TTFT of the answer s",
    "decode_tok_s": "tok/s",
    "e2e_s": "end to end s",
    "concurrency": "requests in flight",
    "attempts": "requests made",
}
"""Of an answer: field -> what the page calls it."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the page's script is given."""

    index: Mapping[str, Any]
    """Small, and read at once."""
    pack: Pack
    """Large, and read block by block when somebody looks."""
    limit: int
    """Characters of a text that were kept."""


def answers(report: Report, details: Details) -> Answers:
    """Lay out all answers; texts are cut as little as the size of the page allows."""
    texts = read_texts(report, details)
    for limit in LIMITS:
        found = _Layout(report, texts, limit).answers()
        if found.pack.size_bytes <= MAX_PACKED_BYTES:
            return found
    return found


class _Layout:
    """One attempt, with texts of at most `limit` characters."""

    def __init__(self, report: Report, texts: Texts, limit: int) -> None:
        self.report = report
        self.texts = texts
        self.limit = limit
        self.pack = Pack()

    def answers(self) -> Answers:
        suites, checks, keys = suites_of(self.report), checks_of(self.report), tuple(keys_of(self.report))
        outcomes = tuple(Outcome)
        of_answer = {key: place for place, key in enumerate(keys)}
        of_check = {check: place for place, check in enumerate(checks)}
        must_pass = {(check.suite, check.check) for check in self.report.checks if check.must_pass}
        index = {
            "invisible": INVISIBLE,
            "endpoints": [visible(name) for name in endpoints_of(self.report)],
            "suites": [self._suite(name) for name in suites],
            "checks": [[suites.index(suite), visible(name), int((suite, name) in must_pass)] for suite, name in checks],
            "outcomes": [[outcome.value, SYMBOLS[outcome]] for outcome in outcomes],
            "figures": list(FIGURES.values()),
            "answers": self._answers(keys, suites),
            "rows": [
                [
                    of_answer[CaseKey(check.endpoint, check.suite, check.sample)],
                    of_check[check.suite, check.check],
                    outcomes.index(check.outcome),
                    round(check.duration_s, 2),
                    visible(first_line(check.evidence, FIRST_LINE)),
                ]
                for check in self.report.checks
            ],
        }
        return Answers(index, self.pack, self.limit)

    def _suite(self, name: str) -> Mapping[str, Any]:
        row = next((row for row in self.report.suites if row.name == name), None)
        asked = {
            "prompt": self._text(self.texts.prompts[name], f"suites/{name}/prompt.md"),
            "program": [
                [visible(path), self._text(text, f"suites/{name}/program/{path}")]
                for path, text in self.texts.programs[name].items()
            ],
        }
        about = {"title": visible(row.title), "difficulty": visible(row.difficulty)} if row is not None else {}
        return {"name": visible(name), "asked": self.pack.add(asked), **about}

    def _answers(self, keys: Sequence[CaseKey], suites: Sequence[str]) -> Sequence[Any]:
        rows = {CaseKey(row.endpoint, row.suite, row.sample): row for row in self.report.completions}
        endpoints = {name: place for place, name in enumerate(endpoints_of(self.report))}
        checks: dict[CaseKey, list[Check]] = {key: [] for key in keys}
        for check in self.report.checks:
            checks[CaseKey(check.endpoint, check.suite, check.sample)].append(check)
        transcripts = {key: rows[key].transcript if key in rows else transcript_path(key) for key in keys}
        return [
            [
                endpoints[key.endpoint],
                suites.index(key.suite),
                key.sample,
                self._answer(key, transcripts[key]),
                self._runs(checks[key]),
                [_figure(getattr(rows.get(key), name, None)) for name in FIGURES],
                visible(getattr(rows.get(key), "error", None) or ""),
                visible(transcripts[key]),
            ]
            for key in keys
        ]

    def _answer(self, key: CaseKey, transcript: str) -> int:
        answer, reasoning = self.texts.said[key]
        # Of several runs merged, a transcript's path begins with its run.
        folder = transcript.replace("completions/", "candidates/", 1).removesuffix(".json")
        texts = {
            "answer": self._text(answer, transcript),
            "reasoning": self._text(reasoning, transcript),
            "diff": [[visible(path), self._text(text, f"{folder}/{path}")] for path, text in self.texts.changes[key]],
        }
        return self.pack.add(texts)

    def _runs(self, checks: Sequence[Check]) -> int:
        """Pack what the checks of an answer said, and what they ran printed; a log that several share once."""
        paths = dict.fromkeys(path for check in checks for pair in logs_of(check) for path in pair)
        texts = {visible(path): self._text(self.texts.logs[path], path) for path in paths}
        said = {
            visible(check.check): [
                self._text(check.evidence, "report.json"),
                [[visible(path) for path in pair] for pair in logs_of(check)],
                visible(check.nodeid),
                visible(check.sandbox.kind) if check.sandbox else "",
            ]
            for check in checks
        }
        return self.pack.add({"said": said, "texts": texts})

    def _text(self, text: Shown | None, whole: str) -> Shown | None:
        return None if text is None else cut(text, self.limit, visible(whole))


def _figure(figure: float | str | None) -> float | str | None:
    return round(figure, 3) if isinstance(figure, float) else visible(figure) if isinstance(figure, str) else figure
