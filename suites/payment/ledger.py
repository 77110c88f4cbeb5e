"""What is owed, what the wallet has paid, what the books say, and whether these agree; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

REFUSED = "refused"
TROUBLES = (
    "paid, worker killed",
    "unpaid, worker killed",
    "paid, connection closed",
    "unpaid, connection closed",
    "paid, half an answer",
    "paid, error page",
    "unpaid, error page",
)
"""What the fake wallet may do with the first request for a payout: whether it pays, and what becomes of the answer."""
LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Due:
    """A payout that was `pending` when the workers were started."""

    payout_id: int
    address: str
    amount: Decimal
    """In BTC."""
    trouble: str = ""
    """One of `TROUBLES`, `REFUSED`, or nothing."""

    @property
    def reference(self) -> str:
        """What it is called at the wallet."""
        return f"payout-{self.payout_id}"


@dataclass(frozen=True, slots=True)
class Payment:
    """What the wallet has carried out."""

    at_s: float
    txid: str
    address: str
    amount: Decimal
    reference: str


@dataclass(frozen=True, slots=True)
class Payout:
    """A row of the database, as it was found."""

    payout_id: int
    worker: str
    address: str
    amount: Decimal | None
    """None if the column does not hold a number."""
    fee: Decimal | None
    status: str
    txid: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Books:
    """Everything about a day's payouts."""

    due: tuple[Due, ...]
    payments: tuple[Payment, ...]
    payouts: tuple[Payout, ...]
    in_doubt: frozenset[str] = frozenset()
    """References of requests whose answer did not come back whole."""

    def __repr__(self) -> str:
        states = Counter(payout.status[:LONGEST_SHOWN] for payout in self.payouts)
        return f"<{len(self.due)} due, {len(self.payments)} payments, books: {dict(states)}>"

    @property
    def paid_twice(self) -> str | None:
        """The first payout that the wallet has paid more than once, in words."""
        return next(repeated(self.payments), None)

    @property
    def paid_wrongly(self) -> str | None:
        """The first payment that nobody has asked for, in words."""
        due = {each.reference: each for each in self.due}
        for payment in self.payments:
            wanted = due.get(payment.reference)
            if wanted is None:
                return f"the wallet was asked to pay {payment.reference!r}, which was not pending"
            if (payment.address, payment.amount) != (wanted.address, wanted.amount):
                return (
                    f"payout {wanted.payout_id} is {wanted.amount} BTC to {wanted.address}; "
                    f"the wallet was asked to pay {payment.amount} BTC to {payment.address}"
                )
        return None

    @property
    def booked_wrongly(self) -> str | None:
        """The first payout whose row does not tell what became of it, in words."""
        rows = {payout.payout_id: payout for payout in self.payouts}
        faults = (self._fault(each, rows.get(each.payout_id)) for each in self.due)
        return next((fault for fault in faults if fault is not None), None)

    def _fault(self, due: Due, payout: Payout | None) -> str | None:
        name = f"payout {due.payout_id}"
        if payout is None:
            return f"{name} is no longer in the database"
        status = payout.status[:LONGEST_SHOWN]
        txid = next((payment.txid for payment in self.payments if payment.reference == due.reference), None)
        if status == "unknown" and (due.reference in self.in_doubt or due.trouble in TROUBLES):
            return None
        if due.trouble == REFUSED:
            return None if status == "failed" else f"{name} was refused by the wallet, but is {status!r}, not 'failed'"
        story = f"; its first request: {due.trouble}" if due.trouble else ""
        if txid is None:
            what = "was never paid" if status == "paid" else "was not paid in the end"
            return f"{name} {what} by the wallet, and is {status!r}{story}"
        if (status, payout.txid) != ("paid", txid):
            given = (
                "no transaction id" if payout.txid is None else f"the transaction id {payout.txid[:LONGEST_SHOWN]!r}"
            )
            return f"{name} was paid by the wallet in {txid!r}, but is {status!r} with {given}{story}"
        return None


def repeated(payments: Sequence[Payment]) -> Iterator[str]:
    """Yield in words what was paid more than once."""
    times_s: dict[str, list[float]] = {}
    for payment in payments:
        times_s.setdefault(payment.reference, []).append(payment.at_s)
    for reference, at_s in times_s.items():
        if len(at_s) > 1:
            times = "twice" if len(at_s) == 2 else f"{len(at_s)} times"
            when = " and ".join(f"{each:.3f} s" for each in at_s[:3])
            yield f"payout {reference.removeprefix('payout-')} was sent {times}: at {when}"


def read_payout(row: list[Any]) -> Payout:
    """Return a row of seven cells, which may hold anything."""
    payout_id, worker, address, amount, fee, status, txid = row
    return Payout(
        payout_id if type(payout_id) is int else -1,
        str(worker),
        str(address),
        number(amount),
        number(fee),
        str(status),
        None if txid is None else str(txid),
    )


def number(value: object) -> Decimal | None:
    """Return what a cell or a JSON value says as a number; None if it is none."""
    if type(value) not in (str, int, float, Decimal) or len(str(value)) > LONGEST_SHOWN:
        return None
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        return None
    return found if found.is_finite() and abs(found.adjusted()) < LONGEST_SHOWN else None


def text(amount: Decimal) -> str:
    """Write an amount as the database holds it."""
    return f"{amount:.8f}"
