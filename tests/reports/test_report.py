"""The report against its contract and its published schema."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_llmbench.model.codec import decode
from pytest_llmbench.model.completion import Completion
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import Report
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.build import build_report
from pytest_llmbench.reports.details import NO_DETAILS
from pytest_llmbench.reports.schema import report_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "report.schema.json"
CONTRACT = {
    "run": {"id", "started_at", "duration_s", "version", "command", "seed", "host"},
    "endpoints": {"name", "url", "model", "server", "sampling", "metadata", "fingerprint"},
    "completions": {
        "endpoint", "suite", "sample", "finish_reason", "prompt_tokens", "completion_tokens", "reasoning_tokens",
        "cached_tokens", "ttft_s", "ttft_answer_s", "decode_tok_s", "e2e_s", "concurrency", "transcript",
    },
    "checks": {"endpoint", "suite", "check", "sample", "outcome", "evidence", "duration_s"},
    "scores": {"endpoint", "suite", "passed", "scored", "coverage", "rate", "low", "high"},
    "gate": {"verdict", "reasons"},
}  # fmt: skip


@pytest.fixture
def data(report: Report) -> Any:
    return json.loads(FORMATS["json"](report, NO_DETAILS))


def test_the_published_schema_is_up_to_date() -> None:
    wanted = report_schema()
    assert PUBLISHED.read_text("utf-8") == wanted, (
        "run: python -m pytest_llmbench.reports.schema > docs/report.schema.json"
    )


def test_the_report_has_the_fields_of_the_contract(data: Any) -> None:
    own = ["schema", "run", "endpoints", "completions", "checks", "speed", "scores", "gate"]
    assert list(data) == [*own, "suites", "check_scores", "difficulty_scores"]
    assert data["schema"] == "llmbench-report/1"
    for part, fields in CONTRACT.items():
        rows = data[part] if isinstance(data[part], list) else [data[part]]
        assert rows
        for row in rows:
            assert fields <= set(row), part


def test_the_report_is_valid_by_another_validator(data: Any) -> None:
    schema = json.loads(report_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(data)
    data["checks"][0]["outcome"] = "maybe"
    assert not validator.is_valid(data)


def test_the_report_can_be_read_back(report: Report) -> None:
    assert decode(FORMATS["json"](report, NO_DETAILS).encode(), Report) == report


def test_a_report_of_an_older_version_can_still_be_read(report: Report, data: Any) -> None:
    for row in data["completions"]:
        for name in ("server", "answer_sha256", "seed"):
            del row[name]
    for row in data["checks"]:
        del row["must_pass"]
    for row in data["scores"]:
        for name in ("completions", "pass_at_k", "pass_hat_k", "flickers"):
            del row[name]
    del data["gate"]["comparisons"], data["suites"], data["check_scores"], data["difficulty_scores"]
    for row in data["endpoints"]:
        row["server"] = {"kind": None, "version": None}
    jsonschema.validate(data, json.loads(report_schema()))
    known = replace(
        report,
        scores=tuple(
            replace(row, completions=None, pass_at_k=(), pass_hat_k=(), flickers=None) for row in report.scores
        ),
        check_scores=(),
    )
    assert decode(json.dumps(data).encode(), Report) == known


def test_every_field_of_the_schema_says_what_it_is() -> None:
    definitions = json.loads(report_schema())["$defs"]
    assert {"Report", "Check", "Sampling", "ServerInfo", "SandboxUse"} < set(definitions)
    for name, definition in definitions.items():
        for field, about in definition.get("properties", {}).items():
            assert about.get("description"), f"{name}.{field}"


def test_the_module_prints_the_schema() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "pytest_llmbench.reports.schema"], check=True, capture_output=True, text=True
    )
    assert printed.stdout == report_schema()


def test_answers_of_others_in_the_folder_are_no_part_of_the_run(report: Report) -> None:
    stray = Completion("stray", "zmq", 1, {}, "", None, "refused")
    assert build_report(report.run, [Endpoint("new")], [stray], []).completions == ()


def test_figures_of_an_answer_that_never_came_are_null(data: Any) -> None:
    dead = [row for row in data["completions"] if row["endpoint"] == "dead"]
    for row in dead:
        assert row["error"] == "refused"
        known = {name for name, value in row.items() if value is not None}
        assert known == {"endpoint", "suite", "sample", "error", "transcript"}


def test_scores_leave_out_what_says_nothing_about_the_model(data: Any) -> None:
    rows = {(row["endpoint"], row["suite"]): row for row in data["scores"]}
    new = rows["new", None]
    assert (new["passed"], new["scored"], new["coverage"], new["rate"]) == (2, 5, 1.0, 0.4)
    long = rows["a-model-with-a-name-that-is-far-too-long", "zmq"]
    assert (long["passed"], long["scored"], long["coverage"], long["rate"]) == (1, 1, 0.5, 1.0)
    dead = rows["dead", None]
    assert (dead["scored"], dead["coverage"], dead["rate"], dead["low"], dead["high"]) == (0, 0.0, None, None, None)


def test_endpoints_stand_in_the_order_in_which_they_were_given(data: Any) -> None:
    for part in ("completions", "checks", "scores"):
        names = list(dict.fromkeys(row["endpoint"] for row in data[part]))
        assert names == [row["name"] for row in data["endpoints"]], part
