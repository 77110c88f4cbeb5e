"""The decode rate: how fast a stream went on once its first tokens were there. The one place that defines it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_llmbench.model.unknown import Unknown

MIN_DECODE_S = 0.05
"""A shorter stream came in so few reads that its rate would be that of a socket's buffer."""

NO_USAGE = Unknown("the server sent no token counts (usage)")
NO_TEXT = Unknown("no text came")
ONE_READ = Unknown("all tokens came in one read")
TOO_SHORT = Unknown(f"all tokens came within {MIN_DECODE_S * 1000:.0f} ms: the rate would be that of a socket's buffer")


def share_out(said: Sequence[int | None], total: int | None) -> tuple[float, ...] | Unknown:
    """Return how many tokens each chunk carried.

    Where the server does not say, chunks get equal shares of what is left of the total. Most servers send an event for
    each decoding step, so that equal shares are exact where a step makes one token; shares by length of the text never
    are, because a token may be a letter or a word.

    Args:
        said: for each chunk, the server's own word; None where it gave none.
        total: tokens of the whole stream by the server's usage; tokens without text (the end of the answer, tags of
            reasoning) are in it, so it may be more than what the chunks carried.
    """
    if not said:
        return NO_TEXT
    known = sum(tokens for tokens in said if tokens is not None)
    silent = said.count(None)
    if total is None and silent:
        return NO_USAGE
    if total is not None and known > total:
        return Unknown(f"the server contradicts itself: its chunks carried {known} tokens, its usage counts {total}")
    share = (total - known) / silent if total is not None and silent else 0.0
    return tuple(share if tokens is None else float(tokens) for tokens in said)


def decode_rate(at_s: Sequence[float], tokens: Sequence[float]) -> float | Unknown:
    """Return tokens per second: those after the first read, over the time from the first read to the last one.

    The tokens of the first read are left out, because the interval in which they were made is no part of the time.
    Reads are told apart by their time.

    Args:
        at_s: time of the read that brought each chunk, in order.
        tokens: how many each chunk carried; one that carried none (0) tells nothing of the rate.
    """
    carried = [(time_s, count) for time_s, count in zip(at_s, tokens, strict=True) if count > 0]
    if not carried:
        return NO_TEXT
    first_s, last_s = carried[0][0], carried[-1][0]
    if last_s <= first_s:
        return ONE_READ
    if last_s - first_s < MIN_DECODE_S:
        return TOO_SHORT
    return sum(count for time_s, count in carried if time_s > first_s) / (last_s - first_s)
