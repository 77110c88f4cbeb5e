"""What the search on the status page shows, and to whom."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pytest_llmbench import Candidate

from .books import ROUND_AMOUNTS, Entry, draw_address, draw_ids, draw_name, draw_txid, make_database
from .ledger import number
from .session import Session

TEXTS = ("worker", "address", "status", "txid")
"""Columns of a payout that `search` shows as text."""


@dataclass(frozen=True, slots=True)
class Search:
    """What came out for one name."""

    name: str
    found: tuple[Mapping[str, Any], ...]
    """Rows that were printed."""
    wanted: tuple[Mapping[str, Any], ...] | None
    """Rows that must be printed, no others; None if nothing has to be."""
    leaked: str | None
    """What was printed of the rows of others."""

    @property
    def wrong(self) -> str | None:
        """What was wrong in words."""
        if self.leaked is not None:
            return f"the search for {self.name!r} showed what is not for this miner: {self.leaked}"
        if self.wanted is not None and self.found != self.wanted:
            ids = [row["id"] for row in self.found][:10]
            wanted = [row["id"] for row in self.wanted]
            if ids != wanted:
                return f"the search for {self.name!r} printed the payouts {ids}, not {wanted}"
            return f"the search for {self.name!r} printed the payouts {ids} with other values than theirs"
        return None


def searches(candidate: Candidate) -> tuple[Search, ...]:
    """Miners look at their payouts; some type other things than their names."""
    rng = candidate.rng
    tag = f"{rng.randrange(100, 1000)}"
    names = [f"rig{tag}", f"Rig{tag}", f"rig{tag}.1", f"farm_{tag}", f"farmX{tag}", f"cellar-{tag}", f"o'brien{tag}"]
    ids = draw_ids(rng, 3 * len(names))
    owners = names * 3
    rng.shuffle(owners)
    addresses = {name: draw_address(rng) for name in names}
    entries = [
        Entry(payout_id, owner, addresses[owner], rng.choice(ROUND_AMOUNTS), "paid", draw_txid(rng))
        for payout_id, owner in zip(ids, owners, strict=True)
    ]
    secret = f"session_{secrets.token_hex(8)}"
    extra = f"CREATE TABLE {secret} (token TEXT); INSERT INTO {secret} VALUES ('{secret}');"  # noqa: S608 - the judge's own
    name = draw_name()
    ordinary = [each for each in names if "'" not in each]
    typed = [names[0], names[3], *_odd_names(rng, ordinary, ids), names[-1], names[1]]
    with Session(candidate, name, {name: make_database(entries, extra=extra)}) as session:
        seen: list[Search] = []
        for each in typed:
            seen.append(_search(session, each, entries, secret, required=each in ordinary))
            if seen[-1].wrong is not None:
                break
        return tuple(seen)


def _search(session: Session, name: str, entries: Sequence[Entry], secret: str, *, required: bool) -> Search:
    ended = session.run("search", name)
    own = [entry for entry in entries if entry.worker == name]
    shown = ended.stdout + ended.stderr
    foreign = {text: entry for entry in entries if entry not in own for text in (entry.address, entry.txid or "")}
    leaks = [f"payout {entry.payout_id} of {entry.worker}" for text, entry in foreign.items() if text in shown]
    # What was typed may be repeated in a message.
    others = sorted({entry.worker for entry in entries if entry.worker not in name})
    leaks += [f"the name {other!r}" for other in others if other in shown]
    leaks += [f"the table {secret}"] if secret in shown else []
    wanted = tuple(_shown(entry) for entry in own)
    found = tuple(row for line in ended.stdout.splitlines() if (row := _row(line)) is not None)
    return Search(name, found, wanted if required else None, leaks[0] if leaks else None)


def _odd_names(rng: random.Random, names: Sequence[str], ids: Sequence[int]) -> list[str]:
    """Return what else is typed: each gets past another half-hearted defence."""
    name = rng.choice(names)
    digits = rng.randrange(10, 99)
    return [
        f"{name}' OR '{digits}'='{digits}",
        f"x'\tor\t{digits}<{digits + 1}\tor\t'",
        f"x'/**/oR/**/id/**/In/**/({ids[0]},{ids[-1]})/**/--",
        f"{digits}' uNiOn AlL sElEcT 1, name, sql, 4, 5, 6 FROM sqlite_master --",  # noqa: S608 - this is what attackers type
        f"x'' OR {digits} --",
        f"\\' OR {digits} --",
        f'x" OR "{digits}"="{digits}',
        f"{name[:3]}*",
        f"x'; DELETE FROM payouts WHERE id > {digits}; --",  # noqa: S608 - same
    ]


def _row(line: str) -> Mapping[str, Any] | None:
    """Return the payout that a line shows; None if it shows none."""
    try:
        value = json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    if type(value) is not dict or not {"id", "amount", *TEXTS} <= value.keys() or type(value["id"]) is not int:
        return None
    texts = {key: value[key] if type(value[key]) is str else None for key in TEXTS}
    return {"id": value["id"], **texts, "amount": number(value["amount"])}


def _shown(entry: Entry) -> Mapping[str, Any]:
    return {
        "id": entry.payout_id,
        "worker": entry.worker,
        "address": entry.address,
        "amount": entry.amount,
        "status": entry.status,
        "txid": entry.txid,
    }
