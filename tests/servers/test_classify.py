"""Whether the cause is found in real logs, whatever stands around it, and never where there is none."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.model.serving import Cause
from pytest_llmbench.servers.advice import HELP
from pytest_llmbench.servers.classify import QUOTED_CHARACTERS, classify
from pytest_llmbench.servers.kind import Signature
from pytest_llmbench.servers.needle import needle
from pytest_llmbench.servers.signatures import COMMON
from pytest_llmbench.servers.symptoms import CONSEQUENCES, GENERAL, KILLED, UP

LOGS = Path(__file__).parent / "logs"
PAGE = Path(__file__).parents[2] / "docs" / "server-failures.md"
SIGNATURES = (*COMMON, *GENERAL, *CONSEQUENCES, *KILLED)


@dataclass(frozen=True, slots=True)
class Case:
    """One entry of the index with its log."""

    name: str
    cause: Cause
    begins: str | None
    log: str


def _case(entry: dict[str, Any]) -> Case:
    log = (LOGS / f"{entry['log']}.log").read_text("utf-8")
    return Case(entry["log"], Cause(entry["cause"]), entry["begins"], log)


CASES = [_case(entry) for entry in yaml.safe_load((LOGS / "index.yaml").read_text("utf-8"))]
TELLING = [case for case in CASES if case.begins]
# One of each cause: what is done around a log is the same for all of them.
ONE_OF_EACH = list({case.cause: case for case in TELLING}.values())


def by_name(case: Case) -> str:
    return case.name


def test_every_log_is_in_the_index() -> None:
    assert {path.stem for path in LOGS.glob("*.log")} == {case.name for case in CASES}
    assert len(CASES) == len({case.name for case in CASES})


def test_every_cause_is_in_the_index() -> None:
    assert {case.cause for case in CASES} == set(Cause)


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_real_log(case: Case) -> None:
    said = classify(case.log)
    assert said.cause is case.cause, said.line
    assert said.advice == HELP[case.cause].advice
    if case.begins is None:
        assert said.line is None
    else:
        assert said.line is not None
        assert said.line.startswith(case.begins)
        assert len(said.line) <= QUOTED_CHARACTERS
        assert said.line in re.sub(r"\x1b\[[0-9;]*m", "", case.log)


def _on_each_line(before: str, after: str, log: str) -> str:
    return "".join(f"{before}{line}{after}\n" for line in log.splitlines())


BAR = "".join(f"\rLoading safetensors checkpoint shards: {done:3d}% Completed | {done}/100" for done in range(100))
AROUND: dict[str, Callable[[str], str]] = {
    "CRLF": lambda log: log.replace("\n", "\r\n"),
    "no last newline": str.rstrip,
    "colours": lambda log: _on_each_line("\x1b[1;36m", "\x1b[0m", log),
    "a hyperlink": lambda log: _on_each_line("\x1b]8;;https://example.org\x1b\\", "\x1b]8;;\x1b\\", log),
    "docker compose": lambda log: _on_each_line("inference-server_1  | ", "", log),
    "journald": lambda log: _on_each_line("Nov 21 07:50:20 host vllm[671]: ", "", log),
    "Kubernetes": lambda log: _on_each_line("2026-11-21T07:50:20.123456789Z stderr F ", "", log),
    "mpirun": lambda log: _on_each_line("[1,0]<stderr>:", "", log),
    "torch": lambda log: _on_each_line("[rank0]: ", "", log),
    "vLLM's process": lambda log: _on_each_line("(EngineCore_DP0 pid=123) ", "", log),
    "vLLM's error": lambda log: _on_each_line("(Worker_TP0 pid=1) ERROR 11-20 12:00:00 [core.py:700] ", "", log),
    "Ray": lambda log: _on_each_line("\x1b[36m(RayWorkerWrapper pid=5, ip=10.0.0.2)\x1b[0m ", "", log),
    "SGLang": lambda log: _on_each_line("[2026-11-21 07:56:14 DP0 TP0] ", "", log),
    "TGI": lambda log: _on_each_line(
        "2026-11-21T07:50:20.123456Z ERROR shard-manager: text_generation_launcher: ", "", log
    ),
    "Python's logging": lambda log: _on_each_line("2026-11-21 07:50:20,123 - server.main - ERROR - ", "", log),
    "a bar before": lambda log: BAR + "\n" + log,
    "a bar on the same line": lambda log: _on_each_line(BAR + "\r", "", log),
    "not UTF-8": lambda log: (b"\xff\xfe\x80\n" + log.encode() + b"\xc3").decode("utf-8", "replace"),
    "a wrapper after": lambda log: log + "\nRuntimeError: Engine core initialization failed. See root cause above.\n",
    "killed by its parent": lambda log: log + "\nKilled\n",
    "a traceback after": lambda log: (
        f"{log}\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n"
        '  File "core.py", line 1, in run\n    raise RuntimeError("CUDA out of memory")\nRuntimeError: it did not work\n'
    ),
    "much before": lambda log: (
        "INFO 11-21 07:50:20 [core.py:1] torch.OutOfMemoryError is what this would say\n" * 2000 + log
    ),
    "much after": lambda log: log + "\nINFO:     127.0.0.1:40418 - GET /health HTTP/1.1 503\n" * 2000,
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("case", ONE_OF_EACH, ids=by_name)
def test_what_stands_around_changes_nothing(case: Case, around: str) -> None:
    plain = classify(case.log)
    said = classify(AROUND[around](case.log))
    assert said.cause is plain.cause, said.line
    assert said.line is not None
    assert case.begins is not None
    assert case.begins[:40] in said.line


@pytest.mark.parametrize("mark", UP)
def test_what_came_before_it_was_up_is_taken_back(mark: str) -> None:
    for case in TELLING:
        said = classify(f"{case.log}\n{mark}\nINFO:     127.0.0.1:40418 - POST /v1/chat/completions HTTP/1.1 200\n")
        assert (said.cause, said.line) == (Cause.UNKNOWN, None), case.name
        assert classify(f"{case.log}\n{mark}").cause is Cause.UNKNOWN, "its last line has no end yet"


def test_what_comes_after_it_was_up_counts() -> None:
    for case in TELLING:
        assert classify(f"INFO:     Application startup complete.\n{case.log}").cause is case.cause, case.name


HARMLESS = """\
(APIServer pid=1) WARNING 11-21 07:51:17 [system_utils.py:255] Found ulimit of 20000 and failed to automatically increase with error current limit exceeds maximum limit. This can cause fd limit errors like `OSError: [Errno 24] Too many open files`. Consider increasing with ulimit -n
0.00.004.476 E common_fit_params: encountered an error while trying to fit params to free device memory: failed to load model
llama_params_fit: encountered an error while trying to fit params to free device memory: cudaMalloc failed: out of memory
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
Exception: WorkerProc initialization failed due to an exception in a background process. See stack trace for root cause.
RuntimeError: Engine process failed to start. See stack trace for the root cause.
Error: ShardCannotStart
0.00.005.163 E srv  llama_server: exiting due to model loading error
No CUDA runtime is found, using CUDA_HOME='/usr/local/cuda'
/venv/torch/cuda/__init__.py:61: UserWarning: CUDA initialization: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU
warning: no usable GPU found, --gpu-layers option will be ignored
ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected
ggml_backend_load_best: failed to load /app/libggml-cuda.so: libcuda.so.1: cannot open shared object file: No such file or directory
(APIServer pid=76590) The argument `trust_remote_code` is to be used with Auto classes. It has no effect here and is ignored.
libibverbs: Warning: couldn't load driver 'libmlx5-rdmav34.so': libmlx5-rdmav34.so: cannot open shared object file: No such file or directory
[host:00001] mca_base_component_repository_open: unable to open mca_btl_openib: librdmacm.so.1: cannot open shared object file: No such file or directory (ignored)
[WARNING|configuration_utils.py:697] 2026-11-21 12:00:00,100 >> Can't load the configuration of 'x', another is taken
{"timestamp":"2026-11-21T14:40:17.288163Z","level":"ERROR","message":"Request failed during generation: Server error: error trying to connect: No such file or directory (os error 2)","target":"text_generation_router_v3::backend"}
time=2026-11-21T07:00:00.000Z level=INFO source=gpu.go:377 msg="no compatible GPUs were discovered"
time=2026-11-21T07:00:00.000Z level=WARN source=gpu.go:600 msg="error looking up nvidia GPU memory" error="cuda driver library failed: out of memory"
WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'NewConnectionError': [Errno 111] Connection refused
'(ReadTimeoutError("HTTPSConnectionPool(host='huggingface.co', port=443): Read timed out. (read timeout=10)"), '(Request ID: 1)')' thrown while requesting HEAD; retrying in 1s [Retry 1/5].
(APIServer pid=1) ERROR 11-21 07:51:17 [repo_utils.py:65] Error retrieving safetensors: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/models/x'. Use `repo_type` argument if needed., retrying 1 of 2
(APIServer pid=1) ERROR 11-21 07:51:19 [repo_utils.py:67] Error retrieving safetensors: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/models/x'. Use `repo_type` argument if needed.
[2026-11-21 07:56:14] Ignore import error when loading sglang.srt.models.mllama: No module named 'torchvision'
[2026-11-21 07:56:14 TP0] max_total_tokens=131072 is larger than the profiled value 561981. Use the profiled value instead.
[2026-11-21 07:56:14] WARNING server_args.py:800: port 30000 is already in use
2026-11-21T07:00:00.000000Z  WARN text_generation_launcher: Could not import Flash Attention enabled models: No module named 'flash_attn'
[11/21/2026-07:00:00] [TRT-LLM] [W] Failed to load NCCL
host:1:1 [0] NCCL INFO NET/Plugin: Plugin load returned 2 : libnccl-net.so: cannot open shared object file: No such file or directory
NCCL init failed (unhandled system error); falling back to internal AllReduce
(EngineCore pid=1) ERROR 11-21 07:51:17 [fa_utils.py:57] Cannot use FA version 3 is not supported due to FA3 is only supported on devices with compute capability >= 8 excluding 8.6 and 8.9
(EngineCore pid=1) ERROR 11-21 07:51:17 [gpt_oss_triton_kernels_moe.py:60] Failed to import Triton kernels. Please make sure your triton version is compatible. Error: cannot import name 'SparseMatrix' from 'triton_kernels.tensor'
(EngineCore pid=1) ERROR 11-21 07:51:17 [pynccl_wrapper.py:409] Failed to load NCCL library from libnccl.so.2. It is expected if you are not running on NVIDIA/AMD GPUs. Otherwise, the nccl library might not exist
30	../sysdeps/unix/sysv/linux/wait4.c: No such file or directory.
usage: api_server.py [-h] [--port PORT] [--tensor-parallel-size TENSOR_PARALLEL_SIZE] [--kv-cache-dtype {auto,fp8}]
get_mempolicy: Operation not permitted
[GIN] 2026/11/21 - 08:05:40 | 404 |     331.549us |  10.0.0.1 | POST     "/api/generate"
RuntimeError: Rank 0 scheduler died during initialization (exit code: -3). If exit code is -9 (SIGKILL), a common cause is the OS OOM killer.
Common causes: insufficient RAM or VRAM for the model size, unsupported quantization format, or corrupt file.
    raise ValueError("No available memory for the cache blocks. "
                     f"To serve at least one request with the model's max seq len "
"""


@pytest.mark.parametrize("line", HARMLESS.splitlines())
def test_false_alarm(line: str) -> None:
    said = classify(f"{line}\n")
    assert (said.cause, said.line) == (Cause.UNKNOWN, None)


def test_memory_that_was_found_another_way() -> None:
    log = (
        "E ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9 MiB on device 1: cudaMalloc failed: out of memory\n"
    )
    assert classify(log).cause is Cause.GPU_MEMORY
    assert classify(log + "W sched_reserve: failed, retrying without pipeline parallelism\n").cause is Cause.UNKNOWN


ORDER = {
    "the first of a chain": (
        "OSError: [Errno 98] Address already in use",
        "During handling of the above exception, another exception occurred:",
        "ValueError: Model architectures ['X'] are not supported for now.",
        Cause.PORT_IN_USE,
    ),
    "a name beats what is general": (
        "cudaMalloc failed: out of memory",
        "graph_reserve: failed",
        "llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache",
        Cause.KV_CACHE,
    ),
    "what is general beats a consequence": (
        "TimeoutError: Timed out waiting for engine core processes to start",
        "Killed",
        "RuntimeError: NCCL error: unhandled system error",
        Cause.NCCL,
    ),
    "memory is why NCCL failed": (
        "host:1:1 [0] NCCL WARN Cuda failure 'out of memory'",
        "",
        "RuntimeError: NCCL error: unhandled cuda error",
        Cause.GPU_MEMORY,
    ),
}


@pytest.mark.parametrize("of", ORDER)
def test_of_several_lines(of: str) -> None:
    *lines, cause = ORDER[of]
    assert classify("\n".join(lines)).cause is cause


@pytest.mark.parametrize("prefix", ["", "(EngineCore pid=1) ERROR 11-20 12:00:00 [core.py:700] ", "[rank0]: "])
def test_source_code_in_a_traceback_does_not_count(prefix: str) -> None:
    said = classify(
        _on_each_line(
            prefix,
            "",
            'Traceback (most recent call last):\n  File "net.py", line 1, in listen\n'
            '    said = explain(error, default="[Errno 98] Address already in use")\n           ^^^^^^^^^^^^^^\n'
            "ValueError: Model architectures ['X'] are not supported for now.\n",
        )
    )
    assert said.cause is Cause.ARCHITECTURE
    assert said.line == "ValueError: Model architectures ['X'] are not supported for now."


def test_signatures_of_a_kind_come_first() -> None:
    own = Signature(Cause.MODEL_CORRUPT, re.compile(r"(?i)WEIGHTS ARE ODD|address already in use"))
    assert classify("the weights are odd", (own,)).cause is Cause.MODEL_CORRUPT
    assert classify("[Errno 98] Address already in use", (own,)).cause is Cause.MODEL_CORRUPT


@pytest.mark.parametrize(
    ("ended", "cause"),
    [
        ("SIGKILL", Cause.KILLED),
        ("SIGTERM", Cause.KILLED),
        ("its keeper was killed", Cause.KILLED),
        ("exit status 137", Cause.KILLED),
        ("exit status 127", Cause.PROGRAM_MISSING),
        ("exit status 126", Cause.PERMISSION),
        ("timed out", Cause.TIMEOUT),
        ("exit status 0", Cause.UNKNOWN),
        ("exit status 1", Cause.UNKNOWN),
        ("SIGSEGV", Cause.UNKNOWN),
        (None, Cause.UNKNOWN),
    ],
)
def test_how_it_ended_tells_where_its_log_does_not(ended: str | None, cause: Cause) -> None:
    said = classify("INFO loading\n", ended=ended)
    assert (said.cause, said.line, said.advice) == (cause, None, HELP[cause].advice)
    assert classify("OSError: [Errno 98] Address already in use", ended=ended).cause is Cause.PORT_IN_USE


def test_one_that_had_served_does_not_end_without_an_error_unless_it_is_told_to() -> None:
    assert classify("INFO bye\n", ended="exit status 0", has_served=True).cause is Cause.KILLED
    assert classify("INFO bye\n", ended="exit status 1", has_served=True).cause is Cause.UNKNOWN
    assert classify("RuntimeError: NCCL error", ended="exit status 0", has_served=True).cause is Cause.NCCL


def test_python_that_is_interrupted_while_it_loads() -> None:
    said = classify('Traceback (most recent call last):\n  File "x.py", line 1\nKeyboardInterrupt: terminated\n')
    assert (said.cause, said.line) == (Cause.KILLED, "KeyboardInterrupt: terminated")


def test_sglang_that_kills_itself_was_not_killed() -> None:
    log = "[2026-11-21 07:56:14] Received sigquit from a child process. It usually means the child failed.\nKilled\n"
    assert classify(log, ended="SIGKILL").cause is Cause.UNKNOWN


def test_a_long_line_is_quoted_around_its_telling_words() -> None:
    said = classify("x" * 1000 + " [Errno 98] Address already in use " + "y" * 1000)
    assert said.line is not None
    assert "[Errno 98] Address already in use" in said.line
    assert len(said.line) == QUOTED_CHARACTERS


@given(st.text(max_size=2000) | st.lists(st.sampled_from([case.log for case in CASES])).map("\r".join))
@settings(deadline=None)
def test_any_text_gets_a_verdict(text: str) -> None:
    said = classify(text)
    assert said.advice == HELP[said.cause].advice
    assert (said.line is None) == (said.cause is Cause.UNKNOWN)
    assert said.line is None or (
        (0 < len(said.line) <= QUOTED_CHARACTERS and said.line.isprintable()) or said.line in text
    )


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.pattern.pattern)
def test_what_fits_a_signature_contains_its_needle(signature: Signature) -> None:
    @given(st.from_regex(signature.pattern))
    @settings(max_examples=20, deadline=None)
    def check(text: str) -> None:
        assert needle(signature.pattern) in text

    check()


def test_every_signature_has_a_needle() -> None:
    """Without one, each line costs ten times as much."""
    assert [one.pattern.pattern for one in SIGNATURES if len(needle(one.pattern).strip()) < 3] == []


WORDS = [word for case in CASES for word in case.log.split()]


def _noise(characters: int) -> str:
    chosen = random.Random(1).choices(WORDS, k=characters // 5)  # noqa: S311 - the same noise each time
    return "\n".join(" ".join(chosen[at : at + 12]) for at in range(0, len(chosen), 12))[:characters]


HARD: dict[str, Callable[[int], str]] = {
    "words of real logs": _noise,
    "bars": lambda size: (
        "Loading safetensors checkpoint shards: 42% Completed | 5/12 [00:05<00:07, 1.01s/it]\r" * (size // 85)
    ),
    "one line": lambda size: _noise(size).replace("\n", " "),
    "brackets": lambda size: ("(" * 999 + "\n") * (size // 1000),
    "spaces": lambda size: " " * size,
    "stamps": lambda size: "2026-11-21 07:00:00 " * (size // 20),
    "pipes": lambda size: ("a | " * 249 + "\n") * (size // 1000),
    "beginnings": lambda size: ("failed to open " * 66 + "\n") * (size // 1000),
    "half an error": lambda size: ("ValueError: " + "-- " * 330 + "\n") * (size // 1000),
    "escapes": lambda size: ("\x1b]" * 499 + "\n") * (size // 1000),
    "braces": lambda size: ("INFO a{" * 140 + "\n") * (size // 1000),
}


def _cost_s(log: str) -> float:
    began_s = time.process_time()
    classify(log)
    return time.process_time() - began_s


@pytest.mark.parametrize("text", HARD)
def test_time_grows_with_the_log_only(text: str) -> None:
    small, large = (min(_cost_s(HARD[text](size)) for _ in range(2)) for size in (100_000, 800_000))
    assert large < 24 * max(small, 0.005), (small, large)  # 8 is linear, 64 quadratic


def test_ten_megabytes() -> None:
    assert _cost_s(HARD["bars"](10_000_000)) < 60  # 3 s of an idle core


def test_every_cause_has_help() -> None:
    assert set(HELP) == set(Cause)
    for help_ in HELP.values():
        assert help_.meaning.endswith(".")
        assert not help_.advice.endswith(".")


def test_the_page_says_what_the_table_says() -> None:
    rows = [f"| `{cause}` | {help_.meaning} | {help_.advice} |" for cause, help_ in HELP.items()]
    page = PAGE.read_text("utf-8").splitlines()
    assert [line for line in page if line.startswith("| `")] == rows
