"""What the pool does with the program, and what is seen of it."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace

from pytest_llmbench import AnswerFault, Candidate

from .books import ROUND_AMOUNTS, Entry, draw_address, draw_ids, draw_name, draw_txid, make_database
from .ledger import REFUSED, TROUBLES, Books, Due, Payment, repeated
from .session import DEADLINE_S, Session

RUSH = 7
"""Payouts for two workers with four threads each: fewer than threads, so that two have to want the same one."""
START_S = 3.0
"""How long workers are waited for to come to the lock; a fraction of a second but on a loaded machine.

No longer than the letter says that the lock is held.
"""
WALLET_S = 4.5
"""How long the wallet keeps them waiting at most; the letter says five seconds."""
MOMENT_S = 0.7
"""… of it, until the third worker is started."""
QUIET = 4
"""Payouts that nothing happens to on the day of the outages."""
STARTS = 12
"""How often the program is started on that day, at most; it takes four."""


def rush_hour(candidate: Candidate) -> Books:
    """Two workers start while the backup holds the lock; a third one while the wallet has not answered the others.

    The lock makes sure that whoever only looks whether a payout is pending has looked before anybody could write.
    """
    rng = candidate.rng
    due = _draw_due(rng, [""] * RUSH)
    entries, _ = _with_history(rng, due)
    name = draw_name()
    with Session(candidate, name, {name: make_database(entries)}) as session:
        session.run("recover")
        session.wallet.pause(paused=True)
        session.lock()
        workers = [session.start("run", "--threads", "4") for _ in range(2)]
        session.settle(START_S)
        session.unlock()
        if (
            not session.wait(lambda: session.wallet.requests > 0 or session.ended(*workers))
            or session.wallet.requests == 0
        ):
            raise AnswerFault(
                "the workers asked the wallet for nothing; a backup held the write lock of the database when they started"
            )
        session.settle(MOMENT_S)
        workers.append(session.start("run", "--threads", "4"))
        session.settle(WALLET_S - MOMENT_S)
        session.wallet.pause(paused=False)
        ended = session.wait(lambda: session.ended(*workers) or any(repeated(session.wallet.payments)))
        if not ended:
            raise AnswerFault(f"the workers did not end within {DEADLINE_S:g} s{_progress(session.wallet.payments)}")
        return Books(due, tuple(session.wallet.payments), session.payouts())


def outages(candidate: Candidate) -> Books:
    """One worker with one thread; the wallet's answers get lost, and three times the machine loses power.

    After each power cut, all that is left is the database.
    """
    rng = candidate.rng
    troubles = [*TROUBLES, TROUBLES[0], REFUSED, *[""] * QUIET]
    rng.shuffle(troubles)
    due = _draw_due(rng, troubles)
    entries, paid = _with_history(rng, due)
    name = draw_name()
    files = {name: make_database(entries)}
    payments: list[Payment] = []
    began_s = time.monotonic()
    asked: list[str] = []
    answered: set[str] = set()
    lost_look_up = False
    for _start in range(STARTS):
        ahead = {
            each.reference: each.trouble for each in due if each.trouble in TROUBLES and each.reference not in asked
        }
        lost = {each.address for each in payments if each.reference not in answered}
        doubtful = None if lost_look_up else sorted(lost)
        refused = [each.reference for each in due if each.trouble == REFUSED]
        with Session(
            candidate,
            name,
            files,
            paid=(*paid, *payments),
            troubles=ahead,
            refused=refused,
            doubtful=doubtful,
        ) as session:
            since_s = time.monotonic() - began_s
            session.run("recover")
            worker = session.start("run", "--threads", "1")
            session.require(lambda: session.ended(worker) or session.wallet.stuck is not None, "run")  # noqa: B023 - called now
            if session.wallet.stuck is not None:
                session.kill(worker)
            payments += [replace(each, at_s=since_s + each.at_s) for each in session.wallet.payments]
            asked += session.wallet.asked
            answered |= session.wallet.answered
            lost_look_up |= session.wallet.lost_look_up
            rows = session.payouts()
            files = session.collect()
            is_open = any(payout.status in ("pending", "sending") for payout in rows)
            if any(repeated(payments)) or (session.wallet.stuck is None and not (is_open and session.wallet.requests)):
                break
    return Books(due, tuple(payments), rows, frozenset(set(asked) - answered))


def _draw_due(rng: random.Random, troubles: Sequence[str]) -> tuple[Due, ...]:
    """Return pending payouts; few addresses and amounts, so that many are alike."""
    addresses = [draw_address(rng) for _ in range(3)]
    amounts = rng.sample(ROUND_AMOUNTS, 2)
    return tuple(
        Due(payout_id, rng.choice(addresses), rng.choice(amounts), trouble)
        for payout_id, trouble in zip(draw_ids(rng, len(troubles)), troubles, strict=True)
    )


def _with_history(rng: random.Random, due: Sequence[Due]) -> tuple[list[Entry], list[Payment]]:
    """Return the rows of all payouts, older ones too, and what the wallet has paid before.

    For each one that is due there is an older one that is like it and was paid.
    """
    workers = {each.address: f"rig{number}" for number, each in enumerate(due)}
    entries = [Entry(each.payout_id, workers[each.address], each.address, each.amount) for each in due]
    paid = []
    for payout_id, each in enumerate({(each.address, each.amount): each for each in due}.values(), 1):
        txid = draw_txid(rng)
        paid.append(Payment(0.0, txid, each.address, each.amount, f"payout-{payout_id}"))
        entries.append(Entry(payout_id, workers[each.address], each.address, each.amount, "paid", txid))
    first = due[0]
    entries.append(Entry(len(paid) + 1, workers[first.address], first.address, first.amount, "failed"))
    return entries, paid


def _progress(payments: Sequence[Payment]) -> str:
    return f"; the wallet has paid {len(payments)} payouts" if payments else "; the wallet has paid nothing"
