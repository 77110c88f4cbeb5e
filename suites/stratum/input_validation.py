"""Some clients send rubbish, vanish or stop reading, while an honest miner mines on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_llmbench import AnswerFault, Candidate

from .info_leak import EVERY_HASH_WILL_DO
from .miner import Miner, Share
from .rubbish import all_rubbish, every_kind
from .session import Session
from .templates import Template, draw_template, refreshed
from .wire import parse_line

HONEST = "honest.1"
AT_A_TIME = 12
"""So many rude clients, then the honest miner has his turn."""
REPLIES_UNREAD = 1500
"""Of each kind of request of the miner that never reads: a hundred kilobytes of answers at least, mostly two million."""
NO_PROGRESS_TURNS = 20
"""So many looks without a byte taken: the server has stopped reading from the miner that does not read either."""
LOOK_S = 0.02
REFRESHES = 20
TRACEBACK = b"Traceback (most recent call last)"


@dataclass(frozen=True, slots=True)
class RudeClients:
    """Everything up to the first surprise."""

    clients: int
    shares: int
    """Of the honest miner, credited."""
    surprise: str | None
    """What should not have been, in words."""


def rude_clients(candidate: Candidate) -> RudeClients:
    """Send every kind of rubbish from a connection of its own; then one miner stops reading."""
    template = draw_template(candidate.rng, 6)
    with Session(candidate, template, EVERY_HASH_WILL_DO) as session:
        return _Afternoon(session, template).spent()


class _Surprise(Exception):
    """Ends the scenario, and never leaves it."""


class _Afternoon:
    """The honest miner and the others."""

    def __init__(self, session: Session, template: Template) -> None:
        self._session, self._template = session, template
        self._honest = session.join(HONEST)
        self._clients = 0
        self._credited: Counter[str] = Counter()

    def spent(self) -> RudeClients:
        """Go through all of it."""
        surprise = None
        try:
            self._mine("before anybody else came")
            kinds = every_kind(self._session.rng)
            for at in range(0, len(kinds), AT_A_TIME):
                self._suffer(kinds[at : at + AT_A_TIME])
                self._mine(f"after clients had sent {'; '.join(kinds[at : at + AT_A_TIME])}")
            self._suffer_hit_and_run()
            self._mine("after clients had vanished in the middle of a line")
            self._look_round("that sent rubbish")
            self._suffer_deafness()
            self._look_round("that stopped reading")
        except _Surprise as seen:
            surprise = str(seen)
        return RudeClients(self._clients, self._credited[HONEST], surprise)

    def _mine(self, when: str) -> None:
        numbers = self._honest.submit([self._draw_share(self._honest, HONEST)])
        self._session.wait(lambda: self._honest.gone or self._honest.answered(numbers))
        if not self._honest.answered(numbers):
            how = "was disconnected" if self._honest.gone else "got no answer to a good share"
            raise _Surprise(f"{when}, another miner {how}")
        if not self._honest.replies[numbers[0]].accepted:
            raise _Surprise(f"{when}, another miner's good share got {self._honest.replies[numbers[0]]}")
        self._credited[HONEST] += 1

    def _suffer(self, kinds: Sequence[str]) -> None:
        """Let a client send each kind of rubbish, and a good share after it."""
        workers = [f"rude.{self._clients + at}" for at in range(len(kinds))]
        clients = self._session.join_together([[worker] for worker in workers])
        self._clients += len(clients)
        sent = [self._send(client, worker, what) for client, worker, what in zip(clients, workers, kinds, strict=True)]
        pending = [(client, [after]) for client, (_, after) in zip(clients, sent, strict=True)]
        self._session.wait(lambda: all(client.gone or client.answered(after) for client, after in pending))
        for client, worker, what, (rubbish, after) in zip(clients, workers, kinds, sent, strict=True):
            if rubbish is not None and client.accepted([rubbish])[0]:
                raise _Surprise(f"a share with rubbish in it was credited: {what}")
            if not (client.gone or client.answered([after])):
                raise _Surprise(
                    f"a client that sent {what} got no answer to its next request, and was not disconnected"
                )
            if client.answered([after]) and not client.accepted([after])[0]:
                raise _Surprise(f"after {what} a good share on the same connection got {client.replies[after]}")
            self._credited[worker] += client.accepted([after])[0]
            self._session.leave(client, abort=self._session.rng.random() < 0.5)

    def _send(self, client: Miner, worker: str, what: str) -> tuple[int | None, int]:
        """Return the ids of the rubbish, if it has one, and of the good share."""
        good = self._draw_share(client, worker).params
        rubbish = next(rubbish for rubbish in all_rubbish(client.reserve_id(), good) if rubbish.what == what)
        client.say(rubbish.data if rubbish.data.endswith(b"\n") else rubbish.data + b"\n")
        return rubbish.number, client.submit([self._draw_share(client, worker)])[0]

    def _suffer_hit_and_run(self) -> None:
        """Let clients vanish at once, in the middle of a line, or before their answer."""
        for turn in range(12):
            client = self._session.connect()
            self._clients += 1
            for part in (b'{"id": 1, "method": "mining.subscribe", "params": []}\n', b'{"id": 2, "meth')[: turn % 3]:
                client.say(part)
            self._session.leave(client, abort=turn % 2 == 0)

    def _suffer_deafness(self) -> None:
        """Let a miner ask and ask and never read, until the server's end of the connection is full; then give out work."""
        deaf = self._session.connect(stuck=True)
        self._clients += 1
        deaf.introduce(["deaf.1"])
        deaf.ask_all([("mining.subscribe", ["testminer/1.0"]), ("mining.authorize", ["deaf.1", "x"])] * REPLIES_UNREAD)
        seen = [self._session.await_unsent(deaf)]
        while seen[-1] and not deaf.gone and seen[-NO_PROGRESS_TURNS:].count(seen[-1]) < NO_PROGRESS_TURNS:
            self._session.wait(lambda: deaf.gone, LOOK_S)
            seen.append(self._session.await_unsent(deaf))
        for _ in range(REFRESHES):
            self._template = refreshed(self._session.rng, self._template)
            self._session.give(self._template)
            self._session.wait(self._has_new_work)
            if not self._has_new_work():
                raise _Surprise("while one miner did not read what it was sent, another one got no new work")
            self._mine("while one miner did not read what it was sent")
        self._session.leave(deaf, abort=False)

    def _has_new_work(self) -> bool:
        return self._honest.gone or self._honest.notify_of(self._template.curtime) is not None

    def _look_round(self, which: str) -> None:
        """See what the clients have left behind."""
        held = self._session.await_census(1)
        if held > 1:
            raise _Surprise(f"the server holds {held - 1} connections of clients {which} and have gone")
        if held < 1 or self._honest.gone:
            raise _Surprise(f"a miner was disconnected although only other clients {which}")
        written = self._session.written()
        for place, text in written.places:
            if TRACEBACK in text:
                raise _Surprise(f"after clients {which} there is a traceback in {place}: {_last_line(text)}")
        self._audit(written.share_log)

    def _audit(self, share_log: bytes) -> None:
        """Hold the share log against the answers."""
        paid: Counter[str] = Counter()
        for line in share_log.splitlines():
            worker = _worker_of(line)
            if worker is None:
                raise _Surprise(f"the share log holds a line that is none of its own: {line[:100]!a}")
            paid[worker] += 1
        for worker, credited in self._credited.items():
            # A server that had closed the connection may have taken the good share after the rubbish all the same.
            if not credited <= paid.pop(worker, 0) <= max(credited, 1):
                raise _Surprise(
                    f"worker {worker} was told of {credited} credited shares, but that is not in the share log"
                )
        if paid:
            raise _Surprise(f"the share log credits {min(paid)!a}, who has sent no good share")

    def _draw_share(self, miner: Miner, worker: str) -> Share:
        rng = self._session.rng
        notify = miner.notify_of(self._template.curtime)
        if notify is None:
            raise AnswerFault("a miner was not given the work of the newest template")
        extranonce2 = rng.randbytes(miner.extranonce2_bytes)
        ntime = self._template.curtime + rng.randrange(600)
        return Share(worker, notify.job_id, extranonce2, ntime, rng.randrange(2**32))


def _worker_of(line: bytes) -> str | None:
    message = parse_line(line)
    worker = message.get("worker") if message is not None else None
    return worker if isinstance(worker, str) else None


def _last_line(text: bytes) -> str:
    """Return the line that the last traceback ends with."""
    lines = text[text.rfind(TRACEBACK) :].decode("utf-8", "replace").splitlines()[1:]
    return ascii(next((line for line in lines if not line.startswith(" ")), "")[:200])
