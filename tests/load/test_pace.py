"""Users who wait, and arrivals that do not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from pytest_llmbench.load.pace import closed_loop, open_loop


class Server:
    """Answers in the order in which it is told to; notes how many questions were open at once."""

    def __init__(self) -> None:
        self.open = self.most_open = 0
        self.asked: list[int] = []
        self._gate = asyncio.Event()

    async def ask(self, question: int) -> int:
        self.asked.append(question)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        for _ in range(question % 3 + 1):  # some take longer
            await asyncio.sleep(0)
        self.open -= 1
        return 10 * question

    async def ask_and_wait(self, question: int) -> int:
        self.asked.append(question)
        if len(self.asked) == 5:
            self._gate.set()
        await self._gate.wait()
        return question


@pytest.mark.parametrize(("questions", "users"), [(7, 3), (2, 8), (1, 1), (0, 4)])
def test_as_many_in_flight_as_users_and_answers_in_order(questions: int, users: int) -> None:
    async def run() -> tuple[Server, Sequence[int]]:
        server = Server()
        return server, await closed_loop(server.ask, range(questions), users)

    server, answers = asyncio.run(run())
    assert list(answers) == [10 * number for number in range(questions)]
    assert server.most_open == min(questions, users)
    assert server.asked[:users] == list(range(min(questions, users)))


def test_arrivals_wait_for_nobody() -> None:
    async def run() -> Sequence[int]:
        # No answer comes before the last question was asked: a closed loop would never end.
        return await asyncio.wait_for(open_loop(Server().ask_and_wait, range(5), [0.0, 0.0, 0.01, 0.01, 0.02]), 20)

    assert list(asyncio.run(run())) == [0, 1, 2, 3, 4]


def test_what_one_question_raises_ends_the_round() -> None:
    async def refuse(question: int) -> int:
        if question == 2:
            raise LookupError("no such question")
        return question

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(closed_loop(refuse, range(5), 2))
    assert raised.group_contains(LookupError)
