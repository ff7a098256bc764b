"""What Go says about text that is not JSON."""

import json

from kilde.core.basics.values import Json

_KINDS = ((bool, "bool"), (str, "string"), (list, "array"), (dict, "object"))


def word_of(value: Json) -> str:
    """What Go calls the kind of a JSON value."""
    return next((word for kind, word in _KINDS if isinstance(value, kind)), "number")


def json_problem(raw: bytes) -> str:
    """What Go's encoding/json says about text that is not JSON."""
    text = raw.decode("latin-1")  # a byte is a character to it, in what it quotes, too
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip(" \t\r\n")):
            return "unexpected end of JSON input"
        if error.msg.startswith("Extra data"):
            where = "after top-level value"
        elif error.msg.startswith("Expecting property name"):
            where = "looking for beginning of object key string"
        elif error.msg.startswith("Expecting ',' delimiter"):
            where = "after object key:value pair" if _in_object(text[: error.pos]) else "after array element"
        elif error.msg.startswith("Expecting ':' delimiter"):
            where = "after object key"
        else:
            return _no_value(text[error.pos :])
        return f"invalid character '{text[error.pos]}' {where}"
    except RecursionError:
        return "exceeded max depth"
    return "invalid UTF-8"


def _in_object(text: str) -> bool:
    return text.rfind("{") > text.rfind("[")


def _no_value(text: str) -> str:
    """What is wrong where a value should begin: a word is read as the literal that begins like it, a minus asks for digits."""
    literal = next((word for word in ("null", "true", "false") if text[:1] == word[0]), "")
    text += " "  # as Go reads on where a text ends
    for place, letter in enumerate(literal):
        if text[place] != letter:
            return f"invalid character '{text[place]}' in literal {literal} (expecting '{letter}')"
    if text[0] == "-":
        return f"invalid character '{text[1]}' in numeric literal"
    return f"invalid character '{text[:1]}' looking for beginning of value"
