from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
import pytest

from tests.real.conftest import ANSWER, REASONING, Serve, Served
from tests.real.product import ProductRun, finish_product, run_product, start_product

SAMPLES = 5
"""Odd, so that the median of the rates is one of them; a client that the machine starves for a moment spoils one."""


@pytest.fixture(scope="module")
def reference(serve_llama: Serve) -> Served:
    return serve_llama("reference")


@pytest.fixture(scope="module")
def samples(reference: Served, tmp_path_factory: pytest.TempPathFactory) -> tuple[ProductRun, int]:
    """Answers fetched one after another, and how many the server counted for them."""
    before = reference.server.answers_counted()
    out = tmp_path_factory.mktemp("samples") / "out"
    run = run_product(out, reference.endpoint, f"--llm-samples={SAMPLES}", "--llm-concurrency=1")
    return run, reference.server.answers_counted() - before


def test_reference_answer_passes(samples: tuple[ProductRun, int]) -> None:
    run, _ = samples
    assert run.outcomes == {"passed": 2 * SAMPLES}, run.stdout
    assert run.exit_code == 0


def test_server_counts_one_request_for_each_sample(samples: tuple[ProductRun, int]) -> None:
    run, counted = samples
    assert [row["sample"] for row in run.completions] == [*range(1, SAMPLES + 1)]
    assert counted == SAMPLES


def test_text_arrives_whole(samples: tuple[ProductRun, int]) -> None:
    run, _ = samples
    assert [transcript["exchange"]["content"] for transcript in run.transcripts()] == [ANSWER] * SAMPLES


def test_token_counts_are_those_of_the_chain(samples: tuple[ProductRun, int], reference: Served) -> None:
    run, _ = samples
    assert [row["completion_tokens"] for row in run.completions] == [reference.chain.completion_tokens] * SAMPLES
    assert {row["finish_reason"] for row in run.completions} == {"stop"}


def test_prompt_tokens_are_those_of_the_server(samples: tuple[ProductRun, int]) -> None:
    run, _ = samples
    for row, transcript in zip(run.completions, run.transcripts(), strict=True):
        timings = transcript["exchange"]["server_timings"]
        assert row["prompt_tokens"] == timings["prompt_n"] + timings["cache_n"]
        assert row["cached_tokens"] == timings["cache_n"]


def test_decode_rate_is_within_5_percent_of_the_servers(samples: tuple[ProductRun, int]) -> None:
    run, _ = samples
    ratios = []
    for row, transcript in zip(run.completions, run.transcripts(), strict=True):
        timings = transcript["exchange"]["server_timings"]
        server_tok_s = timings["predicted_n"] / (timings["predicted_ms"] / 1000)
        ratios.append(row["decode_tok_s"] / server_tok_s)
    assert median(ratios) == pytest.approx(1, abs=0.05), ratios


def test_first_token_comes_after_the_servers_prefill(samples: tuple[ProductRun, int]) -> None:
    run, _ = samples
    row, timings = run.completions[0], run.transcripts()[0]["exchange"]["server_timings"]
    assert timings["prompt_n"] > timings["cache_n"], "the first answer's prompt was expected to be new to the server"
    # The client's clock starts when its write has returned; on a busy machine the server has begun some ms before.
    assert row["ttft_s"] >= 0.9 * timings["prompt_ms"] / 1000


def test_two_workers_ask_once_for_each_sample(reference: Served, tmp_path: Path) -> None:
    before = _metric(reference, "tokens_predicted_total"), reference.server.answers_counted()
    run = run_product(tmp_path / "out", reference.endpoint, "--llm-samples=2", "-n", "2")
    after = _metric(reference, "tokens_predicted_total"), reference.server.answers_counted()
    assert run.outcomes == {"passed": 4}, run.stdout
    assert (after[0] - before[0], after[1] - before[1]) == (2 * reference.chain.completion_tokens, 2)
    assert [row["completion_tokens"] for row in run.completions] == [reference.chain.completion_tokens] * 2


def test_answer_without_a_working_file_is_wrong(serve_llama: Serve, tmp_path: Path) -> None:
    rubbish = serve_llama("rubbish")
    run = run_product(tmp_path / "out", rubbish.endpoint)
    assert run.outcomes == {"wrong": 2}, run.stdout
    assert run.exit_code == 1
    assert run.transcripts()[0]["exchange"]["content"] == rubbish.chain.text
    assert run.completions[0]["completion_tokens"] == rubbish.chain.completion_tokens


def test_token_limit_is_truncated(reference: Served, tmp_path: Path) -> None:
    run = run_product(tmp_path / "out", reference.endpoint, "--llm-max-tokens=50")
    assert run.outcomes == {"truncated": 2}, run.stdout
    assert run.exit_code == 1
    assert run.completions[0]["completion_tokens"] == 50
    assert run.completions[0]["finish_reason"] == "length"


def test_reasoning_is_kept_apart(serve_llama: Serve, tmp_path: Path) -> None:
    thinking = serve_llama("thinking")
    run = run_product(tmp_path / "out", thinking.endpoint)
    assert run.outcomes == {"passed": 2}, run.stdout
    [exchange] = [transcript["exchange"] for transcript in run.transcripts()]
    assert (exchange["reasoning"].strip(), exchange["content"].strip()) == (REASONING, ANSWER.strip())
    [row] = run.completions
    assert row["completion_tokens"] == thinking.chain.completion_tokens
    assert row["ttft_s"] < row["ttft_answer_s"]


def test_reasoning_alone_is_empty(serve_llama: Serve, tmp_path: Path) -> None:
    only_thinking = serve_llama("only-thinking")
    run = run_product(tmp_path / "out", only_thinking.endpoint)
    assert run.outcomes == {"empty": 2}, run.stdout
    assert run.completions[0]["completion_tokens"] == only_thinking.chain.completion_tokens


def test_server_killed_mid_stream_is_an_infra_error(doomed_llama: Served, tmp_path: Path) -> None:
    product = start_product(tmp_path / "out", doomed_llama.endpoint)
    try:
        assert any(tokens > 10 for tokens in _tokens_so_far(doomed_llama, product))
        doomed_llama.server.kill()
    finally:
        run = finish_product(product, tmp_path / "out")
    assert run.outcomes == {"infra_error": 2}, run.stdout
    assert re.search(r"\b2 errors\b", run.stdout)
    assert "failed" not in run.stdout.splitlines()[-1]
    assert run.exit_code == 1
    [evidence] = {check["evidence"] for check in run.report["checks"]}
    assert doomed_llama.server.url in evidence
    assert "\n" not in evidence.strip()


def _metric(served: Served, name: str) -> int:
    text = httpx.get(f"{served.server.root}/metrics").text
    [value] = re.findall(rf"^llamacpp:{name} (\d+)$", text, re.MULTILINE)
    return int(value)


def _tokens_so_far(served: Served, product: subprocess.Popen[str]) -> Iterator[int]:
    """Yield, while the product runs, how many tokens the request in flight has; 0 before there is one."""
    with httpx.Client() as http:
        while product.poll() is None:
            slots = http.get(f"{served.server.root}/slots").json()
            yield max((slot["next_token"][0]["n_decoded"] for slot in slots if slot["is_processing"]), default=0)
            time.sleep(0.02)  # the server has no event for "so many tokens"
