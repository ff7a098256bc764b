"""Makes a tree that shows a difference smaller: files and blocks of lines are left out while the difference stays."""

from collections.abc import Callable, Iterator

from fuzz.trees import Files

Shows = Callable[[Files], bool]
_MOST = 4000  # trials


def shrunk(files: Files, shows: Shows) -> Files:
    """The smallest tree found that still shows it."""
    trials = 0
    progress = True
    while progress and trials < _MOST:
        progress = False
        for smaller in _smaller(files):
            trials += 1
            if trials >= _MOST:
                break
            if shows(smaller):
                files, progress = smaller, True
                break
    return files


def _smaller(files: Files) -> Iterator[Files]:
    for path in files:
        yield {name: content for name, content in files.items() if name != path}
    for path in sorted(files, key=lambda name: -len(files[name])):
        try:
            lines = files[path].decode().splitlines(keepends=True)
        except UnicodeDecodeError:
            continue
        for start, end in _blocks(lines):
            yield {**files, path: "".join(lines[:start] + lines[end:]).encode()}
        for index, line in enumerate(lines):
            for shorter in _shorter(line):
                yield {**files, path: "".join([*lines[:index], shorter, *lines[index + 1 :]]).encode()}


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Each line with all that hangs on it, the largest first."""
    found = []
    for start, line in enumerate(lines):
        end = start + 1
        depth = _indent(line)
        dashed = line.lstrip(" ").startswith("- ")
        while end < len(lines):
            inner = lines[end]
            deeper = _indent(inner) > depth or not inner.strip()
            hangs = (
                not dashed
                and _indent(inner) == depth
                and inner.lstrip(" ").startswith("-")
                and not inner.startswith("---")
            )
            if not deeper and not hangs:
                break
            end += 1
        found.append((start, end))
        if dashed:
            found.append((start, start + 1))
    return iter(sorted(found, key=lambda block: block[0] - block[1]))


def _shorter(line: str) -> Iterator[str]:
    """A flow collection with an item less; no comment; a long text cut."""
    body, comment, _ = line.partition(" #")
    if comment:
        yield body + "\n"
    head, bracket, rest = line.partition("{") if "{" in line else line.partition("[")
    if bracket and ", " in rest:
        items = rest.rstrip("\n}]").split(", ")
        closing = rest.rstrip("\n")[len(rest.rstrip("\n}]")) :]
        for index in range(len(items)):
            yield head + bracket + ", ".join(items[:index] + items[index + 1 :]) + closing + "\n"
