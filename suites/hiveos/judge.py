"""What the PC's owner and the rig do with the package, and what is seen of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_llmbench import AnswerFault, Candidate, Driver

from .figures import Figures, draw_figures
from .flight import EMPTY, Flight, api_port_of, draw_flight, draw_word
from .observed import Configured, FirstDay, Look, Rebuilt, Reconfigured, Start, Watched
from .package import DEADLINE_S, FOLDER, SHELL_VARIABLES, Made, Rig, make

API = Path(__file__).with_name("api.py")
NORMAL_PORTS = (3333, 3334)
"""Served to any h-stats.sh where the port is not what is looked at."""
STATS_S = 9.0
"""The letter says 5 s; 4 s more are allowed, so that a loaded grader does not fail a good answer, but who waits 10 s fails."""
API_PORT_LINE = re.compile(rb"^CUSTOM_API_PORT=.*$", re.MULTILINE)


def rebuilt(candidate: Candidate) -> Rebuilt:
    """The script runs twice, with variables of a rig in the terminal; what it made is put on a rig."""
    terminal = {name: draw_word(candidate.rng) for name in SHELL_VARIABLES}
    made = make(candidate, runs=2, environment=terminal)
    with Rig(candidate, made[-1]) as rig:
        rig.boot(in_package=True)
        return Rebuilt(terminal, made, _fly(rig, draw_flight(candidate.rng, extras=1)))


def first_day(candidate: Candidate) -> FirstDay:
    """The script runs once; the rig sources the manifest, starts the miner, stops it and starts it again."""
    rng = candidate.rng
    (made,) = make(candidate)
    cards = ",".join(map(str, sorted(rng.sample(range(8), 3))))
    with Rig(candidate, made) as rig:
        variables = rig.do("manifest")["variables"]
        rig.boot(in_package=True)
        flight = draw_flight(rng, extras=3)
        start = _fly(rig, flight, CUDA_VISIBLE_DEVICES=cards)
        stop = rig.do("stop", DEADLINE_S) if start.miners else {}
        rig.do("clear")
        # The same but for the extra arguments: whether something of an old flight sheet is left is another check's.
        bare_start = _fly(rig, replace(flight, extras=())) if start.miners else start
        return FirstDay(
            made=made,
            miner_dir=rig.miner_dir,
            variables=variables,
            start=start,
            cards=cards,
            stop_status=stop.get("status"),
            miner_status=rig.miner_status,
            miners_left=stop.get("miners_left", 0),
            bare_start=bare_start,
            other_miners=rig.other_miners,
        )


def reconfigured(candidate: Candidate) -> Reconfigured:
    """The rig has a flight sheet, then none, then another; only with the last one is the miner started."""
    (made,) = make(candidate)
    steps: tuple[Configured, ...] = ()
    first, last = draw_flight(candidate.rng, extras=3), draw_flight(candidate.rng, extras=0)
    with Rig(candidate, made) as rig:
        rig.boot(in_package=False)
        for flight in (first, EMPTY, last):
            steps = (*steps, _configure(rig, flight))
            if steps[-1].late or steps[-1].ended is not None:
                return Reconfigured(steps, None)
        return Reconfigured(steps, _start(rig, steps[-1].flight))


def watched(candidate: Candidate) -> Watched:
    """The miner runs; its API answers, is gone, answers something else, falls silent, and answers again."""
    rng = candidate.rng
    (made,) = make(candidate)
    first, second, third = (draw_figures(rng, cards) for cards in rng.sample(range(1, 9), 3))
    with Rig(candidate, made) as rig:
        rig.boot(in_package=True)
        start = _fly(rig, draw_flight(rng, extras=1))
        if start.fault is not None:
            return Watched(start, ())
        rig.boot(in_package=False)
        driver = rig.process.drive(API)
        port = api_port_of(start.argv)
        ports = tuple({*NORMAL_PORTS, *(() if port is None else (port,))})
        looks: tuple[Look, ...] = ()
        for situation, figures, served in (
            ("while the miner answered", first, ports),
            ("while the miner refused connections", None, ()),
            ("when the miner answered again", second, ports),
            ("while the miner accepted connections and never answered", None, ports),
            ("when the miner had thawed", third, ports),
        ):
            _serve(driver, served, figures)
            looks = (*looks, _look(rig, situation, figures))
            if looks[-1].is_wrong:
                break
        return Watched(start, looks)


def port_changed(candidate: Candidate) -> Watched:
    """The API's port is changed in the manifest; it is served on the port that the miner was started with, and only there."""
    rng = candidate.rng
    (made,) = make(candidate)
    port = rng.randint(20_000, 30_000)
    moved = _with_api_port(made, port)
    if moved is None:
        return Watched(Start(EMPTY, 0, None, ()), ())
    figures = draw_figures(rng, rng.randint(2, 5))
    with Rig(candidate, moved) as rig:
        rig.boot(in_package=True)
        start = _fly(rig, draw_flight(rng, extras=1))
        served = api_port_of(start.argv)
        if start.fault is not None or served is None:
            return Watched(start, (), port)
        rig.boot(in_package=True)  # another shell, whatever h-config.sh did to the first one
        driver = rig.process.drive(API)
        _serve(driver, (served,), figures)
        look = _look(rig, "after the port was changed", figures)
        return Watched(start, (look,), port, asked=_serve(driver, (), None))


def _with_api_port(made: Made, port: int) -> Made | None:
    """Change the manifest as the owner's `sed` does; None if there is no line for it."""
    path = f"{FOLDER}/h-manifest.conf"
    manifest = made.files.get(path)
    content = manifest.content if manifest is not None else None
    if manifest is None or content is None:
        return made
    changed, lines = API_PORT_LINE.subn(b"CUSTOM_API_PORT=%d" % port, content)
    return replace(made, files={**made.files, path: replace(manifest, content=changed)}) if lines else None


def _fly(rig: Rig, flight: Flight, **env: str) -> Start:
    """Have the rig take up a flight sheet and start the miner."""
    configured = _configure(rig, flight)
    if configured.late or configured.ended is not None:
        raise AnswerFault(f"h-config.sh did not get through: {_end(configured.ended)}")
    return _start(rig, flight, **env)


def _start(rig: Rig, flight: Flight, **env: str) -> Start:
    seen = rig.start(**env)
    miners = tuple((miner["pid"], tuple(miner["argv"]), miner["cards"]) for miner in seen["miners"])
    return Start(flight, seen["pid"], seen["ended"], miners)


def _configure(rig: Rig, flight: Flight) -> Configured:
    seen = rig.config(flight)
    if "options" not in seen:
        return Configured(flight, seen["ended"], late=True)
    options = (seen["options_before"], seen["options"])
    return Configured(flight, seen["ended"], late=False, moved=seen["moved"], options=options, text=seen["file"])


def _look(rig: Rig, situation: str, figures: Figures | None) -> Look:
    seen = rig.do("stats", STATS_S)
    through = "options" in seen
    return Look(situation, figures, seen["took_s"], through, seen["ended"], seen.get("khs"), seen.get("stats"))


def _serve(driver: Driver, ports: tuple[int, ...], figures: Figures | None) -> int:
    """Change what the API does; return how often its figures were asked for since the last change."""
    driver.send([list(ports), None if figures is None else figures.results])
    seen: dict[str, Any] = driver.receive(2 * DEADLINE_S)
    if seen["taken"]:
        raise AnswerFault(f"something of the package itself listens on the API's port {seen['taken'][0]}")
    return int(seen["asked"])


def _end(status: int | None) -> str:
    return (
        f"it took longer than {DEADLINE_S:g} s" if status is None else f"the agent's shell ended with status {status}"
    )
