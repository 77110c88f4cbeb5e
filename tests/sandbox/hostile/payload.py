"""Reads the payloads; what each is expected to do stands in comments at its head.

# inside: ended | limit NAME | count at most N | done or killed by signal N      (ended)
# none: reached | not run …       what it does without a sandbox, to prove that the test would see it
# limits: name=value …
# collect: refused | nothing | never secret       what fetching `path` (out.txt) gives
# stays                           it still runs when it has said that it is done
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from pytest_llmbench.sandbox.api import Limits

FOLDER = Path(__file__).with_name("payloads")


@dataclass(frozen=True, slots=True)
class Payload:
    name: str
    """Category and file name."""
    code: bytes
    head: dict[str, str]

    @property
    def inside(self) -> str:
        return self.head.get("inside", "ended")

    @property
    def limits(self) -> Limits:
        given = dict(item.split("=") for item in self.head.get("limits", "").split())
        kinds = {name: type(value) for name, value in asdict(Limits()).items()}
        return Limits(**{name: kinds[name](value) for name, value in given.items()})


def payloads() -> list[Payload]:
    return [_read(path) for path in sorted(FOLDER.glob("*/*.py"))]


def _read(path: Path) -> Payload:
    code = path.read_bytes()
    head: dict[str, str] = {}
    for line in code.decode().splitlines():
        if not line.startswith("#"):
            break
        found = re.fullmatch(r"# (inside|none|limits|collect|path|stays)(?:: (.*))?", line)
        if found:
            head[found[1]] = found[2] or ""
    return Payload(f"{path.parent.name}/{path.stem}", code, head)
