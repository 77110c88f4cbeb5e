"""What of a server's command line and environment can change its answers: not where it listens and what it logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

REDACTED = "<redacted>"
"""Stands for a secret, wherever one was; that there was one changes no answer."""

_OPTION = re.compile(r"--?[A-Za-z]")
"""How an option begins; `-1` is a value."""
_ASIDE = re.compile(r"--?((?:.+[-_])?port|host|log[-_].+|uvicorn[-_]log[-_]level|max[-_]log[-_]len)", re.IGNORECASE)
_ASIDE_NAMES = re.compile(r"(^|_)LOG(S|GING)?(_|$)|(PORT|HOST|_HOME|_HUB_CACHE|CACHE_DIR|CACHE_ROOT)$")
_STEERING = (
    "CUDA_", "NVIDIA_", "NCCL_", "HIP_", "ROCR_", "HSA_", "OMP_", "MKL_", "TORCH", "PYTORCH_", "TRITON_",
    "VLLM_", "SGLANG_", "SGL_", "GGML_", "LLAMA_", "OLLAMA_", "TLLM_", "TRTLLM_", "TRANSFORMERS_",
)  # fmt: skip
"""Beginnings of variables by which servers, and the libraries below them, are steered."""


def steers(name: str) -> bool:
    """Whether a variable of this name, inherited by a server, is one that it or a library of its looks at."""
    return name.startswith(_STEERING)


def options(words: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Split a command line into its beginning and its options, each with its values; `--a=b` becomes `--a`, `b`."""
    parts: list[list[str]] = [[]]
    for word in words:
        if _OPTION.match(word):
            name, equals, value = word.partition("=")
            parts.append([name, value] if equals else [name])
        else:
            parts[-1].append(word)
    return tuple(map(tuple, parts))


def steering_words(command: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a command line without the options that change no answer, each with at most one value."""
    begin, *found = options(command)
    words = list(begin)
    for name, *values in found:
        if _ASIDE.fullmatch(name):
            words += values[1:]
        elif REDACTED not in values:
            words += (name, *values)
    return tuple(words)


def steering_env(env: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables without those that change no answer."""
    return {name: env[name] for name in sorted(env) if env[name] != REDACTED and not _ASIDE_NAMES.search(name)}
