"""JSON as Go writes it: `<`, `>`, `&` and the two line separators are escaped inside strings."""

import re

from kilde.core.basics.values import Json, canonical

_ESCAPED = re.compile("[<>&\u2028\u2029]")


def go_json(value: Json) -> str:
    """Compact JSON with sorted keys, as encoding/json writes a map."""
    text = canonical(value).decode()
    return _ESCAPED.sub(_escape, text) if _ESCAPED.search(text) else text


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
