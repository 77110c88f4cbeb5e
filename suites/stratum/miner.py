"""A miner of ours: what it says, and what it was told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_llmbench import AnswerFault

from .wire import Notify, Reply, parse_difficulty, parse_line, parse_notify, parse_subscription

MAX_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Share:
    """What a miner submits."""

    worker: str
    job_id: str
    extranonce2: bytes
    ntime: int
    nonce: int

    @property
    def params(self) -> list[str]:
        """The params of `mining.submit`."""
        return [self.worker, self.job_id, self.extranonce2.hex(), f"{self.ntime:08x}", f"{self.nonce:08x}"]


class Miner:
    """One connection of ours."""

    def __init__(self, name: str, write: Callable[[bytes], None]) -> None:
        self.name = name
        self.gone = False
        """Whether the server has closed."""
        self.heard: list[bytes] = []
        """Every line that came."""
        self.replies: dict[int, Reply] = {}
        self.notifies: list[Notify] = []
        self.difficulty: Fraction | None = None
        self.extranonce1 = b""
        self.extranonce2_bytes = 0
        self._write = write
        self._rest = bytearray()
        self._next_id = 1
        self._subscription = 0
        self._authorisations: list[int] = []

    @property
    def is_ready(self) -> bool:
        """Whether it has everything that it needs for mining."""
        authorised = [self.replies.get(number) for number in self._authorisations]
        return bool(self.extranonce2_bytes and self.notifies and all(authorised))

    def introduce(self, workers: Sequence[str]) -> None:
        """Subscribe and ask for the workers' authorisation."""
        self._subscription = self.ask("mining.subscribe", ["testminer/1.0"])
        self._authorisations += [self.ask("mining.authorize", [worker, "x"]) for worker in workers]

    def ask(self, method: str, params: Sequence[object]) -> int:
        """Send a request; return its id."""
        return self.ask_all([(method, params)])[0]

    def submit(self, shares: Sequence[Share]) -> list[int]:
        """Send shares in one go; return the ids of the requests."""
        return self.ask_all([("mining.submit", share.params) for share in shares])

    def ask_all(self, requests: Sequence[tuple[str, Sequence[object]]]) -> list[int]:
        """Send requests in one go; return their ids."""
        numbers = [self.reserve_id() for _ in requests]
        lines = [
            json.dumps({"id": number, "method": method, "params": params})
            for number, (method, params) in zip(numbers, requests, strict=True)
        ]
        self.say("".join(f"{line}\n" for line in lines).encode())
        return numbers

    def reserve_id(self) -> int:
        """Return an id that a reply will be told by."""
        self._next_id += 1
        return self._next_id - 1

    def say(self, data: bytes) -> None:
        """Send bytes."""
        self._write(data)

    def answered(self, numbers: Sequence[int]) -> bool:
        """Whether all these requests have their replies."""
        return all(number in self.replies for number in numbers)

    def accepted(self, numbers: Sequence[int]) -> list[bool]:
        """Return for each of these requests whether its share was credited."""
        return [number in self.replies and self.replies[number].accepted for number in numbers]

    def notify_of(self, curtime: int) -> Notify | None:
        """Return the first work that was made from the template with this time."""
        return next((notify for notify in self.notifies if notify.is_of(curtime)), None)

    def hear(self, data: bytes) -> None:
        """Take bytes that came.

        Raises:
            AnswerFault: no miner would understand them.
        """
        self._rest += data
        *lines, rest = bytes(self._rest).split(b"\n")
        self._rest[:] = rest
        if len(rest) > MAX_LINE_BYTES:
            raise AnswerFault(f"the server sent a line of more than {MAX_LINE_BYTES} bytes")
        for line in filter(bytes.strip, lines):
            self._take(line)

    def _take(self, line: bytes) -> None:
        self.heard.append(line)
        message = parse_line(line)
        if message is None:
            raise AnswerFault(f"the server sent a miner a line that is no JSON object: {line[:200]!a}")
        number = message.get("id")
        if message.get("method") == "mining.notify":
            self.notifies.append(parse_notify(message.get("params")))
        elif message.get("method") == "mining.set_difficulty":
            self.difficulty = parse_difficulty(message.get("params"))
        elif "method" not in message and type(number) is int and 0 < number < self._next_id:
            self.replies.setdefault(number, Reply(message.get("result"), message.get("error")))
            if number == self._subscription:
                self.extranonce1, self.extranonce2_bytes = parse_subscription(self.replies[number].result)
