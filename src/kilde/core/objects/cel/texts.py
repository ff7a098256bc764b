"""Functions of texts: CEL's own, and the strings extension."""

from collections.abc import Iterator
from typing import Any

from kilde.core.objects.cel.conversions import quoted
from kilde.core.objects.cel.formatting import formatted
from kilde.core.objects.cel.overloads import Overload
from kilde.core.objects.cel.values import CelError, bounded

_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {lower: upper for upper, lower in _LOWER.items()}


def _out_of_range(at: int) -> CelError:
    return CelError(f"index out of range: {at}")


def _char_at(text: str, at: int) -> str:
    if not 0 <= at <= len(text):
        raise _out_of_range(at)
    return text[at : at + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if not part:
        return start
    if start < 0:
        raise _out_of_range(start)
    return text.find(part, start) if start < len(text) else -1


def _last_index_of(text: str, part: str) -> int:
    return text.rfind(part) if part else len(text)


def _last_index_before(text: str, part: str, start: int) -> int:
    if not part:
        return start
    if start < 0:
        raise _out_of_range(start)
    if start >= len(text):
        return -1
    return text.rfind(part, 0, start + len(part))


def _from(text: str, start: int) -> str:
    if not 0 <= start <= len(text):
        raise _out_of_range(start)
    return text[start:]


def _between(text: str, start: int, end: int) -> str:
    if start > end:
        raise CelError(f"invalid substring range. start: {start}, end: {end}")
    for at in (start, end):
        if not 0 <= at <= len(text):
            raise _out_of_range(at)
    return text[start:end]


def _split(text: str, between: str, most: int = -1) -> list[str]:
    if most == 0:
        return []
    if between:
        return text.split(between, most - 1 if most > 0 else -1)
    letters = list(text)
    return letters if most < 0 or len(letters) <= most else [*letters[: most - 1], "".join(letters[most - 1 :])]


def _replace(text: str, old: str, new: str, most: int = -1) -> str:
    times = text.count(old) if most < 0 else min(most, text.count(old))
    bounded(len(text) + times * (len(new) - len(old)))
    return text.replace(old, new, most)


def _join(items: list[Any], between: str = "") -> str:
    for item in items:
        if type(item) is not str:
            raise CelError(f"join: invalid input: {item}")
    bounded(sum(map(len, items)) + len(between) * len(items))
    return between.join(items)


def _made() -> Iterator[Overload]:
    for types, name, does in (
        ((str, str), "startsWith", str.startswith),
        ((str, str), "endsWith", str.endswith),
        ((str, str), "contains", lambda text, part: part in text),
        ((str, int), "charAt", _char_at),
        ((str, str), "indexOf", _index_of),
        ((str, str, int), "indexOf", _index_of),
        ((str, str), "lastIndexOf", _last_index_of),
        ((str, str, int), "lastIndexOf", _last_index_before),
        ((str,), "lowerAscii", lambda text: text.translate(_LOWER)),
        ((str,), "upperAscii", lambda text: text.translate(_UPPER)),
        ((str, str, str), "replace", _replace),
        ((str, str, str, int), "replace", _replace),
        ((str, str), "split", _split),
        ((str, str, int), "split", _split),
        ((str, int), "substring", _from),
        ((str, int, int), "substring", _between),
        ((str,), "trim", lambda text: text.strip(_SPACES)),
        ((str,), "reverse", lambda text: text[::-1]),
        ((list,), "join", _join),
        ((list, str), "join", _join),
        ((str,), "strings.quote", quoted),
        ((str, list), "format", formatted),
        ((str,), "jsonpatch.escapeKey", lambda key: key.replace("~", "~0").replace("/", "~1")),
    ):
        yield Overload(name, types, does)


TABLE = (*_made(),)
