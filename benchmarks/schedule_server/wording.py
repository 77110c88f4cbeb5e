"""What the schedule server's model says, and how it counts tokens. Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import lru_cache
from zlib import crc32

_WORDS = """
about above acid after again air all along amber and apple arch ash autumn back bake bark barn basin bay bean bell
below bench birch bird black blue boat bold bone book bottom bowl brass bread brick bridge bright broad brook brown
bud build by calm camp candle card carry cart cave chalk chair clay clear cliff clock cloth cloud coal coast cold
copper cork corn cove crane creek crisp cross crown cup dark dawn day deep deer dew dim dock door down dream drift
drum dry dusk dust eager early earth east edge elm ember empty even ever fair fall far farm fast feather fern field
fig find fire firm first fish flat flint flood floor flow foam fog fold for forest fork found fox fresh from frost
full garden gate gentle glass go gold good grain grass gravel green grey ground grove hall harbour hard hawk hay hazel
heath herb here high hill hive hollow honey horn house ice idle in inland iron island ivy jar journey jump keen keep
kettle key kind kite knot lake lamp land large late laurel leaf lean left light lime linen little long loom low maple
market marsh meadow mild mill mint mist moon moss mouth narrow near nest net new night north oak oat ocean of old
olive on open orchard otter over owl paint pale paper pass path pear pebble pine plain plum pond pool poplar port
proud quarry quick quiet rain reed rest ridge ring rise river road rock roof room root rope rose rough round rush rye
sail salt sand sea seed shade shadow sharp shell shelter shine ship shore short silk silver slate sleep slow small
smoke smooth snow soft soil south spark spring spruce square stair star steam steel still stone storm straw stream
street strong summer sun swan swift table tall tent thick thin thread tide timber to tower town track trail tree turn
under up valley velvet vine violet wagon walk wall warm water wave way west wet wheat wheel white wide wild willow
wind window winter wood wool wren yard yarrow yellow young
"""
WORDS = tuple(_WORDS.split())
"""Each is one token, with the space before it."""

_TOKEN = re.compile(r" ?\w{1,8}|\s+|[^\w\s]")
_LONGEST = 1_000_000


def split(text: str) -> list[str]:
    """Cut a text into the tokens of the scheduled model: pieces of words with the space before them, and signs."""
    return _TOKEN.findall(text)


def token_id(token: str) -> int:
    """Return the number of a token: the same in every process, not unique."""
    return crc32(token.encode()) % 32_000


def prose(tokens: int) -> Sequence[str]:
    """Return so many tokens of text without sense or loops, the same every time."""
    return _prose(-(-min(tokens, _LONGEST) // 4096) * 4096)[:tokens]


@lru_cache(maxsize=4)
def _prose(tokens: int) -> tuple[str, ...]:
    return tuple(f" {word}" for word in random.Random(4).choices(WORDS, k=tokens))  # noqa: S311 (no secret)


def loop(tokens: int) -> Sequence[str]:
    """Return one token over and over."""
    return (" zero",) * tokens
