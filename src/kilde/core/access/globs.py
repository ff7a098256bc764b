"""The globs of AppProjects: a `!` in front denies, and a lone `*` is everything."""

import functools
import re

_TOKENS = re.compile(r"\*\*+|\*|\?|\[!?[^\]]+\]|\\.|\{|\}|,|.", re.DOTALL)


def is_denial(pattern: str) -> bool:
    return pattern.startswith("!")


def matches(pattern: str, text: str, *, separator: str = "") -> bool:
    """Whether the text fits; a denial fits what its pattern does not.

    `*` stays between separators, `**` crosses them; `?`, `[a-z]`, `[!a]`, `{a,b}` and `\\` as in gobwas' globs (Argo CD, util/glob).
    """
    if is_denial(pattern):
        return not matches(pattern[1:], text, separator=separator)
    return pattern == "*" or _compiled(pattern, separator).fullmatch(text) is not None


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str, separator: str) -> re.Pattern[str]:
    inside = f"[^{re.escape(separator)}]" if separator else "."
    depth, out = 0, []
    for piece in _TOKENS.findall(pattern[:1000]):
        if piece.startswith("**"):
            out.append(".*")
        elif piece == "*":
            out.append(f"{inside}*")
        elif piece == "?":
            out.append(inside)
        elif piece == "{":
            depth += 1
            out.append("(?:")
        elif piece == "}" and depth:
            depth -= 1
            out.append(")")
        elif piece == "," and depth:
            out.append("|")
        elif piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
            out.append(_characters(piece[1:-1]))
        else:
            out.append(re.escape(piece[1:] if len(piece) == 2 and piece[0] == "\\" else piece))
    text = "".join(out) + ")" * depth
    return re.compile(re.sub(r"(?:\.\*){2,}", ".*", text), re.DOTALL)


def _characters(text: str) -> str:
    """A class of characters: ranges stay ranges, a `!` in front turns it round, everything else is itself."""
    start, text = ("[^", text[1:]) if text.startswith("!") else ("[", text)
    return start + re.sub(r"[\\^\]\[]", lambda found: "\\" + found.group(), text) + "]"
