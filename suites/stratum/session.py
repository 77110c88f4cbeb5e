"""One server of the candidate's between a node and miners of ours."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pytest_llmbench import AnswerFault, Candidate, GraderError, Job, Limits

from .miner import Miner
from .templates import Template
from .watch import DEADLINE_S, LOG_FILE, SHARE_LOG, TURN_S, Watch

HERE = Path(__file__).parent
BEGIN_S = 3.0
"""How long the first miner waits until the server has asked the node for work; it may also ask when he has come."""


class Session(Watch):
    """A started server, and what can be done to it."""

    def __init__(self, candidate: Candidate, template: Template, difficulty: Fraction) -> None:
        self.rng = candidate.rng
        self.difficulty = difficulty
        self._names = 0
        self._has_begun = False
        process = candidate.start(
            Job(
                ("{python}", "-I", "{trusted}/starter.py"),
                {name: text.encode() for name, text in candidate.files.items()},
                trusted={"starter.py": (HERE / "starter.py").read_bytes()},
                env={"PYTHONUNBUFFERED": "1"},
                limits=Limits(wall_s=10 * DEADLINE_S, processes=256, open_files=512),
            )
        )
        super().__init__(process, process.drive(HERE / "fake_node.py"), process.drive(HERE / "miners.py"))
        self._network.send(["port"])
        self.give(template)
        try:
            ready = self.wait(lambda: self.port > 0 and self.node_port > 0)
        except AnswerFault as error:  # not a line of the candidate's has run yet
            raise GraderError(f"the stratum judge did not start: {error}") from error
        if not ready:
            raise GraderError("the stratum judge's node and miners did not start")
        self.process.send(json.dumps(self._config()).encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close()

    def _config(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "node_url": f"http://127.0.0.1:{self.node_port}/",
            "difficulty": float(self.difficulty),
            "payout_script": f"76a914{self.rng.randbytes(20).hex()}88ac",
            "share_log": SHARE_LOG,
            "log_file": LOG_FILE,
        }

    # The node

    def give(self, template: Template) -> None:
        """Let the node have a new template."""
        self._node.send(["template", template.rpc])

    def hold(self) -> None:
        """Let the node think over each `submitblock` from now on."""
        self._node.send(["hold"])
        if not self.wait(lambda: self.is_holding):
            raise GraderError("the stratum judge's node does not answer")

    def release(self) -> None:
        """Let it answer."""
        self._node.send(["release"])

    # The miners

    def connect(self, *, stuck: bool = False) -> Miner:
        """Connect a miner; it says nothing yet.

        Raises:
            AnswerFault: nobody listens.
        """
        return self._connect(1, stuck=stuck)[0]

    def join(self, *workers: str) -> Miner:
        """Connect a miner that subscribes, has its workers authorised, and gets its first job."""
        return self.join_together([workers])[0]

    def join_together(self, workers: Sequence[Sequence[str]]) -> list[Miner]:
        """Do the same with several at a time, each with its workers."""
        miners = self._connect(len(workers))
        if not self._has_begun:  # who comes before the first template is no check's business
            self._has_begun = True
            self.wait(lambda: self.has_served, BEGIN_S)
            self.settle()
        for miner, of_miner in zip(miners, workers, strict=True):
            miner.introduce(of_miner)
        self.require(
            lambda: all(miner.gone or miner.is_ready for miner in miners),
            "a miner that subscribed and authorised got no work",
        )
        if any(miner.gone for miner in miners):
            raise AnswerFault("the server closed the connection of a miner that subscribed and authorised")
        return miners

    def _connect(self, count: int, *, stuck: bool = False) -> list[Miner]:
        miners = []
        for _ in range(count):
            self._names += 1
            name = str(self._names)
            self.miners[name] = Miner(name, partial(self._write, name))
            self._network.send(["connect", name, self.port, stuck])
            miners.append(self.miners[name])
        self.require(
            lambda: all(miner.name in self.connected for miner in miners), "nobody accepted a miner's connection"
        )
        return miners

    def leave(self, miner: Miner, *, abort: bool) -> None:
        """Close a miner's connection, with a reset or with a goodbye; it is not heard of again."""
        self._network.send(["close", miner.name, abort])
        self.miners.pop(miner.name)

    def await_unsent(self, miner: Miner) -> int:
        """Return how many bytes of a miner's the server did not take yet."""
        self.unsent.pop(miner.name, None)
        self._network.send(["unsent", miner.name])
        self.wait(lambda: miner.name in self.unsent)
        return self.unsent.get(miner.name, 0)

    def await_census(self, connections: int) -> int:
        """Wait until the server holds no more than so many connections; return how many it holds in the end."""
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            self.held_connections = None
            self._network.send(["census", self.port])
            if not self.wait(lambda: self.held_connections is not None):
                raise GraderError("the stratum judge's miners do not answer")
            held = self.held_connections or 0
            if held <= connections or time.monotonic() > deadline_s:
                return held
            time.sleep(TURN_S)

    def _write(self, name: str, data: bytes) -> None:
        self._network.send(["write", name, data.decode("latin-1")])
