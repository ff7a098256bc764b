"""Trailers: the lines `Name: value` at the end of a commit's message (git-interpret-trailers(1)), and who reviewed by them."""

import re

_LINE = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9-]*):[ \t]*(?P<value>\S.*)")
_REVIEWED = frozenset({"reviewed-by", "acked-by", "approved-by", "tested-by"})
_MOST = 32


def trailers(message: str) -> list[tuple[str, str]]:
    """Names and values of the last paragraph, if every line of it is one; a message of one paragraph has none."""
    body, blank, last = message.rstrip().rpartition("\n\n")
    if not blank or not body.strip():
        return []
    found: list[tuple[str, str]] = []
    for line in last.splitlines():
        if line[:1] in " \t" and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            return []
        found.append((match["name"], match["value"].strip()))
    return found


def reviewers(message: str) -> list[str]:
    """Who is named by Reviewed-by, Acked-by, Approved-by or Tested-by, each once."""
    named = [value for name, value in trailers(message) if name.lower() in _REVIEWED]
    return list(dict.fromkeys(named))[:_MOST]
