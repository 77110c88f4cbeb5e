"""Flight sheets: what a rig's owner enters in the dashboard, and what has to become of it in the miner's command line."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from dataclasses import dataclass

SCHEMES = ("stratum1+ssl", "stratum2+tcp", "stratum2+ssl")
"""Not the one that the letter gives as an example."""
EXTRAS = (
    ("--farm-recheck", "{}"),
    ("--display-interval={}",),
    ("--work-timeout", "{}"),
    ("--report-hashrate",),
    ("-v", "5"),
    ("--response-timeout", "{}"),
)
"""Numbers are put in for `{}`. Two have none, so that any three have at least one number."""
UNUSUAL_ENDING = "7"
"""Of these numbers: nobody has such a one as a default."""
POOL_OPTIONS = ("-P", "--pool")
API_OPTIONS = ("--api-bind", "--api-port")


@dataclass(frozen=True, slots=True)
class Flight:
    """One flight sheet."""

    url: str
    template: str
    password: str
    algo: str
    extras: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """As the agent gets them: CUSTOM_URL, CUSTOM_TEMPLATE, CUSTOM_PASS, CUSTOM_ALGO, CUSTOM_USER_CONFIG."""
        return self.url, self.template, self.password, self.algo, " ".join(self.extras)

    @property
    def server(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]

    @property
    def own_words(self) -> tuple[str, ...]:
        """What no other flight sheet holds."""
        return self.server, self.template, self.password

    @property
    def own_extras(self) -> tuple[str, ...]:
        """Arguments that get into no command line but by this flight sheet."""
        return tuple(word for word in self.extras if word.endswith(UNUSUAL_ENDING))

    @property
    def pool(self) -> str:
        """What has to stand after -P."""
        return f"{self.url.partition('://')[0]}://{self.template}:{self.password}@{self.server}"


EMPTY = Flight("", "", "", "", ())
"""A rig that has no flight sheet yet."""


def draw_flight(rng: random.Random, *, extras: int) -> Flight:
    """Return a flight sheet with this number of extra settings."""
    chosen = rng.sample(EXTRAS, extras)
    return Flight(
        url=f"{rng.choice(SCHEMES)}://{draw_word(rng)}.{draw_word(rng)}.example:{rng.randint(1025, 65_000)}",
        template=f"0x{rng.getrandbits(160):040x}.{draw_word(rng)}-{rng.randint(1, 99)}",
        password=f"{draw_word(rng)},d={rng.randint(1000, 9999)},m={draw_word(rng)}",
        algo="ethash",
        extras=tuple(part.format(f"{rng.randint(100, 999)}{UNUSUAL_ENDING}") for option in chosen for part in option),
    )


def draw_word(rng: random.Random) -> str:
    """Return a word that stands nowhere else."""
    return "".join(rng.choices(string.ascii_lowercase, k=9))


def values_of(argv: Sequence[str], options: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of all options of these names: `--long VALUE`, `--long=VALUE`, `-s VALUE` or `-sVALUE`."""
    found: list[str] = []
    for place, word in enumerate(argv):
        for option in options:
            if word == option:
                found += argv[place + 1 : place + 2]
            elif option.startswith("--") and word.startswith(f"{option}="):
                found.append(word.partition("=")[2])
            elif not option.startswith("--") and not word.startswith("--") and word.startswith(option):
                found.append(word.removeprefix(option))
    return tuple(found)


def api_port_of(argv: Sequence[str]) -> int | None:
    """Return the port of the read-only API that the arguments ask for; None unless there is exactly one."""
    values = values_of(argv, API_OPTIONS)
    text = values[0].rpartition(":")[2] if len(values) == 1 else ""
    digits = text.removeprefix("-")
    if text == digits or not digits.isascii() or not digits.isdigit() or len(digits) > 5:
        return None
    return int(digits) if 0 < int(digits) < 65_536 else None


def contains_in_order(argv: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether all of `wanted` stand in `argv`, in their order."""
    rest = iter(argv)
    return all(word in rest for word in wanted)
