"""What is seen of a package on the PC and on the rig; the checks judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .figures import Figures, find_mismatch
from .flight import Flight
from .package import DEADLINE_S, Made


@dataclass(frozen=True, slots=True)
class Start:
    """One start of h-run.sh."""

    flight: Flight
    pid: int
    """Of the process that was started as h-run.sh."""
    ended: int | None
    """How it had ended when the look was taken; None if it ran."""
    miners: tuple[tuple[int, tuple[str, ...], str | None], ...]
    """Process id, arguments and CUDA_VISIBLE_DEVICES of each running miner."""

    @property
    def argv(self) -> tuple[str, ...]:
        """Arguments of the miner; empty if there is none."""
        return self.miners[0][1] if self.miners else ()

    @property
    def fault(self) -> str | None:
        """Why nobody mines for the flight sheet's pool; None if a miner does."""
        if not self.miners:
            if self.ended is None:
                return f"no miner came up within {DEADLINE_S:g} s; h-run.sh was still running"
            return f"no miner came up; h-run.sh ended with status {self.ended}"
        if not any(self.flight.server in word for word in self.argv):
            return f"the miner does not mine at {self.flight.server}, but was started with {' '.join(self.argv)!r:.300}"
        return None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A package that was made twice in a terminal full of variables."""

    terminal: Mapping[str, str]
    made: tuple[Made, ...]
    start: Start


@dataclass(frozen=True, slots=True)
class FirstDay:
    """A package that was made once, put on a rig, started, stopped and started again."""

    made: Made
    miner_dir: str
    variables: Mapping[str, str] | None
    """What the manifest sets; None if bash did not survive it."""
    start: Start
    cards: str
    """CUDA_VISIBLE_DEVICES of the rig."""
    stop_status: int | None
    """Of the process that was started as h-run.sh, after SIGTERM; None if it did not end."""
    miner_status: int
    """What the miner ended with."""
    miners_left: int
    """After that."""
    bare_start: Start
    """With a flight sheet without extra arguments."""
    other_miners: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Configured:
    """One time that h-config.sh was sourced."""

    flight: Flight
    ended: int | None
    """Exit status of the agent's shell; None if it lived on."""
    late: bool
    """It did not get through."""
    moved: bool = False
    """The agent's working directory was another one afterwards."""
    options: tuple[str, str] = ("", "")
    """SHELLOPTS before and after."""
    text: str | None = field(default=None, repr=False)
    """Of the configuration file."""


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """A rig whose flight sheet was taken away, and that got another one."""

    steps: tuple[Configured, ...]
    """With the first flight sheet, without one, with another."""
    start: Start | None
    """None if it did not come to that."""


@dataclass(frozen=True, slots=True)
class Look:
    """One time that h-stats.sh was sourced."""

    situation: str
    figures: Figures | None
    """What the miner said; None if it said nothing."""
    took_s: float
    through: bool
    """The agent's shell got to the end of it."""
    ended: int | None
    """Exit status of the agent's shell; None if it lived on."""
    khs: str | None
    """None if it was not set."""
    stats: str | None = field(repr=False)

    @property
    def is_wrong(self) -> bool:
        """Whether no further look is needed."""
        return not self.through or (
            self.figures is not None and find_mismatch(self.figures, self.khs, self.stats) is not None
        )


@dataclass(frozen=True, slots=True)
class Watched:
    """What the agent sees of a miner."""

    start: Start
    looks: tuple[Look, ...]
    port: int | None = None
    """To which the API was moved; None if it was left where it was, or could not be moved."""
    asked: int = 0
    """How often the miner's figures were asked for there."""
