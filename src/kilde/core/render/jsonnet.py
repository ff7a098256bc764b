"""Jsonnet files of a plain folder: what they may import, the variables that they get, and the objects that they come to."""

from collections.abc import Sequence
from typing import Any

import msgspec

from kilde.core.basics.errors import InvalidYaml, LimitExceeded, PathNotFound, Place, RenderFailed
from kilde.core.render.outside import JsonnetVariables, Outside
from kilde.core.render.source import DirectoryOptions, JsonnetVariable, Surroundings, substituted
from kilde.core.source.tree import EntryKind, Tree, followed, join

_MOST_IMPORTS = 5_000
_EXACT = 2**53  # beyond it a number of Jsonnet, which is a float, is not what is printed of it


def render_jsonnet(
    tree: Tree, path: str, files: Sequence[str], options: DirectoryOptions, around: Surroundings, outside: Outside
) -> dict[str, list[Any]]:
    """The objects of each file, in order. Raises RenderFailed, with jsonnet's words; InvalidYaml for what is no object."""
    if not files:
        return {}
    if outside.jsonnet is None:
        raise RenderFailed(
            "Jsonnet is not evaluated here", place=Place(files[0]), hint="exclude it, or render it to YAML"
        )
    environment = around.environment(path)
    variables = JsonnetVariables(
        _values(options.ext_vars, environment, code=False),
        _values(options.ext_vars, environment, code=True),
        _values(options.tlas, environment, code=False),
        _values(options.tlas, environment, code=True),
    )
    libs = [join("", lib.lstrip("/") or ".", about="directory.jsonnet.libs") for lib in options.libs]
    importer = _Importer(tree, [path, *libs])
    texts = outside.jsonnet.evaluate(files, variables, importer.found)
    return {file: _objects(text, file) for file, text in zip(files, texts, strict=True)}


class _Importer:
    """As go-jsonnet looks for files: beside the one that asks, then in the folders, the last one first. None leaves the repository."""

    def __init__(self, tree: Tree, folders: Sequence[str]) -> None:
        self._tree, self._folders = tree, folders
        self._count = 0

    def found(self, folder: str, name: str) -> tuple[str, bytes]:
        self._count += 1
        if self._count > _MOST_IMPORTS:
            raise LimitExceeded(f"more than {_MOST_IMPORTS} imports", about=name)
        for place in ("" if folder == "." else folder, *reversed(self._folders)):
            real = followed(self._tree, join(place, name, about=folder))
            entry = self._tree.entry(real)
            if entry is not None and entry.kind is EntryKind.FILE:
                return real, self._tree.read(real)
        raise PathNotFound("couldn't open import: no match locally or in the Jsonnet library paths", about=name)


def _values(variables: Sequence[JsonnetVariable], environment: dict[str, str], *, code: bool) -> dict[str, str]:
    return {one.name: substituted(one.value, environment) for one in variables if one.code is code}


def _objects(text: str, file: str) -> list[Any]:
    try:
        value = _exact(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        raise InvalidYaml("Jsonnet gives no JSON that can be read", place=Place(file)) from None
    return value if isinstance(value, list) else [value]


def _exact(value: Any) -> Any:
    """Numbers as Go reads them: whole ones as integers, and those past 2^53 as the float that they are."""
    if isinstance(value, dict):
        return {key: _exact(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_exact(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int) and abs(value) <= _EXACT:
        return value
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**63 else number
