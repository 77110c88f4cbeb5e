"""When requests go out: users who wait for their answer (closed loop), or arrivals that wait for nobody (open loop)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


async def closed_loop(ask: Callable[[Q], Awaitable[A]], questions: Sequence[Q], users: int) -> tuple[A, ...]:
    """Let so many users ask one question after the other until all are asked; return the answers in their order."""
    answers: dict[int, A] = {}
    waiting = iter(enumerate(questions))

    async def user() -> None:
        for number, question in waiting:
            answers[number] = await ask(question)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(users, len(questions))):
            group.create_task(user())
    return tuple(answers[number] for number in range(len(questions)))


async def open_loop(ask: Callable[[Q], Awaitable[A]], questions: Sequence[Q], at_s: Sequence[float]) -> tuple[A, ...]:
    """Ask each question at its time in seconds from now, whatever became of the others; return the answers in their order."""
    began_s = time.monotonic()

    async def arrive(question: Q, due_s: float) -> A:
        await asyncio.sleep(max(0.0, began_s + due_s - time.monotonic()))
        return await ask(question)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(arrive(*pair)) for pair in zip(questions, at_s, strict=True)]
    return tuple(task.result() for task in tasks)
