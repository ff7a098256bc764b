"""Argo CD's globs (gobwas, without separators): `*` and `**` cross slashes, `?`, `[a-z]`, `[!a]`, `{a,b}`, `\\` escapes."""

import re

from kilde.core.basics.errors import RenderFailed

_MAX_LENGTH = 1000


def compile_glob(glob: str) -> re.Pattern[str]:
    """A pattern for `fullmatch`. Raises RenderFailed for a glob that is none."""
    if len(glob) > _MAX_LENGTH:
        raise RenderFailed(f"a glob of {len(glob)} characters is too long")
    try:
        return re.compile(_translate(glob), re.DOTALL)
    except (re.error, IndexError) as error:
        raise RenderFailed(f"'{glob}' is no glob: {error}") from error


_TOKEN = re.compile(
    r"\*+|\?|\\(?P<escaped>.)|\[(?P<negated>!?)(?P<characters>[^\]]+)\]|\{|\}|,|(?P<plain>.)", re.DOTALL
)


def _translate(glob: str) -> str:
    depth = 0
    out: list[str] = []
    for token in _TOKEN.finditer(glob):
        text = token.group()
        if text == "{":
            depth += 1
        elif text == "}":
            depth -= 1
        if depth < 0:
            raise RenderFailed(f"'{glob}' is no glob: a brace is not opened")
        out.append(_part(token, in_braces=depth > 0))
    if depth:
        raise RenderFailed(f"'{glob}' is no glob: a brace is not closed")
    return "".join(out)


def _part(token: re.Match[str], *, in_braces: bool) -> str:
    text = token.group()
    if token["plain"] == "[":
        raise re.error("a bracket is not closed")
    if token["characters"]:
        return _class(token["characters"], negated=bool(token["negated"]))
    if token["escaped"] or token["plain"]:
        return re.escape(token["escaped"] or token["plain"])
    if text == ",":
        return "|" if in_braces else ","
    return {"?": ".", "{": "(?:", "}": ")"}.get(text, ".*")


def _class(characters: str, *, negated: bool) -> str:
    escaped = "".join("\\" + c if c in "\\^[]" else c for c in characters)
    return f"[{'^' if negated else ''}{escaped}]"
