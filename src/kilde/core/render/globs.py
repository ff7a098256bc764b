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


def _translate(glob: str) -> str:
    out: list[str] = []
    at, depth = 0, 0
    while at < len(glob):
        char = glob[at]
        if char == "*":
            while glob[at + 1 : at + 2] == "*":
                at += 1
            out.append(".*")
        elif char == "?":
            out.append(".")
        elif char == "\\":
            at += 1
            out.append(re.escape(glob[at]))
        elif char == "[":
            end = glob.index("]", at + 2) if "]" in glob[at + 2 :] else -1
            if end < 0:
                raise RenderFailed(f"'{glob}' is no glob: a bracket is not closed")
            out.append(_class(glob[at + 1 : end]))
            at = end
        elif char == "{":
            depth += 1
            out.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            out.append(")")
        elif char == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(char))
        at += 1
    if depth:
        raise RenderFailed(f"'{glob}' is no glob: a brace is not closed")
    return "".join(out)


def _class(inside: str) -> str:
    negated = inside.startswith("!")
    characters = inside[1:] if negated else inside
    escaped = "".join("\\" + c if c in "\\^[]" else c for c in characters)
    return f"[{'^' if negated else ''}{escaped}]"
