"""Real difficulty: does a miner who follows the protocol find shares, and does the node get a block that is one?"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pytest_llmbench import AnswerFault, Candidate

from . import bitcoin
from .miner import Miner, Share
from .session import Session
from .templates import Template, draw_template, next_block
from .wire import Notify

MANY = 253
"""From so many transactions on their number takes three bytes."""
MISS = Fraction(101, 100)
"""A share that misses its target does it by this factor at least, so that rounding the target does not matter."""
WORKER = "farm.1"
MINERS = 4
"""Connected at a time; only the first one mines."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the server made of a share."""

    what: str
    wanted: bool
    seen: bool | None
    """None: no answer came."""
    reply: str


@dataclass(frozen=True, slots=True)
class RealDifficulty:
    """Two blocks' worth of mining."""

    difficulty: float
    difficulty_told: float | None
    wrong_fields: tuple[str, ...]
    """What `mining.notify` said and what the template says, in words."""
    judgements: tuple[Judgement, ...]
    submissions: int
    """Calls of `submitblock`; one is right."""
    wrong_block: str | None
    """What is wrong with the block, in words."""


def real_difficulty(candidate: Candidate) -> RealDifficulty:
    """Mine shares and near misses on one block, and a share and a block on the next."""
    rng = candidate.rng
    difficulty = Fraction(rng.randrange(2**11, 2**12), 2**30)
    first = draw_template(rng, rng.randint(3, 12))
    # A target four to sixteen times as hard as that of a share.
    second = next_block(rng, first, rng.randint(MANY, MANY + 50), 0x1F000000 | rng.randrange(0x8000, 0x10000))
    with Session(candidate, first, difficulty) as session:
        miner, *others = session.join_together([[WORKER]] * MINERS)
        if len({one.extranonce1 for one in (miner, *others)}) < MINERS:
            raise AnswerFault("two connections were given the same extranonce1, so that their miners do the same work")
        digger = _Digger(session, miner, int(bitcoin.share_target(difficulty)))
        told = miner.difficulty
        wrong = digger.take_work(first)
        judgements = [digger.share(first) for _ in range(3)] + [digger.near_miss(first) for _ in range(2)]
        if wrong or any(one.seen is not one.wanted for one in judgements):
            return RealDifficulty(float(difficulty), _float(told), wrong, tuple(judgements), 0, None)
        session.give(second)
        wrong = digger.take_work(second)
        judgements.append(digger.share(second))
        early = len(session.submitted)
        block = digger.mine(second, 0, bitcoin.block_target(second.bits))
        judgements.append(digger.judged(block, "share that is a block", wanted=True))
        session.wait(lambda: len(session.submitted) > early)
        session.settle()
        wanted = digger.block(second, block)
        wrong_block = _difference(session.submitted[early] if early < len(session.submitted) else None, wanted)
        return RealDifficulty(
            float(difficulty), _float(told), wrong, tuple(judgements), len(session.submitted), wrong_block
        )


class _Digger:
    """A miner's chips: they know the protocol, and nothing of this server."""

    def __init__(self, session: Session, miner: Miner, share_target: int) -> None:
        self._session, self._miner, self._share_target = session, miner, share_target

    def take_work(self, template: Template) -> tuple[str, ...]:
        """Wait for the work made from a template; return what is wrong with it."""
        self._session.require(
            lambda: self._miner.notify_of(template.curtime) is not None,
            "no mining.notify with the new template's ntime came",
        )
        return _wrong_fields(self._work(template), template)

    def share(self, template: Template) -> Judgement:
        """Find and submit a share that is not good enough for a block."""
        share = self.mine(template, bitcoin.block_target(template.bits), int(self._share_target / MISS))
        return self.judged(share, "good share", wanted=True)

    def near_miss(self, template: Template) -> Judgement:
        """Find and submit what is nearly a share."""
        share = self.mine(template, int(self._share_target * MISS), self._share_target * 16)
        return self.judged(share, "share above the target", wanted=False)

    def mine(self, template: Template, floor: int, ceiling: int) -> Share:
        """Try nonces until the hash lies above `floor` and not above `ceiling`."""
        rng, work = self._session.rng, self._work(template)
        extranonce2 = rng.randbytes(self._miner.extranonce2_bytes)
        ntime = template.curtime + rng.randrange(600)
        header = template.header(self._coinbase(work, extranonce2), ntime, 0)
        nonce = bitcoin.mine(header, rng.randrange(bitcoin.NONCES), floor, ceiling)
        return Share(WORKER, work.job_id, extranonce2, ntime, nonce)

    def judged(self, share: Share, what: str, *, wanted: bool) -> Judgement:
        """Submit a share and wait for the answer."""
        numbers = self._miner.submit([share])
        self._session.wait(lambda: self._miner.gone or self._miner.answered(numbers))
        reply = self._miner.replies.get(numbers[0])
        if reply is None:
            return Judgement(what, wanted, None, "no answer")
        return Judgement(what, wanted, reply.accepted, str(reply))

    def block(self, template: Template, share: Share) -> bytes:
        """Return the block that a share is."""
        coinbase = self._coinbase(self._work(template), share.extranonce2)
        return template.block(template.header(coinbase, share.ntime, share.nonce), coinbase)

    def _work(self, template: Template) -> Notify:
        work = self._miner.notify_of(template.curtime)
        assert work is not None
        return work

    def _coinbase(self, work: Notify, extranonce2: bytes) -> bytes:
        return work.coinb1 + self._miner.extranonce1 + extranonce2 + work.coinb2


def _wrong_fields(work: Notify, template: Template) -> tuple[str, ...]:
    fields = {
        "previous hash": (work.previous_hex, bitcoin.swap_words(template.previous).hex()),
        "version": (work.version_hex, f"{template.version:08x}"),
        "nbits": (work.bits_hex, f"{template.bits:08x}"),
        "ntime": (work.ntime_hex, f"{template.curtime:08x}"),
    }
    wrong = [f"{name} {got[:80]!a} instead of {want}" for name, (got, want) in fields.items() if got.lower() != want]
    coinbase_txid = bitcoin.sha256d(work.coinb1 + work.coinb2)  # any coinbase will do, with or without extranonces
    root = bitcoin.merkle_root([coinbase_txid, *template.txids])
    if bitcoin.climb(coinbase_txid, work.branch) != root:
        wrong.append("a merkle branch that does not lead to the merkle root")
    return tuple(wrong)


def _difference(got_hex: str | None, wanted: bytes) -> str | None:
    """Return how the block differs from what the node would take; None if it does not."""
    if got_hex is None:
        return "submitblock was not called with a block in hex"
    got = got_hex.lower()
    if got == wanted.hex():
        return None
    header = wanted[: bitcoin.HEADER_BYTES].hex()
    if not got.startswith(header):
        return f"its header is {got[: len(header)]!a} instead of {header}"
    at = next((at for at, (have, want) in enumerate(zip(got, wanted.hex(), strict=False)) if have != want), None)
    if at is None:
        return f"it has {len(got) // 2} bytes instead of {len(wanted)}"
    return f"its header is right, but from byte {at // 2} of the block on it differs from what the node expects"


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(min(value, Fraction(10**300)))
