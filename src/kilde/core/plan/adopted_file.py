"""Files of Git that say what was changed by hand: a manifest edited in place, or a kustomization with a patch more."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kilde.core.basics.errors import InvalidInput, Place
from kilde.core.basics.values import Object
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.ref import ObjectRef
from kilde.core.objects.yaml_edit import rewrite
from kilde.core.objects.yaml_reader import Document, read_documents
from kilde.core.objects.yaml_writer import write_document
from kilde.core.render.kustomize.edit.editing import edit_kustomization
from kilde.core.render.kustomize.edit.patches import add_patch, patch_entry

Operations = Sequence[Mapping[str, Any]]


def in_place(data: bytes, file: str, ref: ObjectRef, operations: Operations, *, gone: bool) -> bytes:
    """The file with the object changed, its comments kept, or without it. InvalidInput where it is not one document of the file."""
    text = data.decode("utf-8")
    for document in read_documents(data, file=file):
        if not _is(document.value, ref):
            continue
        before = document.text.decode("utf-8")
        if text.count(before) != 1:
            break
        if gone:
            return _without(text, before).encode("utf-8")
        after = json_patch(document.value, [dict(one) for one in operations])
        assert isinstance(after, dict)
        return text.replace(before, _rewritten(before, after, file)).encode("utf-8")
    raise InvalidInput(f"{ref} is not a document of its own", place=Place(file), hint="change it in Git by hand")


def _is(value: Any, ref: ObjectRef) -> bool:
    meta = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(meta, dict) or (value.get("kind"), meta.get("name")) != (ref.kind, ref.name):
        return False
    group = str(value.get("apiVersion", "")).rpartition("/")[0]
    return group == ref.group and meta.get("namespace") in (None, "", ref.namespace)


def _without(text: str, document: str) -> str:
    """The text without a document, and without the line that parts it from the others."""
    at = text.index(document)
    head, tail = text[:at], text[at + len(document) :]
    if not tail:
        return re.sub(r"^---[^\n]*\n\Z", "", head, flags=re.MULTILINE)
    return head + (tail.partition("\n")[2] if tail.startswith("---") else tail)


def _rewritten(text: str, after: Object, file: str) -> str:
    def read(edited: str) -> Object:
        found: list[Document] = read_documents(edited.encode(), file=file)
        value = found[0].value if len(found) == 1 else None
        return value if isinstance(value, dict) else {}

    return rewrite(text, after, read=read, spelling=lambda _path, key: key)


def with_patch(
    data: bytes, file: str, ref: ObjectRef, api_version: str, operations: Operations, *, gone: bool
) -> bytes:
    """The kustomization with a patch of the object, of the same fields, or one that takes it away."""
    group, _, version = api_version.rpartition("/")
    target = {"group": group, "version": version, "kind": ref.kind, "name": re.escape(ref.name)}
    if gone:
        body = {"$patch": "delete", "apiVersion": api_version, "kind": ref.kind, "metadata": {"name": ref.name}}
        patch = write_document(body)
    else:
        patch = write_document([dict(one) for one in operations])
    return edit_kustomization(data, file, add_patch(patch_entry("", patch, target))).content
