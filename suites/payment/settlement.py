"""The end of the month: credits become payouts, payouts are sent, and the books are summed up, all to the satoshi."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pytest_llmbench import AnswerFault, Candidate

from .accounts import (
    FEES,
    Account,
    btc,
    btc_number,
    draw_accounts,
    draw_exact_account,
    draw_history,
    draw_short_account,
)
from .books import Credit, Entry, draw_name, make_database
from .ledger import Books, Due, Payout, number
from .session import Session


@dataclass(frozen=True, slots=True, repr=False)
class MonthEnd:
    """What was settled, paid and summed up."""

    fee: str
    minimum: str
    wanted: tuple[frozenset[Account], ...]
    """Who had to be settled first, and who then, when the minimum was lowered."""
    settled: tuple[tuple[Payout, ...], ...]
    """What was."""
    books: Books
    totals: Mapping[str, Decimal | None]
    """What `summary` printed; None where it was no number."""
    wanted_totals: Mapping[str, Decimal]

    def __repr__(self) -> str:
        return (
            f"<{self.fee} % fee, {[len(each) for each in self.settled]} payouts, {self.books!r}, totals {self.totals}>"
        )

    @property
    def settled_wrongly(self) -> str | None:
        """The first payout that is not what the worker has earned, in words."""
        for wanted, settled, minimum in zip(self.wanted, self.settled, (self.minimum, "0.00000001"), strict=False):
            accounts = {account.worker: account for account in wanted}
            for payout in settled:
                account = accounts.pop(payout.worker, None)
                if account is None:
                    return f"payout {payout.payout_id} for {payout.worker[:80]} should not have been made at a minimum of {minimum}"
                told = _difference(account, payout, self.fee)
                if told is not None:
                    return told
            for account in accounts.values():
                return (
                    f"{account.worker} has earned {btc(account.net_sat(self.fee))} BTC after the fee, "
                    f"the minimum is {minimum}, and no payout was made"
                )
        return None

    @property
    def summed_up_wrongly(self) -> str | None:
        """The first total that is not the sum, in words."""
        for name, wanted in self.wanted_totals.items():
            got = self.totals.get(name)
            if got is None or got != wanted:
                return f"summary: {name} is {got}, and should be {wanted}"
        return None


def month_end(candidate: Candidate) -> MonthEnd:
    """Settle with a minimum that one worker reaches exactly, settle the small ones too, send it all and sum up."""
    rng = candidate.rng
    fee = rng.choice(FEES)
    exactly = draw_exact_account(rng, fee)
    minimum = btc(exactly.net_sat(fee))
    short = draw_short_account(rng, exactly.net_sat(fee))
    accounts = (exactly, short, *draw_accounts(rng, fee))
    history = draw_history(rng)
    first_id = history[-1].payout_id + 1
    earned = [Credit(each.worker, btc_number(part)) for each in accounts for part in each.credits_sat]
    name = draw_name()
    known = [*history, *(Entry(0, each.worker, each.address, Decimal(0)) for each in accounts)]
    with Session(candidate, name, {name: make_database(history, earned, workers=known)}) as session:
        settled: list[tuple[Payout, ...]] = []
        seen = 0
        for least in (minimum, "0.00000001"):
            session.run("settle", "--fee", fee, "--minimum", least)
            payouts = session.payouts(first_id)
            settled.append(payouts[seen:])
            seen = len(payouts)
        session.run("recover")
        session.run("run", "--threads", "1")
        rows = session.payouts(first_id)
        due = tuple(_due(payout) for payout in rows)
        printed = session.run("summary").stdout
        books = Books(due, tuple(session.wallet.payments), rows)
    large = frozenset(each for each in accounts if each.net_sat(fee) >= exactly.net_sat(fee))
    everybody = frozenset(accounts)
    return MonthEnd(
        fee=fee,
        minimum=minimum,
        wanted=(large, everybody - large),
        settled=tuple(settled),
        books=books,
        totals=_read_totals(printed),
        wanted_totals=_wanted_totals(history, accounts, fee),
    )


def _difference(account: Account, payout: Payout, fee: str) -> str | None:
    wanted = btc_number(account.net_sat(fee)), btc_number(account.fee_sat(fee))
    if (payout.amount, payout.fee) == wanted and payout.address == account.address:
        return None
    return (
        f"{account.worker} has earned {btc(account.gross_sat)} BTC with {len(account.credits_sat)} credits; at {fee} % "
        f"the fee is {wanted[1]:f} and the payout {wanted[0]:f}; the books say {_shown(payout.fee)} and {_shown(payout.amount)}"
    )


def _shown(amount: Decimal | None) -> str:
    return "no number" if amount is None else str(amount)


def _due(payout: Payout) -> Due:
    return Due(payout.payout_id, payout.address, payout.amount if payout.amount is not None else Decimal(0))


def _wanted_totals(history: Sequence[Entry], accounts: Sequence[Account], fee: str) -> dict[str, Decimal]:
    sent_sat = sum(account.net_sat(fee) for account in accounts)
    fees_sat = sum(account.fee_sat(fee) for account in accounts)
    return {
        "the number of paid payouts": Decimal(len(history) + len(accounts)),
        "the total of paid payouts": sum((entry.amount for entry in history), btc_number(sent_sat)),
        "the total of the fees": sum((entry.fee for entry in history), btc_number(fees_sat)),
    }


def _read_totals(printed: str) -> dict[str, Decimal | None]:
    try:
        found: Any = json.loads(printed, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError) as error:
        raise AnswerFault(f"`summary` printed no JSON object: {printed[:200]!r}") from error
    if type(found) is not dict or type(found.get("paid")) is not dict:
        raise AnswerFault(f"`summary` printed no JSON object with the payouts that are paid: {printed[:200]!r}")
    return {
        "the number of paid payouts": number(found["paid"].get("count")),
        "the total of paid payouts": number(found["paid"].get("amount")),
        "the total of the fees": number(found.get("fees")),
    }
