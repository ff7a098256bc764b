"""JSON pointers (RFC 6901) and the readable paths that people are shown (`spec.containers[name=app].image`)."""

import re
from collections.abc import Iterable
from typing import Any

from kilde.core.basics.values import Json

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def parse_pointer(text: str) -> tuple[str, ...] | None:
    """The reference tokens of a pointer; None if it does not begin with `/` (the empty pointer is the whole: ())."""
    if text == "":
        return ()
    if not text.startswith("/"):
        return None
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/"))


def without(value: Json, tokens: tuple[str, ...]) -> Json:
    """A copy of `value` without what the pointer names; `value` itself where nothing is there."""
    if not tokens:
        return value
    head, rest = tokens[0], tokens[1:]
    if isinstance(value, dict):
        if head not in value:
            return value
        if not rest:
            return {k: v for k, v in value.items() if k != head}
        changed = without(value[head], rest)
        return value if changed is value[head] else {**value, head: changed}
    if isinstance(value, list) and head.isdigit() and int(head) < len(value):
        index = int(head)
        if not rest:
            return value[:index] + value[index + 1 :]
        changed = without(value[index], rest)
        return value if changed is value[index] else [*value[:index], changed, *value[index + 1 :]]
    return value


def with_value_of(value: Json, other: Json, tokens: tuple[str, ...]) -> Json:
    """A copy of `value` that has at the pointer what `other` has there, also where that is nothing."""
    if not tokens:
        return other
    head, rest = tokens[0], tokens[1:]
    if isinstance(value, dict) and isinstance(other, dict):
        if head not in other:
            return without(value, tokens)
        if not rest:
            return {**value, head: other[head]}
        return {**value, head: with_value_of(value[head], other[head], rest)} if head in value else value
    if (
        isinstance(value, list)
        and isinstance(other, list)
        and head.isdigit()
        and int(head) < min(len(value), len(other))
    ):
        index = int(head)
        return [*value[:index], with_value_of(value[index], other[index], rest), *value[index + 1 :]]
    return value


def readable(path: Iterable[Any]) -> str:
    """Keys and list positions as people write them: `metadata.annotations['a.b/c']`, `spec.ports[0].port`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif isinstance(step, tuple):  # a list item told apart by its key: ("name", "app")
            text += "[" + ",".join(f"{k}={v}" for k, v in step) + "]"
        elif _PLAIN.fullmatch(str(step)):
            text += f".{step}"
        else:
            text += f"['{step}']"
    return text.removeprefix(".")
