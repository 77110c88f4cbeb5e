"""From the log of a server that does not serve to the cause, the telling line and what to do.

The principle: a cause beats what it brings about, and what names itself beats what is general. So

1. nothing counts that came before the server was up, or before it found another way (`symptoms.UP`);
2. nothing counts that says of itself that it is no failure, and no source code (`loglines`);
3. wrappers ("engine failed to start, see above") are in no table;
4. of the lines left, the first one that names a cause is the root, as later ones follow from it; only if there is none,
   the first of the general ones; only if there is none, the first of mere consequences; and at last how it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_llmbench.model.serving import Cause
from pytest_llmbench.servers.advice import HELP
from pytest_llmbench.servers.kind import Signature
from pytest_llmbench.servers.loglines import telling_lines
from pytest_llmbench.servers.needle import needle
from pytest_llmbench.servers.signatures import COMMON
from pytest_llmbench.servers.symptoms import CONSEQUENCES, ENDED_ITSELF, ENDINGS, GENERAL, KILLED, SERVED_ENDINGS, UP

QUOTED_CHARACTERS = 300
_BEFORE = 100
"""Of a long line so much is quoted before the telling words."""


_Table = tuple[tuple[str, Signature], ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a log says."""

    cause: Cause
    line: str | None
    advice: str


def classify(
    log: str, signatures: Iterable[Signature] = (), ended: str | None = None, *, has_served: bool = False
) -> Diagnosis:
    """Find out from its log why a server does not serve.

    Args:
        log: all that it printed.
        signatures: of its kind, on top of the common ones.
        ended: how its process ended, such as `exit status 1` or `SIGKILL`; `timed out` if it was waited for in vain.
        has_served: whether it had answered before.
    """
    ended_itself = ENDED_ITSELF.search(log) is not None
    last = CONSEQUENCES if ended_itself else (*CONSEQUENCES, *KILLED)
    ranks = [_with_needles(table) for table in ((*signatures, *COMMON), GENERAL, last)]
    found = _first(ranks, log[_up_to(log) :])
    if found is not None:
        return Diagnosis(found[0], found[1], HELP[found[0]].advice)
    endings = {**ENDINGS, **SERVED_ENDINGS} if has_served else ENDINGS
    cause = endings.get(ended or "", Cause.UNKNOWN)
    if cause is Cause.KILLED and ended_itself:
        cause = Cause.UNKNOWN
    return Diagnosis(cause, None, HELP[cause].advice)


def _with_needles(table: Iterable[Signature]) -> _Table:
    return tuple((needle(signature.pattern), signature) for signature in table)


def _up_to(log: str) -> int:
    """Return where the last line ends that takes back all before it; 0 if there is none."""
    last = max(log.rfind(mark) for mark in UP)
    if last < 0:
        return 0
    end = log.find("\n", last)
    return len(log) if end < 0 else end


def _first(ranks: Sequence[_Table], log: str) -> tuple[Cause, str] | None:
    """Return cause and quotation of the first line that fits the highest rank."""
    found: tuple[Cause, str] | None = None
    for line in telling_lines(log):
        for rank, table in enumerate(ranks):
            hit = _hit(table, line)
            if hit is not None:
                found, ranks = hit, ranks[:rank]
                break
        if not ranks:
            break
    return found


def _hit(table: _Table, line: str) -> tuple[Cause, str] | None:
    for text, signature in table:
        if text in line and (match := signature.pattern.search(line)):
            return signature.cause, _quoted(line, match.start())
    return None


def _quoted(line: str, at: int) -> str:
    start = 0 if len(line) <= QUOTED_CHARACTERS else max(0, min(at - _BEFORE, len(line) - QUOTED_CHARACTERS))
    return line[start : start + QUOTED_CHARACTERS].strip()
