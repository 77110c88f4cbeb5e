"""Blocks of thousands of shares each, and miners who come and go: does the process stop growing?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench import AnswerFault, Candidate

from .info_leak import EVERY_HASH_WILL_DO
from .miner import Miner, Share
from .session import Session
from .templates import Template, draw_template, next_block, refreshed

STRETCH, STRETCHES = 4, 3
"""Blocks in a stretch, and how many of these follow the warm-up at most."""
WARM_UP_BLOCKS = 6
"""5,400 shares: more than may be remembered."""
SHARES = 900
"""Per block."""
JOBS = 5
"""Per block."""
GUESTS = 16
"""Miners per block that come and go."""
AT_A_TIME = 8
CROWD = 32
"""Once, before all else: what a server once needed for so many it may keep."""
TRANSACTIONS = 20
LOOKS = 2
"""Blocks at the end of each stretch that are compared."""
COPIES = 3
"""Of each kind, for any job of the block and for its newest."""
MOST_GROWTH_KIB = 70
"""In each of them. 2,700 hashes, the least that can leak, take 150; a bounded table that is rebuilt does it once."""
WORKER, OTHER_WORKER = "farm.1", "farm.2"
COUNTED = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")
"""Lines of smaps_rollup: what a program holds, without the files that it has mapped."""


@dataclass(frozen=True, slots=True)
class BusyDay:
    """Until a stretch without growth, or as far as the first failure."""

    blocks: int
    unpaid: int
    """Good shares that were not credited."""
    paid_twice: tuple[str, ...]
    """How shares were sent again that were credited again, in words."""
    growths_kib: tuple[int, ...]
    """In each stretch at least: the least held at its end against the most held at the end of the one before."""

    @property
    def goes_on_growing(self) -> bool:
        """Whether no stretch was without growth."""
        return min(self.growths_kib, default=0) > MOST_GROWTH_KIB


def busy_day(candidate: Candidate) -> BusyDay:
    """Mine block after block; of each, send some shares again."""
    first = draw_template(candidate.rng, TRANSACTIONS)
    with Session(candidate, first, EVERY_HASH_WILL_DO) as session:
        day = _Day(session, first)
        ended = day.mine_blocks(WARM_UP_BLOCKS)
        for _ in range(STRETCHES):
            before_kib = day.held_kib
            ended = ended or day.mine_blocks(STRETCH)
            if not ended:
                day.growths_kib.append(min(day.held_kib) - max(before_kib))
            if ended or day.growths_kib[-1] <= MOST_GROWTH_KIB:
                break
        return ended or day.seen()


class _Day:
    """The blocks of a day, one after the other."""

    def __init__(self, session: Session, first: Template) -> None:
        self.held_kib: list[int] = []
        """Memory of all processes after each of the last blocks that were mined in one go."""
        self.growths_kib: list[int] = []
        self._session, self._template, self._blocks = session, first, 0
        self._miner = session.join(WORKER, OTHER_WORKER)
        _entertain(session, CROWD)

    def seen(self, unpaid: int = 0, paid_twice: tuple[str, ...] = ()) -> BusyDay:
        """Return what was seen so far."""
        return BusyDay(self._blocks, unpaid, paid_twice, tuple(self.growths_kib))

    def mine_blocks(self, count: int) -> BusyDay | None:
        """Mine so many blocks, and look at the memory at the end of the last ones; return what ended the day."""
        self.held_kib = []
        for left in reversed(range(count)):
            if ended := self._mine_block():
                return ended
            if left < LOOKS:
                self._session.settle()
                self.held_kib.append(sum(map(_held_kib, {task.pid for task in self._session.process.tasks()})))
        return None

    def _mine_block(self) -> BusyDay | None:
        session, rng = self._session, self._session.rng
        if self._blocks:
            self._give(next_block(rng, self._template, TRANSACTIONS))
        self._blocks += 1
        sent: list[Share] = []
        for job in range(JOBS):
            if job:
                self._give(refreshed(rng, self._template))
            shares = _draw_shares(session, self._miner, self._template)
            unpaid = _submit(session, self._miner, [share.params for share in shares]).count(False)
            if unpaid:
                return self.seen(unpaid=unpaid)
            sent += shares
        again = [*_again(rng.sample(sent, 3 * COPIES)), *_again(rng.sample(shares, 3 * COPIES))]
        credited = _submit(session, self._miner, [params for _, params in again])
        paid_twice = tuple(dict.fromkeys(what for (what, _), paid in zip(again, credited, strict=True) if paid))
        if paid_twice:
            return self.seen(paid_twice=paid_twice)
        for _ in range(GUESTS // AT_A_TIME):
            _entertain(session, AT_A_TIME)
        return None

    def _give(self, template: Template) -> None:
        self._template = template
        self._session.give(template)


def _draw_shares(session: Session, miner: Miner, template: Template) -> list[Share]:
    """Return shares for the job that was made from the template."""
    rng = session.rng
    session.require(
        lambda: miner.gone or miner.notify_of(template.curtime) is not None,
        "no mining.notify with a new template's ntime came",
    )
    notify = miner.notify_of(template.curtime)
    if notify is None:
        raise AnswerFault("the server closed the connection of a miner that waited for work")
    size = miner.extranonce2_bytes
    return [
        Share(WORKER, notify.job_id, rng.randbytes(size), template.curtime + rng.randrange(600), rng.randrange(2**32))
        for _ in range(SHARES // JOBS)
    ]


def _submit(session: Session, miner: Miner, shares: Sequence[Sequence[str]]) -> list[bool]:
    numbers = miner.ask_all([("mining.submit", params) for params in shares])
    session.wait(lambda: miner.gone or miner.answered(numbers))
    return miner.accepted(numbers)


def _again(shares: Sequence[Share]) -> list[tuple[str, list[str]]]:
    """Return the params of shares that were sent before: as they were, in capital letters, under another name."""
    plain, capital, renamed = shares[:COPIES], shares[COPIES : 2 * COPIES], shares[2 * COPIES :]
    return [
        *(("exactly as before", share.params) for share in plain),
        *(("in capital letters", share.params[:2] + [text.upper() for text in share.params[2:]]) for share in capital),
        *(("under another worker's name", [OTHER_WORKER, *share.params[1:]]) for share in renamed),
    ]


def _entertain(session: Session, guests: int) -> None:
    """Let miners come, get work, and go with a goodbye: a server that rude ones upset is another check's business."""
    for guest in session.join_together([["guest"]] * guests):
        session.leave(guest, abort=False)


def _held_kib(pid: int) -> int:
    """Return what a process holds in memory of its own."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(COUNTED))
    except OSError:  # it does not let itself be looked at so closely
        pass
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()
    except OSError:  # it has just ended
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:", "VmSwap:")))
