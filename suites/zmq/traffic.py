"""What bitcoind would publish: random hashes, and counters that are awkward on purpose."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

COUNTERS = 2**32


@dataclass(frozen=True, slots=True)
class Message:
    """A message as bitcoind means it, and as the callback has to get it."""

    topic: str
    hash_hex: str
    """64 lower-case hex digits, in the order of `bitcoin-cli` and of the bytes on the wire."""
    sequence: int
    """0 .. 2^32 - 1, per topic."""

    def __str__(self) -> str:
        return f"{self.topic} {self.hash_hex} {self.sequence}"

    @property
    def wire(self) -> tuple[str, str, str]:
        """Topic, body in hex, counter in hex: the three frames."""
        return self.topic, self.hash_hex, self.sequence.to_bytes(4, "little").hex()


class Traffic:
    """An endless stream of messages; one topic's counter turns over, the others' leave valid UTF-8."""

    def __init__(self, rng: random.Random, topics: tuple[str, ...]) -> None:
        self._messages = _messages(rng, topics)

    def take(self, count: int) -> tuple[Message, ...]:
        """Return the next `count` messages."""
        return tuple(islice(self._messages, count))


def _messages(rng: random.Random, topics: tuple[str, ...]) -> Iterator[Message]:
    wrapping = rng.choice(topics)
    # Little-endian bytes: all below 0x80 is valid UTF-8 until the lowest one reaches 0x80 a few messages later.
    counters = {
        topic: int.from_bytes(bytes([0x7C, *(rng.randrange(0x80) for _ in range(3))]), "little") for topic in topics
    }
    counters[wrapping] = COUNTERS - rng.randint(2, 4)
    while True:
        for topic in rng.sample(topics, len(topics)):
            yield Message(topic, rng.randbytes(32).hex(), counters[topic])
            lost = rng.random() < 0.1  # bitcoind counts messages that the network then loses
            counters[topic] = (counters[topic] + (rng.randint(2, 9) if lost else 1)) % COUNTERS
