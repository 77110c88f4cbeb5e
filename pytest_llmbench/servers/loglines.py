"""The lines of a server's log that can tell why it failed, without what stands before and around them."""

from __future__ import annotations

import re
from collections.abc import Iterator

LINE_CHARACTERS = 4_000
"""Of a line no more is read; a cause stands at the start of its line, behind it come dumps of arguments."""

_LEVEL = "TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|FATAL"
_QUIET_LEVELS = frozenset("TDINVW")
"""First letters of the levels at which nothing is fatal."""


def _either(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_ESCAPES = _either(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]",
    r"\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)",
    r"\x1b[@-Z\\^_]",
    r"(?:←|#033|\\(?:x1b|u001b|033))\[[0-9;]*m",  # as syslog, JSON and others write them
)
_BREAKS = re.compile(r"\r\n|\r|\n")

_STAMPS = _either(
    r"\([\w.:]+(?: [\w=.:,]+)* ?pid=\d+[^)]{0,80}\) ?",  # vLLM and Ray: which process
    r"\[(?:rank)?\d+\]: ?",  # torch
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?(?: [A-Z]+\d+)*\]?:? ?",
    r"\[?\d\d[-/]\d\d(?:[-/]\d{4})?[- ]\d\d:\d\d:\d\d(?: [A-Z]+\d+)*\]?:? ?",
    r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,80} [\w.@-]{1,60}(?:\[\d+\])?: ",  # journald
    r"(?:stdout|stderr) [FP] ",  # Kubernetes
    r"\[\d+,\d+\]<std(?:out|err)>: ?",  # mpirun
    r"[\w.@-]{1,60} +\| ",  # docker compose
    r" {0,8}[|>] ",  # a table, a group of exceptions, a quotation
)
_LEVELS = _either(
    rf"({_LEVEL}) \d\d-\d\d \d\d:\d\d:\d\d (?:\[[^\]\s]{{1,120}}\]|[^\]\s]{{1,120}}\]) ?",  # vLLM
    rf" ?({_LEVEL}) +(?:[\w-]+(?:\{{[^}}]{{0,300}}\}})?: ?)*text_generation\w*(?:::\w+)*: ?(?:\S+\.rs:\d+: )?",
    rf" ?(?:\| *)?({_LEVEL})\b *(?:[|:] ?)?(?:- )?",
    rf"\[({_LEVEL}|{_LEVEL.lower()}) *(?:\|[^\]]{{1,120}})?\] ?",
    rf"- [\w.]{{1,80}} - ({_LEVEL}) - ",  # Python's logging, as most configure it
    rf"[\w.]{{1,80}} \d+ ({_LEVEL}) +",  # Xinference
    r"\[(?:TRT-LLM|TensorRT-LLM|TRT)\](?: ?\[RANK \d+\])? ?\[(\w+)\] ?",
    r"\d+\.\d\d\.\d{3}\.\d{3} ([TDIWEC]) (?:(?:srv|cmn|slot|que|res) +)?",  # llama.cpp
    r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S{1,80}:\d+\] ",  # glog
    r"\[([IWEF])(?:\d{4} [\d:.]+)? [\w.]+:\d+\] ?",  # torch, in C++
    r"time=\S+ level=(\w+) (?:source=\S+ )?",  # ollama
)
_JSON_LEVEL = re.compile(r'\{.{0,120}"level": ?"(\w+)"')
_REPORTED_ERROR = re.compile(r'\b(?:error|err)=(?!<nil>|"")')
"""A field of ollama's records: it logs failures to load as INFO."""
_HARMLESS = _either(
    r"^\s*(?:\S+: )?\w*[Ww]arning\b",
    r"^\s*raise \w|^\s{4,}[bfr]?[\"'(]",  # source code, quoted by a traceback whose head is lost
    r"\bNCCL (?:INFO|TRACE)\b",
    r"\b[Rr]etrying\b",
    r"\b[Ff]all(?:ing|s) back\b|\b[Ff]all back to\b",
    r"\bIgnore import error\b|^Failed to import |\b(?:is|will be) ignored\b|\(ignored\)",
    r"\berror trying to connect\b",  # TGI to a shard that is dead already
    r"^\[GIN\]",
    r"\bError (?:retrieving|parsing) ",  # vLLM goes on; where it cannot, the exception follows
    r"\b(?:ggml_cuda_init|ggml_backend_load_best|load_backend): failed",  # llama.cpp goes on without a GPU
    r"encountered an error while trying to fit params",
)
_FRAME = re.compile(r"\s*File \"[^\"]+\", line \d|\s*Traceback \(most recent call last\)")
_CODE = re.compile(r"\s{4}|\t")
_PYDANTIC_TAIL = re.compile(r" \[type=\w+, input_value=.*")


def telling_lines(log: str) -> Iterator[str]:
    """Yield the lines that may tell a cause, in order and stripped of prefixes and colours.

    Left out are lines that say of themselves that they are no failure (their level, a retry, a fallback) and the
    source code that tracebacks quote: it holds the words of errors that did not happen.
    """
    in_traceback = False
    for whole in _BREAKS.split(_ESCAPES.sub("", log)):
        text, is_quiet = _stripped(whole[:LINE_CHARACTERS])
        if not text or text.isspace():
            continue
        if _FRAME.match(text):
            in_traceback = True
            continue
        in_traceback = in_traceback and bool(_CODE.match(text))
        if in_traceback or is_quiet or _HARMLESS.search(text):
            continue
        yield _PYDANTIC_TAIL.sub("", text).strip()


def _stripped(text: str) -> tuple[str, bool]:
    """Return a line without its prefixes, indented as it was, and whether its level says that it is no failure."""
    level = ""
    at = 0
    while True:
        stamp = _STAMPS.match(text, at)
        prefix = stamp or _LEVELS.match(text, at)
        if prefix is None or prefix.end() == at:
            break
        if stamp and stamp[0].startswith("["):
            level = ""  # somebody passes on what a server printed: his level says nothing of its
        level = next(filter(None, prefix.groups()), level)
        at = prefix.end()
    if not level and (found := _JSON_LEVEL.match(text, at)):
        level = found[1].upper()
    is_quiet = level[:1].upper() in _QUIET_LEVELS if level else False
    if is_quiet and level[:1].upper() == "I" and _REPORTED_ERROR.search(text, at):
        is_quiet = False
    return text[at:], is_quiet
