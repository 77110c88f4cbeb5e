"""What the schedule server is told to do: how its answers are paced, cut and told. Pure.

A schedule comes from `name=value` pairs: on the server's command line, in its file of replies under the text of the
prompt, after a `?` in the model's name, in the query of the request, or as the object `schedule` in its body; each of them
wins over the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any


class ScheduleError(ValueError):
    """A schedule names an option that does not exist, or a value that the option cannot have."""


def _choice(*allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"wanted {', '.join(allowed)}")
        return str(value)

    return parse


def _number(kind: type[int | float]) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        number = kind(value)
        if isinstance(value, bool) or not 0 <= number < 1e12:
            raise ValueError("wanted a number of 0 or more")
        return number

    return parse


def _switch(value: Any) -> bool:
    if str(value).lower() not in {"1", "0", "true", "false"}:
        raise ValueError("wanted true or false")
    return str(value).lower() in {"1", "true"}


def _text(value: Any) -> str:
    return str(value)


def _option(parse: Callable[[Any], Any], default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "help": meaning})


_COUNT, _TIME = _number(int), _number(float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """All that decides one answer and its pace; the meaning of each field is its help text."""

    ttft_ms: float = _option(_TIME, 100.0, "from the request's arrival to the first token")
    prefill_us: float = _option(_TIME, 0.0, "added to that for every prompt token that is in no cache")
    interval_ms: float = _option(
        _TIME, 10.0, "for each token after the first chunk; 0: as fast as the socket takes them"
    )
    tokens: int | None = _option(
        _COUNT, None, "length of the answer, reasoning included; none: what the request asks for"
    )
    tokens_per_chunk: int = _option(_COUNT, 1, "tokens in one event; its interval is that of its tokens together")
    reasoning: int = _option(_COUNT, 0, "how many of the first tokens are reasoning; more than there are: all of them")
    reasoning_field: str = _option(
        _choice("reasoning_content", "reasoning", "both"), "reasoning_content", "the field that carries it"
    )
    role: str = _option(
        _choice("first", "early", "none"), "first", "role chunk: just before the first token, on arrival, or not at all"
    )
    ping_ms: float = _option(_TIME, 0.0, "between comments, from the arrival on; 0: none")
    stall_ms: float = _option(_TIME, 0.0, "a pause, once in the answer")
    stall_at: int = _option(_COUNT, 1, "tokens that come before the pause")
    catch_up: bool = _option(
        _switch,
        default=True,
        meaning="a late write does not delay those after it; else gaps are never shorter than told",
    )
    usage: str = _option(
        _choice("own", "finish", "continuous", "none"),
        "own",
        "token counts: in a last chunk of their own if asked for, on the finish chunk, on every chunk, or nowhere",
    )
    token_ids: bool = _option(_switch, default=False, meaning="every chunk names the ids of its tokens")
    bound_tok_s: float = _option(_TIME, 0.0, "what all answers together cannot exceed: a saturated server; 0: no bound")
    thrash_us: float = _option(
        _TIME, 0.0, "added to each token's interval for every pair of answers under way: more at once bring less"
    )
    context_tokens: int = _option(_COUNT, 1_000_000, "prompts that leave no room for a token of the answer are refused")
    cut_tokens: int = _option(_COUNT, 0, "longer prompts are cut to that, and counted so, without a word; 0: never")
    refuse: str = _option(_text, "", "fields of a request, by commas, that are refused, such as min_tokens")
    prefix_cache: bool = _option(_switch, default=False, meaning="prompts are remembered in blocks of 16 tokens")
    text: str = _option(_choice("prose", "loop"), "prose", "varied words, or one token over and over")
    answer: str = _option(_text, "", "the answer, word for word; its length is then its own")
    tool_call: bool = _option(_switch, default=False, meaning="what is no reasoning is the arguments of a tool call")
    finish_reason: str = _option(_text, "", "in place of stop, length or tool_calls")
    done: bool = _option(_switch, default=True, meaning="[DONE] ends the stream")


OPTIONS: Mapping[str, Any] = {option.name: option for option in fields(Schedule)}


def with_options(base: Schedule, values: Mapping[str, Any]) -> Schedule:
    """Return the schedule with these options in place of its own.

    Raises:
        ScheduleError: an option is unknown, or its value cannot be.
    """
    found = {}
    for name, value in values.items():
        if name not in OPTIONS:
            raise ScheduleError(f"no option {name!r}; there are {', '.join(OPTIONS)}")
        try:
            found[name] = OPTIONS[name].metadata["parse"](value)
        except (TypeError, ValueError) as error:
            raise ScheduleError(f"{name}={value!r}: {error}") from error
    if found.get("tokens_per_chunk") == 0:
        raise ScheduleError("tokens_per_chunk=0: wanted 1 or more")
    return replace(base, **found)
