"""A survey of files: every sealed value in them with the key that opens it, and what cannot be read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kilde.core.basics.errors import KildeError
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.secrets import in_files
from kilde.core.secrets.in_files import Found, Item
from kilde.core.secrets.keys import SealingKey, in_order

ENDINGS = (".yaml", ".yml", ".json")
LARGEST = 16 << 20  # bytes of a file


@dataclass(slots=True)
class Survey:
    """What files hold. `namespaces`: those that kustomizations and Applications name; `unread`: a sentence a file."""

    sealed: dict[str, list[Found]] = field(default_factory=dict)
    namespaces: dict[str, None] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def add(self, name: str, data: bytes) -> None:
        """Looks at one file."""
        try:
            if here := in_files.find(data, file=name):
                self.sealed[name] = here
        except KildeError as error:
            self.unread.append(str(error))
            return
        if b"namespace" in data:
            self.namespaces |= dict.fromkeys(_namespaces(name, data))

    def items(self, keys: tuple[SealingKey, ...]) -> Iterator[Item]:
        """Every sealed value, one after the other; the newest key is tried first."""
        tried = in_order(keys)
        for here in self.sealed.values():
            for found in here:
                yield from in_files.opened(found, tried, self.namespaces)


def survey(files: Iterable[tuple[str, bytes]], *, namespaces: Iterable[str] = ()) -> Survey:
    """Of files by name; `namespaces`: further ones that an object without one may be given."""
    found = Survey(namespaces=dict.fromkeys(namespaces))
    for name, data in files:
        if name.endswith(ENDINGS):
            found.add(name, data)
    return found


def _namespaces(name: str, data: bytes) -> Iterator[str]:
    try:
        values: list[Any] = [document.value for document in read_documents(data, file=name, duplicates="last")]
    except KildeError:
        return
    for value in values:
        spec = value.get("spec") if isinstance(value, dict) else None
        for each in (value, spec.get("destination") if isinstance(spec, dict) else None):
            if isinstance(each, dict) and each.get("namespace"):
                yield str(each["namespace"])
