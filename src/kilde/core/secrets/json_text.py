"""JSON as Go writes it, and several JSON documents in one text."""

import json
import re
from typing import Any

from kilde.core.basics.values import Json

_ESCAPED = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", chr(0x2028): "\\u2028", chr(0x2029): "\\u2029"}
)
_BETWEEN = re.compile(r"\s*(?:---[^\n]*(?:\n|$)\s*)*")


def write(value: Json, *, indent: int | None = 2) -> str:
    """The value as encoding/json prints it: keys in their order, `<`, `>`, `&` escaped; without a newline at the end."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=separators).translate(_ESCAPED)


def read(data: bytes) -> list[Any] | None:
    """Every value of a text of JSON documents, `---` between them or not; None if it is not JSON (YAML in braces, or broken)."""
    decoder = json.JSONDecoder()
    try:
        text = data.decode("utf-8-sig")
        found, at = [], _skip(text, 0)
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            found.append(value)
            at = _skip(text, at)
    except (ValueError, RecursionError):
        return None
    return found


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at
