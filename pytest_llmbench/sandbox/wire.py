"""Values as they pass between a judge and a worker: JSON, with tags for what JSON has no word for.

The same file is used on both sides (inside it runs as a plain file with the standard library only). Outside, `decode`
is what keeps a hostile answer from handing over anything but plain, bounded values of exact types.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_DEPTH = 50
MAX_INT_DIGITS = 1000
MAX_DECIMAL_EXPONENT = 1000
"""`int(Decimal("1e999999999"))` would take all memory; so much for trusting a number."""


class WireError(ValueError):
    """A value that does not pass."""


def dumps(value: Any) -> bytes:
    """Return one line of JSON without its newline.

    Raises:
        WireError: the value holds something that has no form here.
    """
    try:
        return json.dumps(encode(value), allow_nan=False).encode()
    except RecursionError:
        raise WireError("nested too deeply") from None


def loads(line: bytes) -> Any:
    """Return the value of one line.

    Raises:
        WireError: it is malformed, too deep, too big, or not a finite number.
    """
    try:
        tree = json.loads(line, parse_constant=_refuse_constant, parse_int=_parse_int)
    except RecursionError:
        raise WireError("nested too deeply") from None
    except ValueError as error:
        raise WireError(f"no JSON: {error}") from None
    return decode(tree)


def encode(value: Any, depth: int = 0) -> Any:
    """Return the value as JSON's own types; subclasses of plain types become plain."""
    if depth > MAX_DEPTH:
        raise WireError(f"nested deeper than {MAX_DEPTH}")
    for kind, form in _FORMS.items():
        if isinstance(value, kind):
            return form(value, depth + 1)
    raise WireError(f"a value of type {type(value).__name__} was returned, wanted dict, list, tuple, str, int, …")


def decode(tree: Any, depth: int = 0) -> Any:
    """Return the value behind what `json.loads` gave."""
    if depth > MAX_DEPTH:
        raise WireError(f"nested deeper than {MAX_DEPTH}")
    if type(tree) is list:
        return [decode(item, depth + 1) for item in tree]
    if type(tree) is dict:
        return _decode_tagged(tree, depth + 1)
    if type(tree) is float and not math.isfinite(tree):
        raise WireError("a number is not finite")
    if type(tree) is str:
        return _checked_text(tree)
    return tree


def _decode_tagged(tree: Mapping[str, Any], depth: int) -> Any:
    if len(tree) != 1:
        raise WireError("a malformed value")
    ((tag, content),) = tree.items()
    if tag not in _TAGS:
        raise WireError(f"an unknown tag {tag[:20]!r}")
    return _TAGS[tag](content, depth)


def _checked_text(text: Any) -> str:
    if type(text) is not str:
        raise WireError("a malformed value")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise WireError("a text holds half a character (a lone surrogate)") from None
    return text


def _decode_dict(content: Any, depth: int) -> dict[Any, Any]:
    if type(content) is not list or any(type(pair) is not list or len(pair) != 2 for pair in content):  # noqa: PLR2004
        raise WireError("a malformed dict")
    found: dict[Any, Any] = {}
    for key, value in content:
        plain = decode(key, depth)
        if not isinstance(plain, (str, int, float, bytes, Decimal, tuple, type(None))):
            raise WireError(f"a dict key of type {type(plain).__name__}")
        try:
            found[plain] = decode(value, depth)
        except TypeError:
            raise WireError("a dict key holds a list or a dict") from None
    return found


def _decode_bytes(content: Any, _depth: int) -> bytes:
    try:
        return base64.b64decode(_checked_text(content), validate=True)
    except binascii.Error:
        raise WireError("malformed bytes") from None


def _decode_decimal(content: Any, _depth: int) -> Decimal:
    text = _checked_text(content)
    try:
        number = Decimal(text) if len(text) <= MAX_INT_DIGITS else Decimal("NaN")
    except InvalidOperation:
        raise WireError("a malformed Decimal") from None
    if not number.is_finite() or abs(number.adjusted()) > MAX_DECIMAL_EXPONENT:
        raise WireError("a Decimal is not finite or far too big")
    return number


def _decode_tuple(content: Any, depth: int) -> tuple[Any, ...]:
    if type(content) is not list:
        raise WireError("a malformed tuple")
    return tuple(decode(item, depth) for item in content)


def _refuse_constant(name: str) -> Any:
    raise WireError(f"a number is {name}")


def _parse_int(digits: str) -> int:
    if len(digits) > MAX_INT_DIGITS:
        raise WireError(f"an int has more than {MAX_INT_DIGITS} digits")
    return int(digits)


def _encode_float(value: float, _depth: int) -> float:
    plain = float.__add__(value, 0.0)
    if not math.isfinite(plain):
        raise WireError(f"a number is {plain}")
    return plain


def _encode_int(value: int, _depth: int) -> int:
    plain = int.__add__(value, 0)
    if abs(plain) >= 10**MAX_INT_DIGITS:
        raise WireError(f"an int has more than {MAX_INT_DIGITS} digits")
    return plain


def _encode_dict(value: Mapping[Any, Any], depth: int) -> Any:
    return {"$dict": [[encode(key, depth), encode(item, depth)] for key, item in dict.items(dict(value))]}


_Form = Callable[[Any, int], Any]

# bool before int, whose subclass it is
_FORMS: Mapping[type, _Form] = {
    type(None): lambda value, _: value,
    bool: lambda value, _: value,
    str: lambda value, _: str.__str__(value),
    int: _encode_int,
    float: _encode_float,
    bytes: lambda value, _: {"$bytes": base64.b64encode(value).decode()},
    bytearray: lambda value, _: {"$bytes": base64.b64encode(value).decode()},
    Decimal: lambda value, _: {"$decimal": str(value)},
    list: lambda value, depth: [encode(item, depth) for item in value],
    tuple: lambda value, depth: {"$tuple": [encode(item, depth) for item in value]},
    dict: _encode_dict,
}

_TAGS: Mapping[str, _Form] = {
    "$dict": _decode_dict,
    "$bytes": _decode_bytes,
    "$decimal": _decode_decimal,
    "$tuple": _decode_tuple,
}
