"""What `transformers serve` does otherwise: no `[DONE]`, usage on the finish chunk, an early role chunk, no timings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.real.conftest import ANSWER, REASONING, Serve, Served
from tests.real.product import ProductRun, run_product


@pytest.fixture(scope="module")
def reference(serve_transformers: Serve) -> Served:
    return serve_transformers("coarse")


@pytest.fixture(scope="module")
def two_samples(reference: Served, tmp_path_factory: pytest.TempPathFactory) -> tuple[ProductRun, int]:
    """Two answers fetched by two workers, and how many the server counted for them."""
    before = reference.server.answers_counted()
    run = run_product(tmp_path_factory.mktemp("two") / "out", reference.endpoint, "--llm-samples=2", "-n", "2")
    return run, reference.server.answers_counted() - before


def test_reference_answer_passes(two_samples: tuple[ProductRun, int]) -> None:
    run, _ = two_samples
    assert run.outcomes == {"passed": 4}, run.stdout
    assert run.exit_code == 0


def test_server_counts_one_request_for_each_sample(two_samples: tuple[ProductRun, int]) -> None:
    run, counted = two_samples
    assert [row["sample"] for row in run.completions] == [1, 2]
    assert counted == 2


def test_token_counts_are_those_of_the_chain(two_samples: tuple[ProductRun, int], reference: Served) -> None:
    run, _ = two_samples
    assert [row["completion_tokens"] for row in run.completions] == [reference.chain.completion_tokens] * 2
    assert {row["finish_reason"] for row in run.completions} == {"stop"}
    assert [transcript["exchange"]["content"] for transcript in run.transcripts()] == [ANSWER] * 2


def test_early_role_chunk_is_no_token(two_samples: tuple[ProductRun, int]) -> None:
    run, _ = two_samples
    for row, transcript in zip(run.completions, run.transcripts(), strict=True):
        role_chunk_s, _ = transcript["exchange"]["reads"][0]
        assert role_chunk_s < row["ttft_s"]
        assert row["decode_tok_s"] > 0
        assert transcript["exchange"]["server_timings"] is None


def test_reasoning_inside_the_content_is_split_off(serve_transformers: Serve, tmp_path: Path) -> None:
    thinking = serve_transformers("thinking")
    run = run_product(tmp_path / "out", thinking.endpoint)
    assert run.outcomes == {"passed": 2}, run.stdout
    [exchange] = [transcript["exchange"] for transcript in run.transcripts()]
    assert exchange["content"] == f"<think>\n{REASONING}\n</think>\n\n{ANSWER}"
    [row] = run.completions
    assert row["completion_tokens"] == thinking.chain.completion_tokens
    assert row["ttft_s"] < row["ttft_answer_s"]


def test_reasoning_alone_is_empty(serve_transformers: Serve, tmp_path: Path) -> None:
    run = run_product(tmp_path / "out", serve_transformers("only-thinking").endpoint)
    assert run.outcomes == {"empty": 2}, run.stdout


def test_answer_without_a_working_file_is_wrong(serve_transformers: Serve, tmp_path: Path) -> None:
    rubbish = serve_transformers("rubbish")
    run = run_product(tmp_path / "out", rubbish.endpoint)
    assert run.outcomes == {"wrong": 2}, run.stdout
    assert run.transcripts()[0]["exchange"]["content"] == rubbish.chain.text
    assert run.completions[0]["completion_tokens"] == rubbish.chain.completion_tokens


def test_token_limit_is_truncated(reference: Served, tmp_path: Path) -> None:
    run = run_product(tmp_path / "out", reference.endpoint, "--llm-max-tokens=50")
    assert run.outcomes == {"truncated": 2}, run.stdout
    assert run.completions[0]["completion_tokens"] == 50
    assert run.completions[0]["finish_reason"] == "length"


def test_refused_field_is_an_infra_error(reference: Served, tmp_path: Path) -> None:
    entry = {"url": reference.server.url, "model": reference.model, "extra_body": {"ignore_eos": True}}
    config = tmp_path / "models.yaml"
    config.write_text(json.dumps({"endpoints": {"chain": entry}}))
    run = run_product(tmp_path / "out", "--llm-endpoint=chain", f"--llm-config={config}")
    assert run.outcomes == {"infra_error": 2}, run.stdout
    [evidence] = {check["evidence"] for check in run.report["checks"]}
    assert "422" in evidence
    assert "ignore_eos" in evidence


def test_several_models_are_listed_for_a_choice(reference: Served, tmp_path: Path) -> None:
    run = run_product(tmp_path / "out", f"--llm-endpoint=chain={reference.server.url}")
    assert run.exit_code == 4
    for name in ("tests/coarse", "tests/rubbish", "tests/thinking"):
        assert name in run.stdout
