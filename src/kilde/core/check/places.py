"""Where in the source files a field of a rendered object is written: in a patch if one has it, else in the object itself."""

import re
from typing import Any

from kilde.core.basics.errors import InvalidInput, KildeError, Place
from kilde.core.check.units import Item, Unit
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.yaml_reader import Document, Path, read_documents
from kilde.core.render.kustomize.kustomization import FILE_NAMES
from kilde.core.source.tree import Tree

_PART = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]*)\]")
_LARGEST = 4 << 20
_REMEMBERED = 2_000  # files


class Places:
    """Reads the files again, each once; nothing is raised for one that cannot be read."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._read: dict[str, list[Document]] = {}

    def of(self, unit: Unit, item: Item, path: Path = ()) -> Place:
        """The nearest place that is written; Place("") where the object came from no file."""
        origin = item.manifest.origin
        if origin is None or not origin.file:
            return unit.declared or Place("")
        if path:
            found = self._in_patch(unit, item.manifest, path) or self._in_own(origin, path)
            if found is not None:
                return found
        return Place(origin.file, origin.line or self._first_line(origin.file), 1 if origin.line else 0)

    def image_setting(self, unit: Unit, image: str) -> Place | None:
        """Where a kustomization or the Application sets this image; None where neither does."""
        for file in sorted(filter(_is_kustomization, unit.seen)):
            for document in self._documents(file):
                images = document.value.get("images") if isinstance(document.value, dict) else None
                for number, entry in enumerate(images if isinstance(images, list) else ()):
                    if (
                        isinstance(entry, dict)
                        and image == f"{entry.get('newName') or entry.get('name')}:{entry.get('newTag')}"
                    ):
                        return document.place(("images", number, "newTag"))
        for number, source in enumerate(unit.app.sources if unit.app else ()):
            options = source.render.kustomize
            for place, entry in enumerate(options.images if options else ()):
                if entry.rpartition("=")[2] == image and unit.declared is not None and unit.app is not None:
                    top: Path = ("sources", number) if unit.app.several else ("source",)
                    return self.at(unit.declared, ("spec", *top, "kustomize", "images", place))
        return None

    def at(self, origin: Place, path: Path) -> Place:
        """The same, by the place of the object."""
        return self._in_own(origin, path) or origin

    def _in_own(self, origin: Place, path: Path) -> Place | None:
        document = next((one for one in self._documents(origin.file) if one.line == origin.line), None)
        if document is None:
            return None
        return document.place(_written_part(document.value, path))

    def _in_patch(self, unit: Unit, manifest: Manifest, path: Path) -> Place | None:
        """In a file that the render has read and that has a document of the same kind and name with the whole field."""
        origins = {(one.manifest.origin.file, one.manifest.origin.line) for one in unit.items if one.manifest.origin}
        for file in sorted(unit.seen):
            if not file.endswith((".yaml", ".yml")) or _is_kustomization(file):
                continue
            for document in self._documents(file):
                value = document.value
                if (
                    not isinstance(value, dict)
                    or value.get("kind") != manifest.kind
                    or (file, document.line) in origins
                ):
                    continue
                meta = value.get("metadata")
                name = meta.get("name") if isinstance(meta, dict) else None
                if not isinstance(name, str) or name not in manifest.name:
                    continue
                if (found := _same_field(value, manifest.body, path)) is not None:
                    return document.place(found)
        return None

    def _first_line(self, file: str) -> int:
        documents = self._documents(file)
        return documents[0].line if documents else 0

    def _documents(self, file: str) -> list[Document]:
        if file not in self._read:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[file] = self._parsed(file)
        return self._read[file]

    def _parsed(self, file: str) -> list[Document]:
        try:
            content = self._tree.read(file)
            return read_documents(content, file=file, duplicates="last") if len(content) <= _LARGEST else []
        except (InvalidInput, KildeError):
            return []


def field_path(field: str) -> Path:
    """`spec.ports[0].port` and `metadata.labels[app]` as steps."""
    steps: list[str | int] = []
    for name, key in _PART.findall(field):
        text = name or key
        steps.append(int(text) if not name and text.isdecimal() else text)
    return tuple(steps)


def _is_kustomization(file: str) -> bool:
    return file.rpartition("/")[2] in FILE_NAMES


def _written_part(value: Any, path: Path) -> Path:
    """As much of the path as the value has."""
    found: list[str | int] = []
    for step in path:
        in_map = isinstance(value, dict) and step in value
        in_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not in_map and not in_list:
            break
        value = value[step]
        found.append(step)
    return tuple(found)


def _same_field(patch: object, whole: object, path: Path) -> Path | None:
    """The field's path in a patch: items of lists are found by their name. None where the patch does not have it."""
    found: list[str | int] = []
    for step in path:
        if isinstance(patch, dict) and isinstance(whole, dict) and step in patch:
            patch, whole = patch[step], whole.get(step)
            found.append(step)
        elif isinstance(patch, list) and isinstance(whole, list) and isinstance(step, int) and step < len(whole):
            item = whole[step]
            name = item.get("name") if isinstance(item, dict) else item
            number = next(
                (n for n, one in enumerate(patch) if (one.get("name") if isinstance(one, dict) else one) == name), None
            )
            if number is None:
                return None
            patch, whole = patch[number], item
            found.append(number)
        else:
            return None
    return tuple(found)
