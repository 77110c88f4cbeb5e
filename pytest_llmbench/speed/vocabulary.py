"""The words that prompts are made of: common ones, so that tokenisers of all kinds cut them alike."""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NOUNS = _words(
    """
    harbour engine garden letter window market bridge teacher captain village machine kettle doctor lantern forest
    station picture mirror basket ladder winter doorway journey orchard hammer clock sailor kitchen mountain river
    tunnel library cottage candle blanket meadow saddle bottle ticket pocket carpet chimney wagon needle ribbon
    island valley rooster painter farmer builder driver dancer soldier merchant neighbour stranger daughter brother
    cousin uncle butcher baker judge student nurse pilot shepherd rabbit horse falcon salmon beetle spider turtle
    apple walnut onion pepper honey butter cheese sugar coffee paper copper silver timber cotton leather granite
    thunder shadow silence morning harvest question promise secret rumour answer mistake reason quarrel bargain
    accident ceremony concert festival election weather distance medicine language history
    """
)
ADJECTIVES = _words(
    """
    quiet heavy narrow bright hollow gentle bitter sudden distant broken careful clever crooked curious empty faded
    frozen golden hidden honest hungry idle lonely muddy patient plain polite proud rough rusty sharp shallow silent
    simple slender smooth stubborn tired uneven usual wooden yellow ancient brave calm dusty early foreign grey
    """
)
VERBS = _words(
    """
    carried followed repaired noticed opened painted measured borrowed counted collected covered crossed delivered
    described divided emptied expected finished forgot gathered guarded helped ignored inspected kept lifted locked
    mended missed moved offered ordered passed planted praised pulled pushed reached remembered replaced returned
    searched shared sold studied touched trusted visited wanted warned washed watched weighed
    """
)
PLACES = _words(
    """
    upstairs downstairs outside indoors nearby underground abroad uphill downstream ashore overhead alongside behind
    beneath elsewhere homeward inland northward southward aboard
    """
)
TIMES = _words(
    """
    yesterday tomorrow tonight often seldom twice again later soon once before afterwards always lately daily weekly
    meanwhile finally usually already
    """
)
NAMES = _words(
    """
    Anna Boris Clara David Elena Felix Greta Henry Irene Jonas Karin Lucas Maria Nora Oscar Paula Robert Sofia Thomas
    Victor
    """
)
ACTIONS = _words(
    """
    load store parse check merge split count filter update remove insert build render resolve collect append convert
    validate compute select assign reset encode decode
    """
)
THINGS = _words(
    """
    index buffer record token header queue node table field entry cursor offset limit packet session cache result
    option folder message value number column region
    """
)

SLOTS: Mapping[str, tuple[str, ...]] = {
    "noun": NOUNS,
    "adjective": ADJECTIVES,
    "verb": VERBS,
    "place": PLACES,
    "time": TIMES,
    "name": NAMES,
    "action": ACTIONS,
    "thing": THINGS,
    "digit": tuple("23456789"),
}
"""What a template's slots are filled with."""
