"""Paths of a repository as the git generator chooses them: folders by Go's path.Match, files by git's pathspecs or by globs."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from kilde.core.basics.errors import InvalidInput, LimitExceeded
from kilde.core.render.patterns import Pattern, compile_pattern
from kilde.core.source.tree import EntryKind, Tree

_MOST_FOLDERS, _DEEPEST = 50_000, 100
_MOST_CHOICES, _MOST_PATTERNS = 8, 256
_TOKEN = re.compile(
    r"\\(?P<escaped>.)|\[(?P<negated>[!^]?)(?P<characters>\]?[^\]]*)\]|(?P<sign>[*?])|(?P<plain>.)", re.DOTALL
)
_BEHIND_ALL_CLASSES = re.compile(_TOKEN.pattern.replace(r"|\[(", r"|(?!)("), re.DOTALL)  # "[" is looked behind but once


def folders(tree: Tree) -> list[str]:
    """Every folder but the root and hidden ones (and what is below those), as a walk meets them; a submodule is an empty one."""
    return [path for path, is_file in _walk(tree, hidden=False) if not is_file]


def files(tree: Tree) -> list[str]:
    """Every file and symlink, hidden ones too."""
    return [path for path, is_file in _walk(tree, hidden=True) if is_file]


def _walk(tree: Tree, *, hidden: bool) -> Iterator[tuple[str, bool]]:
    stack, seen = [iter(tree.list(""))], 0
    prefixes = [""]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            prefixes.pop()
            continue
        path = prefixes[-1] + entry.name
        if entry.kind in (EntryKind.FILE, EntryKind.SYMLINK):
            yield path, True
        elif entry.kind is EntryKind.FOLDER and (hidden or not entry.name.startswith(".")):
            seen += 1
            if seen > _MOST_FOLDERS or len(stack) > _DEEPEST:
                raise LimitExceeded(f"has more than {_MOST_FOLDERS} folders, or folders {_DEEPEST} deep", about=path)
            yield path, False
            stack.append(iter(tree.list(path)))
            prefixes.append(path + "/")
        elif entry.kind is EntryKind.SUBMODULE and not entry.name.startswith("."):
            yield path, False


def fits_folder(pattern: str, path: str) -> bool:
    """Go's path.Match: `*` and `?` stop at `/`. A pattern that is none fits nothing, as Argo CD goes on without it."""
    compiled = _compiled(pattern, "[^/]", slash=False)
    return compiled is not None and compiled.search(path)


def fits_file(pattern: str, path: str) -> bool:
    """`git ls-files -- pattern`: `*` and `?` reach across `/`; without a wildcard a folder stands for all below it."""
    if pattern.startswith(":"):
        raise InvalidInput(f"'{pattern}' is a pathspec with magic, which is not supported", hint="write a plain path")
    plain = _tidied(pattern)
    if plain in ("", path) or path.startswith(plain + "/"):
        return True
    if not re.search(r"[*?\[\\]", plain):
        return False
    compiled = _compiled(plain, "(?:.|\\n)", slash=True)
    return compiled is not None and compiled.search(path)


def fits_glob(pattern: str, path: str) -> bool:
    """As shells with globstar: `*` and `?` stop at `/`, `**` between slashes stands for any folders, `{a,b}` for one of several."""
    if pattern.count("{") > _MOST_CHOICES:
        raise LimitExceeded(f"has more than {_MOST_CHOICES} choices in braces", about=pattern[:200])
    return any(_fits_parts(_tidied(one).split("/"), path.split("/")) for one in _choices(pattern))


def _fits_parts(pattern: list[str], path: list[str]) -> bool:
    """Part by part: which lengths of the path the pattern so far can stand for."""
    reached = {0}
    for part in pattern:
        if part == "**":
            reached = set(range(min(reached), len(path) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(path) and fits_folder(part.replace("[!", "[^"), path[at])}
    return len(path) in reached


def _choices(pattern: str) -> list[str]:
    """The patterns that one with braces stands for; an inner pair is resolved first."""
    found = re.search(r"\{([^{}]*)\}", pattern)
    if found is None:
        return [pattern]
    before, after = pattern[: found.start()], pattern[found.end() :]
    all_of = [each for choice in found[1].split(",") for each in _choices(before + choice + after)]
    if len(all_of) > _MOST_PATTERNS:
        raise LimitExceeded(f"stands for more than {_MOST_PATTERNS} patterns", about=pattern[:200])
    return all_of


def _tidied(pattern: str) -> str:
    parts: list[str] = []
    for part in pattern.split("/"):
        if part == "..":
            if not parts:
                raise InvalidInput(f"'{pattern}' leaves the repository")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


@lru_cache(maxsize=1000)
def _compiled(pattern: str, one: str, *, slash: bool) -> Pattern | None:
    out: list[str] = []
    closed = pattern.rfind("]") + 1
    for token in chain(_TOKEN.finditer(pattern, 0, closed), _BEHIND_ALL_CLASSES.finditer(pattern, closed)):
        if token["sign"]:
            out.append(one + "*" if token["sign"] == "*" else one)
        elif token["characters"] is not None:
            if not token["characters"] or (token["negated"] == "!" and not slash):
                return None if not token["characters"] else _compiled(pattern.replace("[!", "[\\!"), one, slash=slash)
            inside = token["characters"].replace("[", "\\[").replace("]", "\\]")
            out.append(f"[{'^' if token['negated'] else ''}{inside}{'' if slash or not token['negated'] else '/'}]")
        else:
            char = token["escaped"] or token["plain"]
            if char == "[" or (char == "\\" and token["plain"]):
                return None
            out.append(re.escape(char))
    try:
        return compile_pattern(rf"\A(?:{''.join(out)})\z")
    except InvalidInput:
        return None
