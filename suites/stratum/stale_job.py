"""A slow night with many jobs on one block, then the next block, and the one after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_llmbench import AnswerFault, Candidate

from .info_leak import EVERY_HASH_WILL_DO
from .miner import Miner, Share
from .session import Session
from .templates import Template, draw_template, next_block, refreshed
from .wire import Notify

JOBS = 120
"""On the first block."""
WORKER = "farm.1"


@dataclass(frozen=True, slots=True)
class Offered:
    """A job as a miner knows it."""

    template: Template
    notify: Notify


@dataclass(frozen=True, slots=True)
class Surprise:
    """What should not have been."""

    what: str
    wanted: str
    seen: str

    def __str__(self) -> str:
        return f"{self.what}: {self.seen}; wanted: {self.wanted}"


@dataclass(frozen=True, slots=True)
class LongNight:
    """Everything up to the first surprise."""

    credited: int
    refused: int
    surprise: Surprise | None


def long_night(candidate: Candidate) -> LongNight:
    """Mine on new jobs and on old ones, of this block and of those before."""
    rng = candidate.rng
    first = draw_template(rng, 4)
    with Session(candidate, first, EVERY_HASH_WILL_DO) as session:
        night = _Night(session, first)
        night.see_through()
        return LongNight(night.credited, night.refused, night.surprise)


class _Night:
    """A miner's night; after the first surprise nothing more is done."""

    def __init__(self, session: Session, first: Template) -> None:
        self.credited = self.refused = 0
        self.surprise: Surprise | None = None
        self._session = session
        self._miner = session.join(WORKER)
        self._jobs = [Offered(first, self._await_notify(self._miner, first))]
        """Of the current block, oldest first."""
        self._over: list[Offered] = []
        """Jobs of the blocks before."""

    def see_through(self) -> None:
        """Go through three blocks."""
        for _ in range(JOBS):
            self._refresh()
        self._submit(self._miner, self._jobs, "share for one of the older jobs of the same block")
        self._next_block()
        self._refresh()
        self._submit(self._miner, self._jobs[:1], "share for the first job of the same block")
        self._submit_old(self._miner)
        self._next_block()
        if self.surprise is None:
            newcomer = self._session.join(WORKER)
            job = Offered(self._jobs[-1].template, self._await_notify(newcomer, self._jobs[-1].template))
            self._submit(newcomer, [job], "first share of a new miner")
            self._submit_old(newcomer)

    def _refresh(self) -> None:
        self._take_job(refreshed(self._session.rng, self._jobs[-1].template), clean=False)

    def _next_block(self) -> None:
        if self.surprise is None:
            template = next_block(self._session.rng, self._jobs[-1].template, 4)
            self._over += self._jobs
            self._jobs = []
            self._take_job(template, clean=True)
            self._submit_old(self._miner)

    def _take_job(self, template: Template, *, clean: bool) -> None:
        if self.surprise is not None:
            return
        self._session.give(template)
        job = Offered(template, self._await_notify(self._miner, template))
        self._jobs.append(job)
        if job.notify.clean_jobs is not clean:
            what = f"clean_jobs of a job for {'a new' if clean else 'the same'} block"
            self.surprise = Surprise(what, str(clean).lower(), str(job.notify.clean_jobs).lower())
        self._submit(self._miner, [job], "share sent at once for a new job")

    def _submit_old(self, miner: Miner) -> None:
        if self._over:
            picked = [self._over[-1], self._over[0], self._session.rng.choice(self._over)]
            self._submit(miner, picked, "share for a job of an earlier block", wanted=False)

    def _submit(self, miner: Miner, jobs: Sequence[Offered], what: str, *, wanted: bool = True) -> None:
        """Submit one share for each of the jobs, in one go."""
        if self.surprise is not None:
            return
        numbers = miner.submit([self._draw_share(miner, job) for job in jobs])
        self._session.wait(lambda: miner.gone or miner.answered(numbers))
        for at, (number, accepted) in enumerate(zip(numbers, miner.accepted(numbers), strict=True), 1):
            if accepted is not wanted:
                reply = miner.replies.get(number)
                which = f"{what} ({at} of {len(jobs)})" if len(jobs) > 1 else what
                self.surprise = Surprise(which, "credited" if wanted else "refused", str(reply or "no answer"))
                return
            # A share that nobody answered was not refused either.
            if number not in miner.replies and not miner.gone:
                self.surprise = Surprise(what, "an answer", "none")
                return
        self.credited += len(jobs) * wanted
        self.refused += len(jobs) * (not wanted)

    def _draw_share(self, miner: Miner, job: Offered) -> Share:
        rng = self._session.rng
        extranonce2 = rng.randbytes(miner.extranonce2_bytes)
        ntime = job.template.curtime + rng.randrange(600)
        return Share(WORKER, job.notify.job_id, extranonce2, ntime, rng.randrange(2**32))

    def _await_notify(self, miner: Miner, template: Template) -> Notify:
        self._session.require(
            lambda: miner.gone or miner.notify_of(template.curtime) is not None,
            "no mining.notify with a new template's ntime came",
        )
        notify = miner.notify_of(template.curtime)
        if notify is None:
            raise AnswerFault("the server closed the connection of a miner that waited for work")
        return notify
