"""Which values need which key: over branches and what is in the cluster, so that a key can be retired when nothing needs it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.yaml_reader import Document
from kilde.core.secrets import documents, in_files
from kilde.core.secrets.in_files import Found, Item
from kilde.core.secrets.keys import SealingKey, in_order
from kilde.core.secrets.surveying import Survey


@dataclass(slots=True)
class Needs:
    """Key's name → where values are that it opens, and in which objects; values that no key opens; what could not be read."""

    by_key: dict[str, list[str]] = field(default_factory=dict)
    objects: dict[str, set[str]] = field(default_factory=dict)
    unopened: list[dict[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, key: str, place: str, item: Item) -> None:
        """One value more that needs a key."""
        self.by_key.setdefault(key, []).append(f"{place}: {item.name}")
        self.objects.setdefault(key, set()).add(f"{place.partition(': ')[0]} {item.found.place}")


def needs(branches: Mapping[str, Survey], live: Iterable[Object], keys: tuple[SealingKey, ...]) -> Needs:
    """Of all that is watched. A value whose name an overlay changes is known by its text, once it is in the cluster.

    `branches`: by name; "" for a working copy.
    """
    found = Needs()
    known: dict[str, str] = {}
    for obj in live:
        metadata = obj.get("metadata") or {}
        about = f"the cluster: {metadata.get('namespace', '')}/{metadata.get('name', '')}"
        try:
            here = Found(Document(obj, 1, about), documents.sealed_secret(obj, about=about))
        except InvalidInput as error:
            found.problems.append(str(error))
            continue
        if here.sealed["spec"].get("data"):
            found.problems.append(
                f"{about}: is of the old form (spec.data), of which it is not known which key opens it"
            )
        for item in in_files.opened(here, in_order(keys), ()):
            if item.key is None:
                found.unopened.append(unopened(item, place=about))
                continue
            known[item.text] = item.key.name
            found.add(item.key.name, about, item)
    for branch, survey in branches.items():
        before = f"{branch}: " if branch else ""
        found.problems += [f"{before}{text}" for text in survey.unread]
        for item in survey.items(keys):
            key = item.key.name if item.key is not None else known.get(item.text)
            if key is None:
                found.unopened.append(unopened(item, place=f"{before}{place_of(item)}"))
            else:
                found.add(key, f"{before}{place_of(item)}", item)
    return found


def place_of(item: Item) -> str:
    """File, line and column of a value."""
    return str(item.found.document.place(("spec", "encryptedData", item.name)))


def unopened(item: Item, *, place: str = "") -> dict[str, str]:
    """A value that nobody can open, for people and machines."""
    named = "/".join(part for part in (item.found.namespace, item.found.name) if part)
    return {"place": place or place_of(item), "object": named, "item": item.name, "why": item.why}
