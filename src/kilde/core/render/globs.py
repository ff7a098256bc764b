"""Argo CD's globs (gobwas): `*`, `**`, `?`, `[a-z]`, `[!a]`, `{a,b}`, `\\` escapes. Without a separator `*` is as `**`."""

import re
from itertools import chain

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.patterns import Pattern, compile_pattern

_MAX_LENGTH = 1000
_FEW_STARS = 2  # up to so many, Python's backtracking costs no more than the square of a path's length


class Glob:
    """A glob, compiled."""

    def __init__(self, quick: re.Pattern[str] | None, linear: Pattern | None) -> None:
        self._quick, self._linear = quick, linear

    def fullmatch(self, path: str) -> bool:
        """Whether the whole path fits; in time linear in its length where there are many stars."""
        if self._linear is not None:
            return self._linear.search(path)
        return self._quick is not None and self._quick.fullmatch(path) is not None


def compile_glob(glob: str, *, separator: str = "") -> Glob:
    """`*` and `?` stop at the separator, one character. Raises RenderFailed for a glob that is none."""
    if len(glob) > _MAX_LENGTH:
        raise RenderFailed(f"a glob of {len(glob)} characters is too long")
    try:
        translated = _translate(glob, f"[^{re.escape(separator)}]" if separator else ".")
        quick = re.compile(translated, re.DOTALL)
    except (re.error, IndexError) as error:
        raise RenderFailed(f"'{glob}' is no glob: {error}") from error
    if translated.count("*") <= _FEW_STARS:
        return Glob(quick, None)
    return Glob(None, compile_pattern(rf"(?s)\A(?:{translated})\z"))


_TOKEN = re.compile(
    r"\*+|\?|\\(?P<escaped>.)|\[(?P<negated>!?)(?P<characters>[^\]]+)\]|\{|\}|,|(?P<plain>.)", re.DOTALL
)
_BEHIND_ALL_CLASSES = re.compile(_TOKEN.pattern.replace(r"|\[(", r"|(?!)("), re.DOTALL)  # "[" is looked behind but once


def _translate(glob: str, one: str) -> str:
    depth = 0
    out: list[str] = []
    closed = glob.rfind("]") + 1
    for token in chain(_TOKEN.finditer(glob, 0, closed), _BEHIND_ALL_CLASSES.finditer(glob, closed)):
        text = token.group()
        if text == "{":
            depth += 1
        elif text == "}":
            depth -= 1
        if depth < 0:
            raise RenderFailed(f"'{glob}' is no glob: a brace is not opened")
        out.append(_part(token, one, in_braces=depth > 0))
    if depth:
        raise RenderFailed(f"'{glob}' is no glob: a brace is not closed")
    return "".join(out)


def _part(token: re.Match[str], one: str, *, in_braces: bool) -> str:
    text = token.group()
    if token["plain"] == "[":
        raise re.error("a bracket is not closed")
    if token["characters"]:
        return _class(token["characters"], negated=bool(token["negated"]))
    if token["escaped"] or token["plain"]:
        return re.escape(token["escaped"] or token["plain"])
    if text == ",":
        return "|" if in_braces else ","
    return {"?": one, "{": "(?:", "}": ")", "*": f"{one}*"}.get(text, ".*")


def _class(characters: str, *, negated: bool) -> str:
    escaped = "".join("\\" + c if c in "\\^[]" else c for c in characters)
    return f"[{'^' if negated else ''}{escaped}]"
