"""The scale sub-resource's view of who owns `replicas`: to the Scale object's managedFields and back to the parent's."""

from collections.abc import Mapping
from types import MappingProxyType

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed import managers
from kilde.core.objects.typed.errors import Owner
from kilde.core.objects.typed.field_set import FieldSet, Path, Trie, difference
from kilde.core.objects.typed.managers import Entry, Managers

SCALE_VERSION = "autoscaling/v1"
DEFAULT_PATH: Path = ("f:spec", "f:replicas")

_REPLICAS = FieldSet.of(DEFAULT_PATH)


Paths = Mapping[str, Path | None]
"""apiVersion → where that version of the parent keeps its replicas; None where it has no scale."""


def scale_entries(parent: Json, path: Path = DEFAULT_PATH, others: Paths = MappingProxyType({})) -> list[Object]:
    """managedFields of the Scale object: those of the parent's entries that own its replicas, at `path` or where `others` says."""
    found: Managers = {}
    for owner, entry in managers.decode(parent).items():
        if _owns(entry, others.get(entry.api_version, path)):
            found[_versioned(owner, SCALE_VERSION)] = Entry(_REPLICAS.trie, SCALE_VERSION, entry.time)
    return managers.encode(found)


def parent_entries(
    parent: Json, scale: Json, *, api_version: str, path: Path = DEFAULT_PATH, others: Paths = MappingProxyType({})
) -> list[Object]:
    """The parent's managedFields after a write to its scale, whose entries are now `scale`.

    Whoever lost replicas there loses them here; who has them gets an entry of the parent's version, without a time. An updater is another
    one in the scale's version: it has two entries then, even if nothing was scaled, of which the next write reads the last.
    """
    replicas = FieldSet.of(path)
    now = {owner: DEFAULT_PATH in FieldSet(entry.fields) for owner, entry in managers.decode(scale).items()}
    before = managers.decode(parent)
    out: Managers = {}
    for owner, entry in before.items():
        own = others.get(entry.api_version, path)
        if own is None or not _owns(entry, own):
            out[owner] = entry
        elif owner in now:
            out[owner] = entry
            del now[owner]
        else:
            rest: Trie = difference(entry.fields, FieldSet.of(own).trie)
            if rest:
                out[owner] = Entry(rest, entry.api_version, entry.time)
    for owner in (each for each, has in now.items() if has):
        out[owner] = Entry(replicas.trie, api_version, before[owner].time if owner in before else "")
    return managers.encode(out)


def _owns(entry: Entry, path: Path | None) -> bool:
    return path is not None and path in FieldSet(entry.fields)


def _versioned(owner: Owner, version: str) -> Owner:
    """The same owner in another version; an applier is one in all versions."""
    return owner if owner.operation == "Apply" else Owner(owner.manager, owner.operation, version, owner.subresource)
