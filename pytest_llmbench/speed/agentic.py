"""Conversations as coding agents hold them: tools, and turns of calls and results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from pytest_llmbench.speed.prompts import Decks, opening, passage
from pytest_llmbench.speed.vocabulary import NOUNS, THINGS

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Conversation:
    """The parts of a request body that make it one of an agent."""

    messages: tuple[Json, ...]
    tools: tuple[Json, ...]

    @property
    def chars(self) -> int:
        """Length of both as JSON: what a chat template makes of them differs by model."""
        return len(json.dumps([self.messages, self.tools], ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class _Tool:
    does: str
    takes: Mapping[str, str]
    """Names of its arguments and what they are; all are strings and required."""


_TOOLS: Mapping[str, _Tool] = {
    "read_file": _Tool("Returns the text of a file.", {"path": "Path of the file, relative to the project."}),
    "write_file": _Tool(
        "Replaces a file, or makes a new one.",
        {"path": "Path of the file, relative to the project.", "text": "All that the file shall hold."},
    ),
    "list_folder": _Tool("Lists files and folders, with their sizes.", {"path": "Path of the folder."}),
    "search": _Tool(
        "Finds lines that match a regular expression.",
        {"pattern": "The expression, as Python understands it.", "path": "Folder to search, with all below it."},
    ),
    "run_command": _Tool(
        "Runs a shell command in the project and returns its output and exit status.",
        {"command": "The command line.", "timeout_s": "Seconds after which it is ended."},
    ),
    "replace_text": _Tool(
        "Replaces a passage that occurs once in a file.",
        {"path": "Path of the file.", "old": "The passage, letter by letter.", "new": "What takes its place."},
    ),
}
_SYSTEM = (
    "{opening}. You work on a software project by means of the tools. Look before you change anything, change as little"
    " as possible, and run the tests after each change. Call one tool at a time. Say in one sentence what you found."
)
_TASK = (
    "The tests of `{path}` fail since {noun} was renamed. Find out why and put it right; keep the interface as it is."
)


def conversation(seed: str, number: int, turns: int, result_chars: int) -> Conversation:
    """Return a conversation whose next turn is the model's; the tools' results are source code.

    Args:
        seed: of the run.
        number: as for `prompts.prompt`; no two conversations begin alike, whether a chat template puts the tools first
            or the messages.
        turns: calls already made and answered.
        result_chars: length of each result.
    """
    decks, begin = Decks(f"{seed}/agentic/{number}"), opening(seed, number)
    prefix = begin.lower().replace(" ", "_")
    paths = [f"{decks.draw(NOUNS)}/{decks.draw(THINGS)}.py" for _ in range(turns + 1)]
    messages: list[Json] = [
        {"role": "system", "content": _SYSTEM.format(opening=begin)},
        {"role": "user", "content": _TASK.format(path=paths[0], noun=decks.draw(NOUNS))},
    ]
    for turn, path in enumerate(paths[:turns]):
        call_id = f"call_{turn}"
        function = {"name": f"{prefix}_read_file", "arguments": json.dumps({"path": path})}
        result = passage("code", f"{seed}/agentic", number * turns + turn, result_chars)
        messages += [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": call_id, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": call_id, "content": result},
        ]
    names = Random(f"{seed}/tools/{number}").sample(sorted(_TOOLS), len(_TOOLS))  # noqa: S311 (no secret)
    return Conversation(tuple(messages), tuple(_definition(f"{prefix}_{name}", _TOOLS[name]) for name in names))


def _definition(name: str, tool: _Tool) -> Json:
    """Put it as the API wants it."""
    properties = {argument: {"type": "string", "description": about} for argument, about in tool.takes.items()}
    parameters = {"type": "object", "properties": properties, "required": list(tool.takes)}
    return {"type": "function", "function": {"name": name, "description": tool.does, "parameters": parameters}}
