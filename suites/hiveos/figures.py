"""What a miner says of itself, and whether `khs` and `stats` say the same."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOLERANCE = 0.005
"""Of hash rates; what is in MH/s with two decimals is well within."""
UPTIME_SLACK_S = 90
"""The API's shorter answer cuts the seconds off."""
KHS_IN = {"hs": 0.001, "khs": 1.0, "mhs": 1000.0, "ghs": 1_000_000.0}
"""`hs_units` -> kH/s."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MAX_DIGITS = 60
_MAX_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Gpu:
    """One graphics card."""

    hash_rate_hs: int
    temperature_c: int
    fan_percent: int
    bus: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What the miner's API says at one time."""

    version: str
    pool: str
    runtime_s: int
    accepted: int
    rejected: int
    gpus: tuple[Gpu, ...]

    @property
    def total_hs(self) -> int:
        """Of all cards."""
        return sum(gpu.hash_rate_hs for gpu in self.gpus)

    @property
    def results(self) -> Mapping[str, Any]:
        """Method -> result, as the letter describes them."""
        return {"miner_ping": "pong", "miner_getstat1": self._brief(), "miner_getstatdetail": self._detailed()}

    def _brief(self) -> list[str]:
        rates = [str(gpu.hash_rate_hs // 1000) for gpu in self.gpus]
        return [
            self.version,
            str(self.runtime_s // 60),
            f"{self.total_hs // 1000};{self.accepted};{self.rejected}",
            ";".join(rates),
            "0;0;0",
            ";".join("off" for _ in self.gpus),
            ";".join(f"{gpu.temperature_c};{gpu.fan_percent}" for gpu in self.gpus),
            self.pool,
            "0;1;0;0",
        ]

    def _detailed(self) -> dict[str, Any]:
        devices = [
            {
                "_index": index,
                "_mode": "CUDA",
                "hardware": {
                    "name": "GeForce RTX 3070",
                    "pci": f"{gpu.bus:02x}:00.0",
                    "sensors": [gpu.temperature_c, gpu.fan_percent, 118.4],
                    "type": "GPU",
                },
                "mining": {"hashrate": hex(gpu.hash_rate_hs), "paused": False, "shares": [1, 0, 0, 12]},
            }
            for index, gpu in enumerate(self.gpus)
        ]
        shares = [self.accepted, self.rejected, 0, 5]
        return {
            "devices": devices,
            "host": {"name": "rig7", "runtime": self.runtime_s, "version": self.version},
            "mining": {"hashrate": hex(self.total_hs), "shares": shares},
        }


def draw_figures(rng: random.Random, cards: int) -> Figures:
    """Return figures that no two runs share; no two of them can be taken for each other."""
    buses = rng.sample(range(1, 100), cards)
    return Figures(
        version=f"0.20.{rng.randint(4, 99)}",
        pool=f"pool{rng.randint(10, 99)}.example:{rng.randint(2000, 9000)}",
        runtime_s=rng.randint(7_200, 300_000),
        accepted=rng.randint(1_000, 90_000),
        rejected=rng.randint(3, 400),
        gpus=tuple(
            Gpu(rng.randint(20_000_000, 119_000_000), rng.randint(41, 68), rng.randint(70, 100), bus) for bus in buses
        ),
    )


def find_mismatch(figures: Figures, khs: str | None, stats: str | None) -> str | None:
    """Return the first difference between the miner's figures and the agent's two variables in words, or None."""
    if khs is None or stats is None:
        return f"the variable {'khs' if khs is None else 'stats'} was not set"
    total = _number(khs)
    if total is None or not _is_near(total, figures.total_hs / 1000):
        return f"khs was {_shown(khs)}; the miner's total is {figures.total_hs // 1000} kH/s"
    read = read_json(stats)
    if not isinstance(read, dict):
        return f"stats was no JSON object: {_shown(stats)}"
    return _mismatch_in(figures, read)


def is_zero(khs: str | None) -> bool:
    """Whether `khs` says zero."""
    return khs is not None and _number(khs) == 0.0


def read_json(text: str) -> Any:
    """Return a JSON text's value; `...` if it is none."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return ...


def _mismatch_in(figures: Figures, stats: Mapping[str, Any]) -> str | None:
    unit = stats.get("hs_units", "khs")
    factor = KHS_IN.get(unit) if isinstance(unit, str) else None
    if factor is None:
        return f"hs_units was {_shown(unit)}; wanted hs, khs, mhs or ghs"
    rates = _numbers(stats.get("hs"))
    wanted = [gpu.hash_rate_hs / 1000 for gpu in figures.gpus]
    if rates is None or len(rates) != len(wanted) or not all(map(_is_near, (rate * factor for rate in rates), wanted)):
        return f"hs was {_shown(stats.get('hs'))} in {unit}; the cards do {_listed(wanted)} kH/s"
    exact = {
        "temp": [gpu.temperature_c for gpu in figures.gpus],
        "fan": [gpu.fan_percent for gpu in figures.gpus],
        "ar": [figures.accepted, figures.rejected],
    }
    if stats.get("bus_numbers"):
        exact["bus_numbers"] = [gpu.bus for gpu in figures.gpus]
    for name, values in exact.items():
        got = _numbers(stats.get(name))
        if got is None or (got[: len(values)] if name == "ar" else got) != values:
            return f"{name} was {_shown(stats.get(name))}; wanted {values}"
    uptime_s = _number(stats.get("uptime"))
    if uptime_s is None or abs(uptime_s - figures.runtime_s) > UPTIME_SLACK_S:
        return f"uptime was {_shown(stats.get('uptime'))}; the miner has run for {figures.runtime_s} s"
    return None


def _is_near(got: float, wanted: float) -> bool:
    return abs(got - wanted) <= TOLERANCE * wanted


def _numbers(value: Any) -> list[float] | None:
    if not isinstance(value, list):
        return None
    numbers = [_number(item) for item in value]
    return None if None in numbers else [number for number in numbers if number is not None]


def _number(value: Any) -> float | None:
    """Return a finite number, which may be written as a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        text = str(value).strip()
    except ValueError:  # an int of thousands of digits
        return None
    if len(text) > _MAX_DIGITS or _NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values)


def _shown(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else json.dumps(value)
    except (ValueError, RecursionError):
        text = "something that cannot be shown"
    return repr(text[:_MAX_SHOWN])


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
