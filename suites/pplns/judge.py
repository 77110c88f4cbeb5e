"""What the pool's cron job does, and what the wallet script then finds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from pytest_llmbench import AnswerFault, Candidate, Job, Limits, Process

from . import books as drawn
from .books import Books
from .rules import Block, Terms, Walk, walk
from .statement import MAX_BYTES, Statement, read_statement

DEADLINE_S = 15.0
"""For some thousands of shares; a good answer takes a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Payday:
    """A block, whom it belongs to by the rules, and what the wallet script was told to pay."""

    block: Block
    terms: Terms
    walk: Walk
    statement: Statement

    @property
    def payouts_mismatch(self) -> str | None:
        """What is wrong with the payouts, in words, given the fee that was kept; None if nothing is."""
        block, walked, told = self.block, self.walk, self.statement
        where = f"block {block.height}: "
        if told.fee_sat + told.total_sat != block.reward_sat:
            return (
                f"{where}the fee of {told.fee_sat} and the payouts of {told.total_sat} satoshi "
                f"are not together the reward of {block.reward_sat}"
            )
        # Whoever keeps nearly all of it pays everybody nearly the right part of the rest.
        if told.fee_sat > block.reward_sat // 2:
            return f"{where}the pool kept {told.fee_sat} satoshi of the reward of {block.reward_sat}"
        left_sat = block.reward_sat - told.fee_sat
        counted = f"the {walked.shares} shares (difficulty {walked.difficulty}) that the block is paid to"
        paid = dict(told.payouts)
        for address in sorted(paid.keys() - dict(walked.points).keys()):
            return f"{where}{ascii(address)[:60]} got {paid[address]} satoshi and has none of {counted}"
        for address, points in walked.points:
            part = walked.part(address, left_sat)
            if abs(paid.get(address, 0) - part) > self._allowed_sat:
                return (
                    f"{where}{address!r} got {paid.get(address, 0)} satoshi instead of {round(part)}: "
                    f"it has difficulty {points} of {counted}"
                )
        return None

    @property
    def fee_mismatch(self) -> str | None:
        """What is wrong with the fee; None if nothing is."""
        percent = self.terms.fee_percent
        fee_sat = self.block.reward_sat * percent / 100
        if abs(self.statement.fee_sat - fee_sat) > self._allowed_sat:
            return (
                f"block {self.block.height}: the pool kept {self.statement.fee_sat} satoshi of {self.block.reward_sat}; "
                f"at a fee_percent of {float(percent):g} it is {round(fee_sat)}"
            )
        return None

    @property
    def _allowed_sat(self) -> int:
        # The letter allows one for each address. Twice that, as the fee's own rounding moves the payouts, too.
        return 2 * len(self.walk.points)


@dataclass(frozen=True, slots=True)
class Season:
    """Every block that was paid, up to the first run of the program that paid one wrongly."""

    paydays: tuple[Payday, ...]


def limited_by_shares(candidate: Candidate) -> Season:
    """`max_shares` decides who is paid."""
    return _season(candidate, drawn.low_and_high_limit(candidate.rng), _payouts)


def limited_by_window(candidate: Candidate) -> Season:
    """The window decides who is paid."""
    return _season(candidate, drawn.full_windows(candidate.rng), _payouts)


def under_other_fees(candidate: Candidate) -> Season:
    """All shares are paid; the fee is not what it was for a year."""
    return _season(candidate, drawn.other_fees(candidate.rng), _fee_or_payouts)


def _payouts(day: Payday) -> str | None:
    return day.payouts_mismatch


def _fee_or_payouts(day: Payday) -> str | None:
    return day.fee_mismatch or day.payouts_mismatch


def _season(candidate: Candidate, runs: tuple[Books, ...], mismatch: Callable[[Payday], str | None]) -> Season:
    paydays: tuple[Payday, ...] = ()
    for books in runs:
        paydays += _pay(candidate, books)
        if any(map(mismatch, paydays)):
            break
    return Season(paydays)


def _pay(candidate: Candidate, books: Books) -> tuple[Payday, ...]:
    """Let cron run the program once for all blocks of the books."""
    # Names that no answer can hold a file of; the seed of a run is no secret.
    tag = secrets.token_hex(4)
    config, database, out_dir = f"pool-{tag}.json", f"shares-{tag}.db", f"payouts-{tag}"
    own = {
        config: books.settings(database, out_dir),
        database: books.database(),
        f"{out_dir}/about.txt": b"Here the wallet script looks for payouts.\n",
    }
    files = {name: text.encode() for name, text in candidate.files.items()}
    heights = (str(block.height) for block in books.blocks)
    job = Job(
        ("{python}", "payouts.py", "--config", config, *heights), {**files, **own}, limits=Limits(wall_s=2 * DEADLINE_S)
    )
    with candidate.start(job) as process:
        _require_success(process)
        return tuple(
            Payday(block, books.terms, walk(books.shares, block, books.terms), _statement(process, out_dir, block))
            for block in books.blocks
        )


def _require_success(process: Process) -> None:
    try:
        ended = process.wait(DEADLINE_S)
    except TimeoutError:
        raise AnswerFault(f"payouts.py did not end within {DEADLINE_S:g} s") from None
    if ended.status != 0:
        raise AnswerFault(f"payouts.py ended {ended.how} instead of status 0{_last_words(process)}")


def _statement(process: Process, out_dir: str, block: Block) -> Statement:
    name = f"payouts-{block.height}.json"
    content = process.collect(f"{out_dir}/{name}", MAX_BYTES)
    if content is None:
        raise AnswerFault(f"payouts.py ended with status 0, but there is no {name} in out_dir{_last_words(process)}")
    return read_statement(name, content, block)


def _last_words(process: Process) -> str:
    said = process.last_words()
    return f"; the end of its stderr: {said!r}" if said else ""
