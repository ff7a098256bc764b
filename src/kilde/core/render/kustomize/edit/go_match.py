"""Matches a path as Go's filepath.Match does: `*` and `?` stop at a slash, `[a-z]`, `\\` takes the next character as it is."""

import re

from kilde.core.basics.errors import InvalidInput

META = frozenset("*?[\\")


def go_match(pattern: str, path: str) -> bool:
    """Whether the whole path matches. Raises InvalidInput for a malformed pattern."""
    return compiled(pattern).fullmatch(path) is not None


def compiled(pattern: str) -> "re.Pattern[str]":
    """The pattern as a regular expression. Raises InvalidInput for a malformed one."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if out[-1:] != ["[^/]*"]:  # one star says as much as several, and takes less to try
                out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            text, at = _class(pattern, at)
            out.append(text)
        else:
            if char == "\\":
                char, at = _next(pattern, at)
            out.append(re.escape(char))
    return re.compile("".join(out), re.DOTALL)


def _class(pattern: str, at: int) -> tuple[str, int]:
    negated = pattern[at : at + 1] == "^"
    at += negated
    ranges: list[str] = []
    while pattern[at : at + 1] != "]" or not ranges:
        low, at = _bound(pattern, at)
        high = low
        if pattern[at : at + 1] == "-":
            high, at = _bound(pattern, at + 1)
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    inside = "".join(ranges)
    if not inside:
        return (r"[^/]" if negated else r"(?!)"), at + 1
    return (f"[^/{inside}]" if negated else f"(?!/)[{inside}]"), at + 1


def _bound(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at : at + 1] in ("", "-", "]"):
        raise _malformed(pattern)
    if pattern[at] == "\\":
        at += 1
    return _next(pattern, at)


def _next(pattern: str, at: int) -> tuple[str, int]:
    if at >= len(pattern):
        raise _malformed(pattern)
    return pattern[at], at + 1


def _malformed(pattern: str) -> InvalidInput:
    return InvalidInput(
        "syntax error in pattern", about=pattern, hint="close brackets, and write \\[ for a bracket itself"
    )
