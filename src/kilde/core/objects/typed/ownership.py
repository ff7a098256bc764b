"""Who owns what after a write: the two transitions of server-side apply, on objects without managedFields.

`applied` and `updated` are the Updater of structured-merge-diff: merge, prune, compare, take away. What surrounds
them in a server (managedFields, resets, times, the last-applied bridge) is managed_fields.py.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed import merging
from kilde.core.objects.typed.errors import ApplyConflict, Conflict, Owner, TypingError
from kilde.core.objects.typed.field_set import (
    Trie,
    difference,
    intersection,
    is_subset,
    iterate,
    union,
    without_trees,
)
from kilde.core.objects.typed.fused import fused
from kilde.core.objects.typed.managers import Entry, Managers
from kilde.core.objects.typed.merging import NOTHING, Comparison
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.validation import check

# Nobody owns these: the server does.
_SERVERS: Trie = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        ".": {},
        **{
            f"f:{name}": {}
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        },
    },
}


class Version(NamedTuple):
    """Another version of the same kind: its type, and how an object of the one that is written becomes one of it."""

    node: Node
    convert: Callable[[Object], Object]


Versions = Callable[[str], Version | None]
"""apiVersion → that version, None where it has the shape of the one that is written. Owners are judged in their own."""


def alike(api_version: str) -> Version | None:
    """The versions of a kind that has one shape in all of them."""
    return None


class Intent(NamedTuple):
    """Somebody wants this value to be: who, in which version, and what the endpoint resets (it owns nothing of that)."""

    owner: Owner
    api_version: str
    reset: Trie
    force: bool = False
    versions: Versions = alike


def applied(node: Node, live: Object, config: Object, managers: Managers, intent: Intent) -> tuple[Object, Managers]:
    """Server-side apply. ApplyConflict if others own what would change; TypingError if the config does not fit its type."""
    last = managers.get(intent.owner)
    quick = fused(node, live, config, inside=any(owner != intent.owner for owner in managers))
    if quick is not None:
        merged, wanted, comparison = quick.value, quick.paths, Comparison({}, {}, quick.changed)
    else:
        check(node, config, duplicates=False)
        wanted = merging.paths_of(node, config)
        merged = _object(merging.merge(node, live, config))
        comparison = merging.compare(node, live, merged)
    wanted = without_trees(wanted, intent.reset)
    now = {**managers, intent.owner: Entry(wanted, intent.api_version)}
    kept = difference(wanted, _SERVERS)
    if last is not None and last.fields and last.fields != kept and not is_subset(last.fields, wanted):
        merged = _pruned(node, merged, now, last.fields)
        comparison = merging.compare(node, live, merged)
    owned = taken_away(now, comparison, intent, _elsewhere(intent, live, merged))
    owned.pop(intent.owner, None)
    if last is not None and kept and last.fields == kept and last.api_version == intent.api_version:
        owned[intent.owner] = last
    elif kept:  # only now: while pruning, the name of the applied object holds its metadata
        owned[intent.owner] = Entry(kept, intent.api_version)
    return merged, owned


def _object(value: Json) -> Object:
    return value if isinstance(value, dict) else {}


def _pruned(node: Node, merged: Object, managers: Managers, last: Trie) -> Object:
    """Removes what the applier applied last time, does not apply now, and nobody owns."""
    once = merging.with_named(node, last)
    everything = merging.with_named(node, merging.paths_of(node, merged))
    owned: Trie = {}
    for entry in managers.values():
        owned = union(owned, entry.fields)
    kept = _named_paths(node, merging.remove(node, merged, once))
    given_back = union(kept, merging.with_named(node, owned))
    rest = merging.remove(node, merged, difference(everything, given_back))
    gone = intersection(difference(everything, _named_paths(node, rest)), once)
    return _object(merging.remove(node, merged, gone))


def _named_paths(node: Node, value: Json) -> Trie:
    return merging.with_named(node, merging.paths_of(node, value)) if value is not None else {}


def _elsewhere(intent: Intent, live: Object, new: Object) -> Callable[[str], Comparison | None]:
    """The same change as other versions show it."""

    @cache
    def compared(api_version: str) -> Comparison | None:
        found = None if api_version == intent.api_version else intent.versions(api_version)
        if found is None:
            return None
        return merging.compare(found.node, _converted(found, live, "old"), _converted(found, new, "new"))

    return compared


def _converted(version: Version, obj: Object, what: str) -> Object:
    try:
        return version.convert(obj)
    except TypingError as error:
        raise TypingError(f"failed to convert {what} object: {error.what}") from error


def taken_away(
    managers: Managers,
    comparison: Comparison,
    intent: Intent,
    elsewhere: Callable[[str], Comparison | None] = lambda api_version: None,
) -> Managers:
    """Every other manager without what changed (a conflict unless forced) and what is gone; nobody is left owning nothing."""
    out: Managers = {}
    conflicts: list[Conflict] = []
    for owner, entry in managers.items():
        fields = entry.fields
        if owner == intent.owner:
            out |= {owner: entry} if fields else {}
            continue
        seen = elsewhere(entry.api_version) or comparison
        changed, removed = without_trees(seen.changed, intent.reset), without_trees(seen.removed, intent.reset)
        if changed or removed:
            clash = intersection(fields, changed) if changed else {}
            if clash and not intent.force:
                conflicts.extend(Conflict(owner, path) for path in iterate(clash))
            fields = difference(difference(fields, clash), removed)
        if fields:
            out[owner] = entry if fields == entry.fields else Entry(fields, entry.api_version, entry.time)
    if conflicts:
        raise ApplyConflict(conflicts)
    return out


def updated(node: Node, live: Object, new: Object, managers: Managers, intent: Intent) -> tuple[Managers, bool]:
    """Any other write. The second answer: whether the writer took anything."""
    comparison = NOTHING if live is new else merging.compare(node, live, new)
    former = managers.get(intent.owner)
    # The write runs under an identity of its own, so the writer's former entry loses and regains what it changes.
    nobody = intent._replace(owner=Owner("", "", ""), force=True)
    others = taken_away(managers, comparison, nobody, _elsewhere(intent, live, new))
    mine = difference(without_trees(comparison.changed, intent.reset), _SERVERS)
    if not mine:
        return others, False
    before = others.get(intent.owner)
    fields = union(before.fields, mine) if before is not None else mine
    time = former.time if former is not None else ""
    return {**others, intent.owner: Entry(fields, intent.api_version, time)}, True
