"""What Go says about text that is not JSON."""

import json


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
            where = "looking for beginning of value"
        return f"invalid character '{text[error.pos]}' {where}"
    except RecursionError:
        return "exceeded max depth"
    return "invalid UTF-8"


def _in_object(text: str) -> bool:
    return text.rfind("{") > text.rfind("[")
