"""What a render rests on, told to people: its inputs, and whether and why one file is among them."""

import posixpath
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from kilde.core.basics.errors import InvalidInput, KildeError, Place
from kilde.core.objects.yaml_reader import Document, read_documents
from kilde.core.render.kustomize.kustomization import FILE_NAMES
from kilde.core.source.tree import FOLDER, EntryKind, Trace, Tree, join

State = Literal["file", "folder", "symlink", "submodule", "listing", "absent"]


class Input(NamedTuple):
    """One thing a render looked at. `id`: a Git object id; of a listing one of names and kinds; "" where there is none."""

    path: str
    state: State
    id: str


def inputs_of(trace: Trace) -> list[Input]:
    """Everything in a trace, by path; without the folders that something was found in, since that says it already."""
    found = [path.rstrip("/") for path, seen in trace.seen.items() if seen not in (None, FOLDER)]
    implied = {above for path in found for above in ("", *_above(path))}
    return [
        _input(path, seen)
        for path, seen in sorted(trace.seen.items())
        if not (seen == FOLDER and (path in implied or path + "/" in trace.seen))
    ]


def _input(path: str, seen: str | None) -> Input:
    if seen is None:
        return Input(path, "absent", "")
    if path.endswith("/"):
        return Input(path.rstrip("/") or "/", "listing", seen)
    if seen == FOLDER:
        return Input(path, "folder", "")
    kind, colon, oid = seen.partition(":")
    if colon:
        return Input(path, "symlink" if kind == EntryKind.SYMLINK else "submodule", oid)
    return Input(path, "file", seen)


class Step(NamedTuple):
    """A field of a kustomization that leads on: where it stands, its name, and what it says."""

    place: Place
    field: str
    says: str


class Why(NamedTuple):
    """Whether a file touches a render: `reason` is a clause for people, `steps` lead from the folder that is rendered to it."""

    touches: bool
    reason: str
    steps: tuple[Step, ...] = ()


def why(tree: Tree, trace: Trace, top: str, path: str) -> Why:
    """`top` is the folder that was rendered and `trace` what was seen on the way; `path` is relative to the repository's root.

    Raises InvalidInput for a path that leaves the repository.
    """
    path = join("", path.strip("/") or ".", about="the file")
    seen = trace.seen
    if path in seen and seen[path] is not None and seen[path] != FOLDER:
        return Why(True, "it is read", _steps(tree, trace, top, path))
    if path in seen and seen[path] is None:
        return Why(
            True, "it was looked for and is not there: it would count as soon as it is", _steps(tree, trace, top, path)
        )
    for above in _above(path):
        if above in seen and seen[above] is None:
            reason = f"'{above}' was looked for and is not there: it would count as soon as it is"
            return Why(True, reason, _steps(tree, trace, top, above))
        if above in seen and seen[above] != FOLDER:
            reason = f"'{above}' is read, and a folder cannot be in its place"
            return Why(True, reason, _steps(tree, trace, top, above))
    return _unread(tree, trace, path)


def _unread(tree: Tree, trace: Trace, path: str) -> Why:
    entry, folder = tree.entry(path), posixpath.dirname(path)
    if entry is not None and entry.kind is EntryKind.FOLDER:
        below = sorted(found for found in trace.seen if found.startswith(path + "/") or (not path and found))
        if below:
            return Why(True, f"in this folder '{below[0].rstrip('/')}' and {len(below) - 1} more are looked at")
    if f"{folder}/" in trace.seen and entry is None:
        return Why(True, f"the folder '{folder or '/'}' is listed: a new name in it counts")
    if f"{folder}/" in trace.seen:
        return Why(False, f"the folder '{folder or '/'}' is listed, but the file is not read: only its name counts")
    what = "no such file, and nothing looks for it" if entry is None else "nothing that is rendered reads it"
    return Why(False, what)


def _above(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(len(parts) - 1, 0, -1))


# --- how one leads to the other


def _steps(tree: Tree, trace: Trace, top: str, path: str) -> tuple[Step, ...]:
    """The shortest way over fields of kustomizations, from the one in `top`; what a kustomization looks for in its own folder
    is where that folder is.
    """
    goals = {path}
    if posixpath.basename(path) in (*FILE_NAMES, "Chart.yaml"):
        goals.add(posixpath.dirname(path))
    ways: dict[str, tuple[Step, ...]] = {top: ()}
    waiting = [top]
    for folder in waiting:
        if folder in goals:
            return ways[folder]
        for step, target in _references(tree, trace, folder):
            if target in goals:
                return (*ways[folder], step)
            if target not in ways:
                ways[target] = (*ways[folder], step)
                waiting.append(target)
    return ()


def _references(tree: Tree, trace: Trace, folder: str) -> Iterator[tuple[Step, str]]:
    """Every text in the folder's kustomization that is the path of something the render looked at."""
    for name in FILE_NAMES:
        file = posixpath.join(folder, name)
        if trace.seen.get(file):
            for document in _documents(tree, file)[:1]:
                for field, text in _texts(document.value, ()):
                    target = _target(folder, text)
                    if target is not None and target in trace.seen:
                        yield Step(document.place(field), _written(field), text), target


def _documents(tree: Tree, file: str) -> list[Document]:
    try:
        return read_documents(tree.read(file), file=file, mode="kubernetes", duplicates="last")
    except KildeError:
        return []  # the render says what is wrong with it


def _texts(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield at, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in children:
        yield from _texts(item, (*at, key))


def _target(folder: str, text: str) -> str | None:
    """The path a text stands for; a generator's file may have its key before it (`key=path`)."""
    if "\n" in text or not text:
        return None
    try:
        return join(folder, text.rpartition("=")[2])
    except InvalidInput:
        return None


def _written(field: tuple[str | int, ...]) -> str:
    """`("patches", 0, "path")` as `patches[0].path`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in field).removeprefix(".")
