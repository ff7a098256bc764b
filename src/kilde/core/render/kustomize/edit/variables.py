"""`fix --vars`: variables become replacements, and their uses in files placeholders."""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import is_null
from kilde.core.render.kustomize.edit.fields import Change, Fields
from kilde.core.render.kustomize.edit.fix import fold_patches_and_labels
from kilde.core.render.kustomize.kustomization import FILE_NAMES, fold_fields, read_fields

Read = Callable[[str], bytes | None]
"""The content of a file, by its path from the kustomization's folder; None where there is none."""

_MAX_FOLDERS = 1000


class Conversion:
    """Gathers in `written`, while it is done, the new contents of the files that use variables."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.written: dict[str, bytes] = {}
        self._patches: dict[str, Mapping[str, Any]] = {}

    def change(self) -> Change:
        """Raises InvalidInput for a use that no replacement can express."""

        def change(fields: Fields) -> list[str]:
            variables = fields.pop("vars", None)
            if not variables:
                return []
            files = list(dict.fromkeys(self._files(fields, "", set())))
            found = [self._replacement(variable, files) for variable in variables]
            fields["replacements"] = [*(fields.get("replacements") or []), *found]
            return []

        return change

    def _content(self, path: str) -> bytes | None:
        return self.written[path] if path in self.written else self.read(path)

    def _files(self, fields: Fields, folder: str, seen: set[str]) -> Iterator[str]:
        """Every file that a kustomization is built from, those of its bases first."""
        for resource in fields.get("resources") or []:
            path = posixpath.normpath(posixpath.join(folder, resource))
            if path not in seen and len(seen) < _MAX_FOLDERS:
                seen.add(path)
                yield from self._files_of_base(path, seen)
            yield path
        for patch in fields.get("patches") or []:
            if patch.get("path"):
                path = posixpath.normpath(posixpath.join(folder, patch["path"]))
                self._patches[path] = patch
                yield path

    def _files_of_base(self, folder: str, seen: set[str]) -> Iterator[str]:
        for name in FILE_NAMES:
            content = self.read(posixpath.join(folder, name))
            if content is not None:
                fields, _ = read_fields(content, posixpath.join(folder, name))
                fold_fields(fields)
                fold_patches_and_labels(
                    fields, lambda path: self.read(posixpath.normpath(posixpath.join(folder, path))) is not None
                )
                yield from self._files(fields, folder, seen)

    def _replacement(self, variable: Mapping[str, Any], files: list[str]) -> dict[str, Any]:
        name = variable.get("name") or ""
        use = f"$({name})"
        targets: list[dict[str, Any]] = []
        for path in files:
            content = self._content(path)
            if content is None or use.encode() not in content:
                continue
            targets += self._targets(path, content, use)
            self.written[path] = content.replace(use.encode(), f"{name}_PLACEHOLDER".encode())
        source = _source(variable.get("objref") or {}, variable.get("fieldref") or {})
        return {"source": source, **({"targets": targets} if targets else {})}

    def _targets(self, path: str, content: bytes, use: str) -> list[dict[str, Any]]:
        try:
            documents = read_documents(content, file=path, mode="kustomize")
        except KildeError:
            return []
        found = []
        for body in _objects([document.value for document in documents]):
            for field_path, text in _uses(body, use, ()):
                target: dict[str, Any] = {"select": self._select(path, body), "fieldPaths": [field_path]}
                options = _options(text, use, path)
                found.append({**target, "options": options} if options else target)
        return found

    def _select(self, path: str, body: Mapping[str, Any]) -> dict[str, str]:
        """Which objects to write to: a patch with a target is for its target, whatever it is called itself."""
        own = _identity(body)
        patch = self._patches.get(path) or {}
        options = patch.get("options") or {}
        if not patch.get("target") or (options.get("allowNameChange") and options.get("allowKindChange")):
            return own
        select = dict(patch["target"])
        for name, is_own in (
            ("name", options.get("allowNameChange")),
            ("kind", options.get("allowKindChange")),
            ("namespace", own.get("namespace")),
        ):
            if is_own and own.get(name):
                select[name] = own[name]
        return select


def _objects(values: list[Any]) -> Iterator[Mapping[str, Any]]:
    """The objects of a file, those of a List one by one."""
    for value in values:
        if not isinstance(value, dict):
            continue
        items = value.get("items")
        if str(value.get("kind")).endswith("List") and isinstance(items, list):
            yield from _objects(items)
        else:
            yield value


def _source(reference: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, str]:
    group, _, version = (reference.get("apiVersion") or "").rpartition("/")
    found = {
        "group": group or reference.get("group"),
        "version": version or reference.get("version"),
        "kind": reference.get("kind"),
        "name": reference.get("name"),
        "namespace": reference.get("namespace"),
        "fieldPath": fields.get("fieldPath"),
    }
    return {name: text for name, text in found.items() if text}


def _identity(body: Mapping[str, Any]) -> dict[str, str]:
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    group, _, version = str(body.get("apiVersion") or "").rpartition("/")
    found = {
        "group": group,
        "version": version,
        "kind": body.get("kind"),
        "name": metadata.get("name"),
        "namespace": metadata.get("namespace"),
    }
    return {name: str(text) for name, text in found.items() if text and not is_null(text)}


def _uses(value: Any, use: str, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Path and text of every string that uses the variable."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _uses(item, use, (*path, f"[{key}]" if "." in key else key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _uses(item, use, (*path, str(index)))
    elif isinstance(value, str) and use in value:
        yield ".".join(path), str(value)


def _options(text: str, use: str, file: str) -> dict[str, Any]:
    """Which part of a text the variable is: the character beside it cuts the text into parts."""
    if text == use:
        return {}
    at = text.index(use)
    behind = text[at + len(use) : at + len(use) + 1]
    before = text[at - 1 : at]
    if before and behind and before != behind:
        raise InvalidInput(f"cannot convert all vars to replacements; {use} is not delimited", about=file)
    delimiter = before or behind
    parts = text.split(delimiter)
    index = 0 if not before else parts.index(use) if behind else len(parts) - 1
    return {"delimiter": delimiter, **({"index": index} if index else {})}
