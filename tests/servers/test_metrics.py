"""Pages as servers print them, cut to what is read and a little besides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.servers.metrics import Counters, figures, over_run, read_metrics, together

VLLM = """
# HELP python_gc_objects_collected_total Objects collected during gc
# TYPE python_gc_objects_collected_total counter
python_gc_objects_collected_total{generation="0"} 9711.0
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 0.0
# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 500.0
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 128.0
vllm:prefix_cache_hits_created{engine="0",model_name="m"} 1.76e+09
# TYPE vllm:num_preemptions_total counter
vllm:num_preemptions_total{engine="0",model_name="m"} 3.0
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="m"} 400.0
vllm:prompt_tokens_total{engine="1",model_name="m"} 100.0
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="m"} 800.0
# TYPE vllm:request_success_total counter
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 7.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 1.0
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="m"} 0.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="m"} 8.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 8.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 2.0
# TYPE vllm:inter_token_latency_seconds histogram
vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 792.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="m"} 7.92
# TYPE vllm:time_per_output_token_seconds histogram
vllm:time_per_output_token_seconds_count{engine="0",model_name="m"} 1.0
vllm:time_per_output_token_seconds_sum{engine="0",model_name="m"} 99.0
# TYPE vllm:request_queue_time_seconds histogram
vllm:request_queue_time_seconds_count{engine="0",model_name="m"} 8.0
vllm:request_queue_time_seconds_sum{engine="0",model_name="m"} 0.4
# TYPE vllm:request_prefill_time_seconds histogram
vllm:request_prefill_time_seconds_sum{engine="0",model_name="m"} 1.6
# TYPE vllm:request_decode_time_seconds histogram
vllm:request_decode_time_seconds_sum{engine="0",model_name="m"} 7.9
"""
SGLANG = """
# HELP sglang:prompt_tokens_total Number of prefill tokens processed.
# TYPE sglang:prompt_tokens_total counter
sglang:prompt_tokens_total{model_name="m"} 8.128902e+06
# TYPE sglang:generation_tokens_total counter
sglang:generation_tokens_total{model_name="m"} 7.557572e+06
# TYPE sglang:token_usage gauge
sglang:token_usage{model_name="m"} 0.28
# TYPE sglang:time_to_first_token_seconds histogram
sglang:time_to_first_token_seconds_sum{model_name="m"} 2.351e+06
sglang:time_to_first_token_seconds_bucket{le="0.001",model_name="m"} 0.0
sglang:time_to_first_token_seconds_count{model_name="m"} 11008.0
# TYPE sglang:time_per_output_token_seconds histogram
sglang:time_per_output_token_seconds_sum{model_name="m"} 866964.5
sglang:time_per_output_token_seconds_count{model_name="m"} 7.400757e+06
"""
# All of what the real one prints that has a value, before it has been asked anything.
LLAMA = """# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed, excluding cached tokens
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 1.23457e+06
# HELP llamacpp:prompt_tokens_cached_total Number of prompt tokens reused from the cache
# TYPE llamacpp:prompt_tokens_cached_total counter
llamacpp:prompt_tokens_cached_total 12
# HELP llamacpp:prompt_seconds_total Total time spent processing prompts
# TYPE llamacpp:prompt_seconds_total counter
llamacpp:prompt_seconds_total 0.5
# HELP llamacpp:tokens_predicted_total Number of generation tokens processed
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 50
# HELP llamacpp:tokens_predicted_seconds_total Total time spent generating tokens
# TYPE llamacpp:tokens_predicted_seconds_total counter
llamacpp:tokens_predicted_seconds_total 0.25
# HELP llamacpp:predicted_tokens_seconds Average generation throughput in tokens/s
# TYPE llamacpp:predicted_tokens_seconds gauge
llamacpp:predicted_tokens_seconds 200
"""
TGI = """
# TYPE tgi_request_success counter
tgi_request_success 3
# TYPE tgi_request_generated_tokens histogram
tgi_request_generated_tokens_sum 30
tgi_request_generated_tokens_count 3
# TYPE tgi_request_queue_duration histogram
tgi_request_queue_duration_sum 0.6
tgi_request_queue_duration_count 3
"""
TRTLLM = """
# TYPE trtllm_request_success_total counter
trtllm_request_success_total{model_name="m",finished_reason="stop"} 4.0
# TYPE trtllm_time_to_first_token_seconds histogram
trtllm_time_to_first_token_seconds_count{model_name="m"} 4.0
trtllm_time_to_first_token_seconds_sum{model_name="m"} 1.0
"""


def test_vllm() -> None:
    assert read_metrics(VLLM) == Counters(
        requests=8, prompt_tokens=500, cached_tokens=128, generation_tokens=800, preemptions=3, prompt_s=1.6,
        generation_s=7.9, ttft_s=2, ttft_count=8, itl_s=7.92, itl_count=792, queue_s=0.4, queue_count=8,
    )  # fmt: skip


def test_sglang() -> None:
    assert read_metrics(SGLANG) == Counters(
        prompt_tokens=8128902, generation_tokens=7557572, ttft_s=2.351e6, ttft_count=11008, itl_s=866964.5,
        itl_count=7400757,
    )  # fmt: skip


def test_llama_server() -> None:
    assert read_metrics(LLAMA) == Counters(
        prompt_tokens=1234570, cached_tokens=12, generation_tokens=50, prompt_s=0.5, generation_s=0.25
    )


def test_tgi_and_trtllm() -> None:
    assert read_metrics(TGI) == Counters(requests=3, generation_tokens=30, queue_s=0.6, queue_count=3)
    assert read_metrics(TRTLLM) == Counters(requests=4, ttft_s=1, ttft_count=4)


@pytest.mark.parametrize("page", ["<html>no</html>", '{"kv": 1}', "vllm:prompt_tokens_total lots\n", "{{{"])
def test_what_is_no_page_of_metrics_is_none(page: str) -> None:
    assert read_metrics(page) is None


@given(st.text())
def test_any_text_is_read_without_an_error(page: str) -> None:
    read_metrics(page)


def test_a_page_of_another_program_counts_nothing() -> None:
    assert read_metrics("# TYPE prompt_tokens_total counter\nprompt_tokens_total 7\n") == Counters()
    assert read_metrics("vllm:prompt_tokens_total NaN\n") == Counters()


def test_over_a_run() -> None:
    before = Counters(requests=2, generation_tokens=100, ttft_s=1.0, ttft_count=2)
    after = Counters(requests=6, generation_tokens=500, ttft_s=3.0, ttft_count=6, preemptions=1)
    assert over_run(before, after) == Counters(
        requests=4, generation_tokens=400, ttft_s=2.0, ttft_count=4, preemptions=1
    ), "what was not on the first page had not been counted yet"


def test_what_was_begun_anew_counts_from_there() -> None:
    assert over_run(Counters(requests=7), Counters(requests=2)) == Counters(requests=2)


def test_two_times_up_are_added() -> None:
    assert together(Counters(requests=4, ttft_s=1), Counters(requests=3)) == Counters(requests=7, ttft_s=1)


def test_means_stand_for_sums() -> None:
    assert figures(Counters(requests=4, ttft_s=2.0, ttft_count=4, itl_s=0.0, itl_count=0)) == {
        "requests": 4,
        "mean_ttft_s": 0.5,
    }
    assert figures(Counters()) == {}
