"""What the fake wallet has told the judge so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pytest_llmbench import GraderError
from pytest_llmbench.sandbox.api import Driver

from .ledger import Payment


class WalletLog:
    """Opens the wallet, and keeps what comes from it."""

    def __init__(
        self,
        driver: Driver,
        paid: Sequence[Payment],
        troubles: Mapping[str, str],
        refused: Sequence[str],
        doubtful: Sequence[str] | None,
    ) -> None:
        """Open the wallet; see `Session` for what it is told."""
        self.port: int | None = None
        """Where it listens; None until it has told."""
        self.requests = 0
        """How many have arrived."""
        self.asked: list[str] = []
        """References that it was asked to pay, in the order in which the requests arrived."""
        self.payments: list[Payment] = []
        self.answered: set[str] = set()
        """References of which an answer came back whole."""
        self.lost_look_up = False
        """Whether it has left a look-up without an answer."""
        self.stuck: str | None = None
        """Reference of the request in the middle of which the worker has to be killed."""
        self._driver = driver
        before = [[each.txid, each.address, str(each.amount), each.reference] for each in paid]
        driver.send(["open", before, dict(troubles), list(refused), doubtful])

    def pause(self, *, paused: bool) -> None:
        """Have requests wait, or go on."""
        self._driver.send(["pause" if paused else "go on"])

    def read(self) -> bool:
        """Take in the next event; False if there is none yet."""
        try:
            event, at_s, *details = self._driver.receive(0.0)
        except TimeoutError:
            return False
        match event, details:
            case "listening", [port]:
                self.port = port
            case "asked", [reference]:
                self.requests += 1
                self.asked += [] if reference is None else [reference]
            case "paid", [[txid, address, amount, reference]]:
                self.payments.append(Payment(at_s, txid, address, Decimal(amount), reference))
            case "answered" | "refused", [reference]:
                self.answered.add(reference)
            case "lost look-up", []:
                self.lost_look_up = True
            case "stuck", [reference]:
                self.stuck = reference
            case _:
                raise GraderError(f"fake wallet: unknown event {event!r} {details!r}")
        return True
