"""SealedSecrets as they stand in files: found with their places, and changed in the text, so that all else stays as it was written."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kilde.core.basics.errors import InvalidInput, Place
from kilde.core.basics.values import Object
from kilde.core.objects.yaml_reader import Document, read_documents
from kilde.core.objects.yaml_writer import write_document
from kilde.core.secrets import base64, documents, recipients
from kilde.core.secrets.item import open_item
from kilde.core.secrets.keys import SealingKey
from kilde.core.secrets.scope import GROUP, KIND, Scope, scope_of
from kilde.core.secrets.sealed_value import CannotOpen
from kilde.core.secrets.sealing import Sealer

_MARK = KIND.encode()


@dataclass(frozen=True, slots=True)
class Found:
    """One SealedSecret of one file, typed."""

    document: Document = field(repr=False)
    sealed: Object = field(repr=False)

    @property
    def place(self) -> Place:
        return self.document.place()

    @property
    def name(self) -> str:
        return str(self.sealed["metadata"].get("name") or "")

    @property
    def namespace(self) -> str:
        """Its own; "" where an overlay gives it one."""
        return str(self.sealed["metadata"].get("namespace") or "")

    @property
    def items(self) -> Mapping[str, str]:
        """Item → sealed text."""
        items: Mapping[str, str] = self.sealed["spec"]["encryptedData"]
        return items

    def placed(self, namespaces: Iterable[str]) -> list[Object]:
        """The object as it may stand in a cluster: in its own namespace, or else in each that may be given to it."""
        if self.namespace or scope_of(self.sealed["metadata"]) is Scope.CLUSTER_WIDE:
            return [self.sealed]
        metadata = self.sealed["metadata"]
        return [{**self.sealed, "metadata": {**metadata, "namespace": each}} for each in namespaces]


@dataclass(frozen=True, slots=True)
class Item:
    """One value: where and by which key it opens; `key` None: nobody can open it, and `why`.

    `placed`: the object in the namespace in which it opens.
    """

    found: Found = field(repr=False)
    name: str
    key: SealingKey | None
    why: str = ""
    placed: Object = field(default_factory=dict, repr=False)
    value: bytes = field(default=b"", repr=False)

    @property
    def recipients(self) -> tuple[bytes, ...]:
        """Key ids, of a value for several; empty for one of the common format or what is spoilt."""
        is_marked = recipients.is_marked(self.found.sealed["metadata"])
        return recipients.recipients_of_text(self.text) if is_marked else ()

    @property
    def text(self) -> str:
        """The sealed text as it stands in the file."""
        return self.found.items[self.name]


def find(data: bytes, *, file: str) -> list[Found]:
    """Every SealedSecret of a file. InvalidInput for a file that mentions one and cannot be read."""
    if _MARK not in data:
        return []
    found = []
    for document in read_documents(data, file=file, duplicates="last"):
        value = document.value
        is_one = isinstance(value, dict) and value.get("kind") == KIND
        if (
            is_one
            and str(value.get("apiVersion", "")).startswith(f"{GROUP}/")
            and "encryptedData" in (value.get("spec") or {})
        ):
            found.append(Found(document, documents.sealed_secret(value, about=str(document.place()))))
    return found


def opened(found: Found, keys: Iterable[SealingKey], namespaces: Iterable[str]) -> list[Item]:
    """Each item with the key that opens it. `namespaces`: those that an overlay may give to an object without one."""
    by_private = {id(key.private): key for key in keys}
    private = [key.private for key in by_private.values()]
    places, items = found.placed(namespaces), []
    for name in found.items:
        item = Item(found, name, None, "no key could decrypt secret")
        for placed in places:
            try:
                value, by = open_item(placed, name, private)
            except (base64.IllegalBase64, CannotOpen) as error:
                item = Item(found, name, None, str(error))
                continue
            item = Item(found, name, by_private[id(by)], placed=placed, value=value)
            places.sort(key=lambda one: one is not item.placed)
            break
        items.append(item)
    return items


def resealed(data: bytes, items: Iterable[Item], sealer: Sealer, *, keep: bool = False) -> bytes:
    """The file with these values sealed anew, and not a byte else changed. InvalidInput for a text that is not on one line.

    `keep`: a value for several recipients gets one more instead of one for another.
    """
    for item in items:
        assert item.key is not None, "only what opens is sealed anew"
        data = replaced(data, item, sealer.anew(item.placed, item.name, item.value, item.key.private, keep=keep))
    return data


def replaced(data: bytes, item: Item, text: str) -> bytes:
    """The file with another sealed text for one item."""
    old = item.text.encode()
    if old not in data or not old:
        place = item.found.document.place(("spec", "encryptedData", item.name))
        hint = "write the sealed text on one line"
        raise InvalidInput(f"the sealed text of '{item.name}' is broken over lines", place=place, hint=hint)
    return data.replace(old, text.encode())


def added(data: bytes, found: Found, name: str, text: str) -> bytes:
    """The file with one item more, before the first one that is there. InvalidInput where there is none to go by."""
    first = next(iter(found.document.value["spec"]["encryptedData"] or {}), None)
    place = found.document.place(("spec", "encryptedData", first)) if first is not None else found.place
    lines = data.split(b"\n")
    line = lines[place.line - 1] if first is not None else b""
    key = line.lstrip()
    if first is None or not key.startswith((first.encode(), f'"{first}"'.encode(), f"'{first}'".encode())):
        hint = "use kilde seal --merge-into FILE"
        raise InvalidInput("an item cannot be added to a file written like this", place=place, hint=hint)
    is_json = key.startswith(b'"') and line.rstrip().endswith((b",", b'"'))
    entry = f"{json.dumps(name)}: {json.dumps(text)}," if is_json else write_document({name: text}).rstrip("\n")
    lines.insert(place.line - 1, line[: len(line) - len(key)] + entry.encode())
    return b"\n".join(lines)
