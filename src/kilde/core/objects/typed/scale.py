"""The scale sub-resource's view of who owns `replicas`: to the Scale object's managedFields and back to the parent's."""

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed import managers
from kilde.core.objects.typed.errors import Owner
from kilde.core.objects.typed.field_set import FieldSet, Path, Trie, difference, union
from kilde.core.objects.typed.managers import Entry, Managers

SCALE_VERSION = "autoscaling/v1"
DEFAULT_PATH: Path = ("f:spec", "f:replicas")

_REPLICAS = FieldSet.of(DEFAULT_PATH)


def scale_entries(parent: Json, path: Path = DEFAULT_PATH) -> list[Object]:
    """managedFields of the Scale object: those of the parent's entries that own its replicas, at `path`."""
    found: Managers = {}
    for owner, entry in managers.decode(parent).items():
        if path in FieldSet(entry.fields):
            found[_versioned(owner, SCALE_VERSION)] = Entry(_REPLICAS.trie, SCALE_VERSION, entry.time)
    return managers.encode(found)


def parent_entries(parent: Json, scale: Json, *, api_version: str, path: Path = DEFAULT_PATH) -> list[Object]:
    """The parent's managedFields after a write to its scale, whose entries are now `scale`.

    Whoever lost replicas there loses them here; who took them gets an entry of the parent's version, without a time.
    """
    replicas = FieldSet.of(path)
    now = {owner for owner, entry in managers.decode(scale).items() if DEFAULT_PATH in FieldSet(entry.fields)}
    out: Managers = {}
    for owner, entry in managers.decode(parent).items():
        same = _versioned(owner, SCALE_VERSION)
        if path in FieldSet(entry.fields) and same not in now:
            rest: Trie = difference(entry.fields, replicas.trie)
            if rest:
                out[owner] = Entry(rest, entry.api_version, entry.time)
        else:
            out[owner] = entry
            if path in FieldSet(entry.fields):
                now.discard(same)
    for owner in now:
        mine = _versioned(owner, api_version)
        before = out.get(mine)
        fields = union(before.fields, replicas.trie) if before else replicas.trie
        out[mine] = Entry(fields, api_version, before.time if before else "")
    return managers.encode(out)


def _versioned(owner: Owner, version: str) -> Owner:
    """The same owner in another version; an applier is one in all versions."""
    return owner if owner.operation == "Apply" else Owner(owner.manager, owner.operation, version, owner.subresource)
