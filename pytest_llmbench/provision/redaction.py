"""Takes secrets out of command lines, environments and lines of logs before anybody writes them down. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pytest_llmbench.model.identity import REDACTED

MIN_SECRET = 6
"""Shorter values of secret variables are not looked for elsewhere: too much that is harmless would look like them."""

_ALWAYS = {"secret", "secrets", "password", "passwd", "passphrase", "credential", "credentials", "apikey"}
_AT_THE_END = {"key", "keys", "token", "auth", "pass", "signature"}
"""Of an option; inside it they are harmless, as in `--speculative-token-map`."""
_ORDINARY = {"bos", "eos", "pad", "unk", "sep", "mask", "image", "start", "end", "stop", "must"}
"""What makes a `token` one of the model's; and our own `--llm-must-pass` hides nothing."""
_SHORT = {"-hft"}
"""Options of llama.cpp that hold a secret and do not look like it."""
_OPTION = re.compile(r"--?[A-Za-z][\w.-]*")
_ASSIGNED = re.compile(r"""(?<![\w.-])(?P<name>[\w.-]++)(?:=|\\?["']\s*[:=]\s*|:\s*Some\()\\?""")
"""`NAME=`, `"name": `, `name: Some(`, with the value behind it; not `token: value`, which is prose."""
_TEXT = r"""(?:"[^"]*"?|'[^']*'?)"""
_VALUE = re.compile(rf"""\[(?:{_TEXT}|[^\]"'])*|{_TEXT}|[^\s"',}}\]]+""")
"""A list, a text in quotes, or all up to where a value can end; what is cut off at the end of a line too."""
_HIDDEN = re.compile(r"""[^\s"',\[\]][^"',\[\]]*""")
_SHAPES = (
    (re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@"), rf"\1:{REDACTED}@"),
    (re.compile(r"\b(bearer|basic)\s+[^\s\"']+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\b(?:hf_|sk-|nvapi-|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA)[\w-]{12,}"), REDACTED),
    (re.compile(r"(\b(?:x-)?(?:api-key|auth-token):\s*)[^\s\"']+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"), REDACTED),  # a JSON web token
)
"""What is a secret whatever stands before it: passwords in URLs, headers, keys that can be told by how they begin."""


def is_secret(name: str) -> bool:
    """Whether an option or variable of this name holds a secret; `--max-tokens` and `TOKENIZER` do not."""
    *before, last = re.split(r"[\W_]+", name.lower().strip("-"))
    if name in _SHORT or not _ALWAYS.isdisjoint((*before, last)):
        return True
    return last in _AT_THE_END and _ORDINARY.isdisjoint(before)


def is_secret_variable(name: str) -> bool:
    """The same of an environment variable, where a word like KEY says so wherever it stands."""
    return is_secret(name) or not _AT_THE_END.isdisjoint(name.lower().split("_"))


def secrets_in(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of secret variables, to be looked for wherever else they may stand."""
    return tuple(value for name, value in env.items() if is_secret_variable(name) and len(value) >= MIN_SECRET)


def secrets_in_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return the values of secret options and variables of a command line, for the same purpose."""
    pairs = zip(words, redact_words(words), strict=True)
    values = (
        word if shown == REDACTED else word.partition("=")[2] for word, shown in pairs if shown.endswith(REDACTED)
    )
    return tuple(value for value in values if len(value) >= MIN_SECRET)


def redact_env(env: Mapping[str, str], secrets: Iterable[str] = ()) -> dict[str, str]:
    """Return the variables with their secrets taken out; an empty value is none."""
    return {
        name: REDACTED if value and is_secret_variable(name) else redact_text(value, secrets)
        for name, value in env.items()
    }


def redact_words(words: Sequence[str], secrets: Iterable[str] = ()) -> tuple[str, ...]:
    """Return a command line with its secrets taken out: the values of options, by what they are called, and all else.

    Args:
        words: one by one.
        secrets: values that are taken out wherever they stand.
    """
    secrets = tuple(secrets)
    found = []
    is_hidden = is_first = False
    for word in words:
        if _OPTION.match(word) and not is_first:
            is_hidden = is_first = _OPTION.fullmatch(word) is not None and is_secret(word)
            found.append(redact_text(word, secrets))
        else:
            # An option may take several values, and a value may begin with a dash.
            found.append(REDACTED if is_hidden else _redact_phrase(word, secrets))
            is_first = False
    return tuple(found)


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return text with the secrets taken out that can be told: `NAME=value`, `"name": "value"`, URLs, headers, keys."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    found, at = [], 0
    for match in _ASSIGNED.finditer(text):
        name, begin = match["name"], match.end()
        is_hidden = is_secret_variable(name) if name.isupper() else is_secret(name)
        if begin >= at and is_hidden and (value := _VALUE.match(text, begin)):
            found += [text[at:begin], _HIDDEN.sub(REDACTED, value[0])]
            at = value.end()
    return "".join((*found, text[at:]))


def _redact_phrase(word: str, secrets: tuple[str, ...]) -> str:
    """Take the secrets out of a word that may be a whole command line, as in `sh -c "serve --api-key …"`."""
    pieces = re.split(r"(\s+)", word)
    if len(pieces) == 1:
        return redact_text(word, secrets)
    words = iter(redact_words(pieces[::2], secrets))
    return redact_text("".join(next(words) if place % 2 == 0 else piece for place, piece in enumerate(pieces)), secrets)
