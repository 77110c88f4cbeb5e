"""Runs inside the sandbox: uses the candidate's `BlockNotifier` as the pool would, one command at a time.

It talks over fd 3. Commands are lines `ID VERB [ARGUMENT...]`; the first line of all is a secret in hex. Each line back
is `NUMBER TAG JSON`, where the tag is keyed with the secret, so that the candidate cannot add lines of its own.
Lines come unasked for each callback and for each new kind of socket operation; every command gets one reply.

Like the spy, it holds on to the functions that it needs before the candidate is imported. A program that goes looking
for the harness in its own process can still find it, which is why the judge sets what it hears against what it sees from
outside: connections, subscriptions, threads, the end of the process.
"""

from __future__ import annotations

import gc
import hashlib
import os
import sys
from _json import encode_basestring_ascii as quote
from _thread import RLock, get_native_id
from collections.abc import Callable
from typing import Any

from spy import Spy  # type: ignore[import-not-found] # it lies beside this file, inside

CHANNEL = 3


class Channel:
    """Commands in, tagged lines out."""

    def __init__(self) -> None:
        self._read, self._write = os.read, os.write
        self._rest = b""
        self._number = 0
        # Reentrant, as the garbage collector may close a socket in the middle of a line.
        self._lock = RLock()
        self._keyed = hashlib.blake2s(key=bytes.fromhex(self.command()[0]), digest_size=16)

    def command(self) -> list[str]:
        """Return the words of the next command; an empty list at the end."""
        while b"\n" not in self._rest:
            got = self._read(CHANNEL, 4096)
            if not got:
                return []
            self._rest += got
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode().split()

    def say(self, json: str) -> None:
        """Send one line."""
        with self._lock:
            self._number += 1
            text = b"%d " % self._number + json.encode()
            tag = self._keyed.copy()
            tag.update(text)
            number, _, body = text.partition(b" ")
            self._write(CHANNEL, b"%s %s %s\n" % (number, tag.hexdigest().encode(), body))


class Pool:
    """The user of the notifier."""

    def __init__(self, channel: Channel) -> None:
        self._say = channel.say
        spying = Spy(self._on_operation)
        spying.install()
        self._frames = spying.frames
        self._current_frames = sys._current_frames  # no candidate can take its threads off this list
        self._collect = gc.collect
        self._class: Any = None
        self._notifier: Any = None
        self._calls_until_bug = 0

    def load(self) -> None:
        """Import the candidate's module from the folder that the command line names."""
        sys.path[0] = sys.argv[1]
        from notifier import BlockNotifier  # type: ignore[import-not-found]  # noqa: PLC0415 - the candidate's

        self._class = BlockNotifier

    def make(self, endpoint: str, topics: str, bug_at: str) -> None:
        """Make a notifier; the callback raises at the call with this number, 0 for never."""
        self._calls_until_bug = int(bug_at)
        self._notifier = self._class(endpoint, self._on_message, tuple(topics.split(",")))

    def start(self) -> None:
        """Call `start()`."""
        self._notifier.start()

    def stats(self) -> None:
        """Call `stats()`."""
        self._notifier.stats()

    def stop(self) -> None:
        """Call `stop()`."""
        self._notifier.stop()

    def forget(self) -> None:
        """Let go of the notifier, as a pool does that makes another."""
        self._notifier = None
        self._collect()

    def threads(self) -> int:
        """Return how many Python threads run besides the main one."""
        return len(self._current_frames()) - 1

    def _on_message(self, topic: object, hash_hex: object, sequence: object) -> None:
        if type(topic) is str and type(hash_hex) is str and type(sequence) is int:
            call = f"[{quote(topic[:100])},{quote(hash_hex[:100])},{sequence % 2**64}]"
        else:
            call = quote(f"{type(topic).__name__}, {type(hash_hex).__name__}, {type(sequence).__name__}"[:200])
        me = get_native_id()
        self._say(f'{{"kind":"call","args":{call},"thread":{me},"frames":{self._frames.get(me, 0)}}}')
        self._calls_until_bug -= 1
        if self._calls_until_bug == 0:
            raise RuntimeError("a bug in the pool")

    def _on_operation(self, thread: int, socket: int, operation: str) -> None:
        self._say(f'{{"kind":"operation","thread":{thread},"socket":{socket},"name":"{operation}"}}')


def obey(channel: Channel) -> None:
    """Carry out commands until `finish`; then the process has to end by itself."""
    pool = Pool(channel)
    verbs: dict[str, Callable[..., None]] = {
        "load": pool.load,
        "make": pool.make,
        "start": pool.start,
        "stats": pool.stats,
        "stop": pool.stop,
        "forget": pool.forget,
    }
    channel.say(f'{{"kind":"ready","thread":{get_native_id()}}}')
    while words := channel.command():
        nonce, verb, *arguments = words
        raised = "null"
        if verb == "finish":
            channel.say(f'{{"kind":"reply","to":"{nonce}","raised":null,"threads":{pool.threads()}}}')
            return
        try:
            verbs[verb](*arguments)
        except BaseException as error:  # noqa: BLE001 - SystemExit is an observation, too
            raised = quote(_describe(error))
        channel.say(f'{{"kind":"reply","to":"{nonce}","raised":{raised},"threads":{pool.threads()}}}')


def _describe(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except Exception:  # noqa: BLE001 - the candidate's own exception may fail at this
        return "an exception that cannot be printed"


if __name__ == "__main__":
    obey(Channel())
