"""Runs inside the sandbox as the rig: plays the agent with a package, starts and stops its miner, reports what it saw.

Whatever comes from the package runs in processes of its own. They hold no descriptor of the channel and, as this process
is not dumpable, cannot look into it or write to it; what is said of processes is read from /proc here.
"""

# Descriptors and processes are what this is about; pathlib hides the ones, and whatever is started is untrusted.
# ruff: noqa: PTH103, PTH108, PTH118, PTH123, S603

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from processes import MINER_FLAGS, below, describe_miner, is_miner  # type: ignore[import-not-found] # they lie beside this file, inside
from shell import Agent  # type: ignore[import-not-found]

CHANNEL = 3
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
MAX_CONFIG_BYTES = 256 * 1024
LOOK_S = 0.004
MANIFEST = ("CUSTOM_NAME", "CUSTOM_VERSION", "CUSTOM_CONFIG_FILENAME", "CUSTOM_LOG_BASENAME", "CUSTOM_API_PORT")


class Rig:
    """One rig with one package."""

    def __init__(self, trusted: str, status: int) -> None:
        self._folder = os.path.join(os.environ["MINER_DIR"], os.environ["CUSTOM_MINER"])
        self._miner = os.path.join(self._folder, "ethminer")
        self._trusted = trusted
        self._agent: Agent | None = None
        self._run: subprocess.Popen[bytes] | None = None
        self._config = ""
        with open(os.path.join(trusted, "miner.py")) as source:
            text = source.read().replace("STATUS = 0", f"STATUS = {status}")
        os.makedirs(self._folder, exist_ok=True)
        with open(self._miner, "w") as file:
            file.write(f"#!{sys.executable} {MINER_FLAGS}\n{text}")
        os.chmod(self._miner, 0o755)  # noqa: PTH101, S103 - a program

    def manifest(self) -> dict[str, Any]:
        """Source h-manifest.conf in a clean bash somewhere else; return what it set, None if bash did not get there."""
        path = os.path.join(self._folder, "h-manifest.conf")
        tell = " ".join(f'"${{{name}-}}"' for name in MANIFEST)
        script = f". \"$1\" >/dev/null; builtin printf '%s\\0' {tell}"
        env = {name: os.environ[name] for name in ("PATH", "HOME", "MINER_DIR", "CUSTOM_MINER")}
        bash = ["bash", "--noprofile", "--norc", "-c", script, "bash", path]
        try:
            said = subprocess.run(
                bash, env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=10, check=False
            ).stdout
        except subprocess.TimeoutExpired:
            said = b""
        values = [_text(value) for value in said.split(b"\0")[:-1]]
        whole = len(values) == len(MANIFEST)
        return {"variables": dict(zip(MANIFEST, values, strict=True)) if whole else None}

    def agent(self, in_package: bool) -> dict[str, Any]:  # noqa: FBT001 - from JSON
        """Start the agent's shell, its working directory being the package's or another one."""
        elsewhere = os.path.join(os.environ["MINER_DIR"], "agent")
        os.makedirs(elsewhere, exist_ok=True)
        self._agent = Agent(os.path.join(self._trusted, "agent.sh"), self._folder if in_package else elsewhere)
        return {}

    def config(self, flight: list[str], limit_s: float) -> dict[str, Any]:
        """Have h-config.sh sourced; say what became of the shell and of the configuration file."""
        assert self._agent is not None
        told: dict[str, Any] = self._agent.ask("config", flight, limit_s)
        fields = told.pop("fields", None)
        if fields is not None:
            told["options_before"] = fields[0]
            self._config = fields[1]
            told["file"] = _read_file(fields[1])
        return told

    def stats(self, limit_s: float) -> dict[str, Any]:
        """Have h-stats.sh sourced; return the two variables, None for one that is not set."""
        assert self._agent is not None
        told: dict[str, Any] = self._agent.ask("stats", [], limit_s)
        fields = told.pop("fields", None)
        if fields is not None:
            told["khs"] = fields[1] if fields[0] else None
            told["stats"] = fields[3] if fields[2] else None
        return told

    def start(self, env: dict[str, str], limit_s: float) -> dict[str, Any]:
        """Execute h-run.sh as the rig does, and wait until a miner runs or none can come any more."""
        bash = ["bash", "--noprofile", "--norc", "-c", "exec ./h-run.sh"]
        before = set(self._strangers())
        try:
            self._run = run = subprocess.Popen(
                bash, env={**os.environ, **env}, cwd=self._folder, stdin=subprocess.DEVNULL, start_new_session=True
            )
        except OSError:  # the package's folder is gone, or no process can be had any more
            return {"pid": 0, "ended": None, "miners": []}

        def settled() -> bool:
            return bool(self._miners()) or (run.poll() is not None and before.issuperset(self._strangers()))

        _wait(settled, limit_s)
        return {"pid": run.pid, "ended": run.poll(), "miners": [describe_miner(pid) for pid in self._miners()]}

    def stop(self, limit_s: float) -> dict[str, Any]:
        """Send SIGTERM to the process that was started as h-run.sh; return how it ended and whether a miner is left."""
        run = self._run
        assert run is not None
        run.terminate()
        ended = _wait(lambda: run.poll() is not None, limit_s)
        return {"status": run.poll() if ended else None, "miners_left": len(self._miners())}

    def clear(self) -> dict[str, Any]:
        """Kill what h-run.sh and its like have started, and remove the configuration; the agent's shell stays."""

        def gone() -> bool:
            strangers = self._strangers()
            for pid in strangers:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if self._run is not None:
                self._run.poll()
            return not strangers

        with suppress(OSError, ValueError):
            os.unlink(self._config)
        return {"gone": _wait(gone, 5.0)}

    def _strangers(self) -> list[int]:
        """Return the living processes below this one, without the agent's shell."""
        mine = None if self._agent is None else self._agent.pid
        return [pid for pid in below(os.getpid()) if pid != mine]

    def _miners(self) -> list[int]:
        return [pid for pid in self._strangers() if is_miner(pid, self._miner)]


def _read_file(path: str) -> str | None:
    """Return the text of a plain file of moderate size, None if there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(fd, "rb", buffering=0) as file:
            return _text(file.read(MAX_CONFIG_BYTES) or b"")
    except (OSError, ValueError):
        return None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _wait(done: Callable[[], bool], limit_s: float) -> bool:
    until_s = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > until_s:
            return False
        time.sleep(LOOK_S)
    return True


def main(trusted: str, status: int) -> None:
    """Make the rig and let the judge command it."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.set_inheritable(CHANNEL, False)  # noqa: FBT003 - the only way to say it
    with open(CHANNEL, "r+b", buffering=0) as channel:
        lines = iter(channel.readline, b"")
        _say(channel, {"miner_dir": os.environ["MINER_DIR"]})  # what goes wrong from here on is the package's doing
        obey(channel, lines, Rig(trusted, status))


def obey(channel: Any, lines: Iterator[bytes], rig: Rig) -> None:
    """Carry out commands, one JSON line after the other, and answer each."""
    verbs: dict[str, Callable[..., dict[str, Any]]] = {
        "manifest": rig.manifest,
        "agent": rig.agent,
        "config": rig.config,
        "stats": rig.stats,
        "start": rig.start,
        "stop": rig.stop,
        "clear": rig.clear,
    }
    for line in lines:
        verb, *arguments = json.loads(line)
        _say(channel, verbs[verb](*arguments))


def _say(channel: Any, value: dict[str, Any]) -> None:
    data = json.dumps(value).encode() + b"\n"
    while data:
        data = data[channel.write(data) :]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
