"""What to say when an endpoint fails: one line, with the URL, without any secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_llmbench.errors import EndpointError

QUOTE_CHARS = 200
QUOTE_BYTES = 64 * 1024
"""As much of a refusal's body is read; beyond it nobody reads on."""

_KEY_HINT = "set api_key_env to the name of the environment variable that holds the API key"
_FIELD_HINT = "the server refuses a field of the request; see the endpoint's sampling and extra_body"
_BUSY_HINT = "the server is loading or has too much to do; try later or lower --llm-concurrency"
_HINTS: Mapping[int, str] = {
    400: _FIELD_HINT,
    401: _KEY_HINT,
    403: _KEY_HINT,
    404: "the base URL should end in /v1, and the model must be one that the server lists",
    405: "the base URL should end in /v1",
    407: "the proxy wants a login; see HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
    413: "the prompt is too long for this server",
    422: _FIELD_HINT,
    429: _BUSY_HINT,
    502: "a proxy before the server got no answer from it",
    503: _BUSY_HINT,
    504: "a proxy before the server waited too long for it",
}
_SERVER_HINT = "see the server's log"
_REDIRECT_HINT = "redirects are not followed; use the URL that it points to"


@dataclass(frozen=True, slots=True)
class Site:
    """Where a request goes, and how to speak of it."""

    url: str = field(repr=False)
    """As requested; may hold a password."""
    secret: str | None = field(default=None, repr=False)
    """The API key; no text that leaves this class holds it."""

    @property
    def shown(self) -> str:
        """The URL without login and query."""
        return re.sub(r"[?#].*", "", re.sub(r"(?<=//)[^/?#]*@", "", self.url))

    def error(self, text: str) -> EndpointError:
        """Make the error of that text."""
        return EndpointError(self.say(text))

    def say(self, text: str) -> str:
        """Put the URL before a text, and the text on one line."""
        return self._clean(f"{self.shown}: {text}")

    def quote(self, said: bytes | str) -> str:
        """Return the beginning of what the server said, in quotes, on one line."""
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        text = self._clean(text)
        return f"'{text[:QUOTE_CHARS]}…'" if len(text) > QUOTE_CHARS else f"'{text}'"

    def refusal(self, status: int, body: bytes, location: str | None = None) -> str:
        """Say that the server answered with a status other than 200."""
        said = f"it said {self.quote(_message(body))}" if body.strip() else "its body was empty"
        if 300 <= status < 400:  # noqa: PLR2004 (the redirects)
            return self.say(f"HTTP {status} to {self.quote(location or 'nowhere')}; {_REDIRECT_HINT}")
        return self.say(f"HTTP {status}; {said}; {_HINTS.get(status, _SERVER_HINT)}")

    def _clean(self, text: str) -> str:
        if self.secret:
            text = text.replace(self.secret, "***")
        # What is not printable could move a terminal's cursor, or break the line.
        return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _message(body: bytes) -> bytes | str:
    """Find the message in the JSON shapes that servers wrap their errors in; else the body itself."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return body
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    return found if isinstance(found, str) else json.dumps(found)
