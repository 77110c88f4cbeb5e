"""Sentences and functions with slots: the kinds of text in prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of text; servers that guess ahead are right more often in one than in another."""

    opening: str
    """First line; `{opening}` is what no other prompt begins with."""
    templates: tuple[str, ...]
    """Each with its own line break or space at the end."""
    short: str
    """One more, of a few words: it fills up what has no room for another of the former."""
    task: str
    """What the model is asked to do with it, at the end."""


_PROSE = (
    "The {adjective} {noun} {verb} the {noun} {time}. ",
    "{name} {verb} a {adjective} {noun}, but the {noun} was {place}. ",
    "Nobody {verb} the {noun} until {name} asked about the {adjective} {noun}. ",
    "When the {noun} returned, {name} {verb} every {noun} that was still {adjective}. ",
    "{time}, the {noun} stood {place}, and a {noun} {verb} it. ",
    "It was a {adjective} {noun}; even {name} had never seen such a {noun}. ",
    "Behind the {noun} there was a {noun}, {adjective} and {adjective}, which {name} {verb}. ",
    "“Who {verb} my {noun}?” asked {name}, and the {noun} looked {place}. ",
    "Between the {noun} and the {noun}, somebody {verb} {digit} pieces of {noun}. ",
    "{name} and {name} {verb} the {noun} together, although it was {adjective}. ",
    "If the {noun} had been less {adjective}, the {noun} would have stayed {place}. ",
    "At the end of the {noun}, {name} {time} {verb} the {adjective} {noun}.\n\n",
)
_CODE = (
    """\
def {action}_{noun}({thing}, {thing}_{digit}):
    {noun} = {action}({thing}_{digit})
    if {noun} is None:
        raise ValueError("no {adjective} {noun}")
    return {thing}[{noun}]


""",
    """\
class {name}:
    def __init__(self, {thing}, {noun}={digit}):
        self.{thing} = {thing}
        self.{noun} = {noun}

    def {action}(self):
        return self.{noun}.{action}(self.{thing})


""",
    """\
for {thing} in {noun}.{action}():
    with {action}_{thing}({thing}) as {noun}:
        {noun}.{verb} += {digit}  # the {adjective} {noun}

""",
    """\
{noun} = [{action}({thing}) for {thing} in {noun}_{thing} if {thing} > {digit}]
assert len({noun}) < {digit}, {noun}

""",
    """\
try:
    {thing} = {action}({noun})
except KeyError as error:
    log.warning("%s was {adjective}", error)
else:
    {noun}.{action}({thing}, {thing}={digit})

""",
)
_WORDS = (
    "{noun} {verb} {adjective} {noun} {place} {noun} {time} {verb} {noun} {adjective} {noun} {thing} {action} ",
    "{adjective} {noun} {noun} {time} {verb} {thing} {noun} {place} {adjective} {action} {noun} {verb} {noun} ",
)

KINDS: Mapping[str, Kind] = {
    "prose": Kind(
        "{opening}. ", _PROSE, "{name} {verb} a {noun}. ", "\n\nContinue this text in the same manner, at length."
    ),
    "code": Kind(
        "# {opening}\n\n",
        _CODE,
        "{noun} = {action}({thing})\n",
        "\n\nWrite further code that belongs to this module, without explanations.",
    ),
    "words": Kind("{opening} ", _WORDS, "{noun} {verb} ", "\n\nWrite a list of words that are not in the text above."),
}
"""By name. `words` has no grammar that could be guessed."""
