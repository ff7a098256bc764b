"""Owners of parts of what has become one value: when a type turns atomic, who owned something inside owns the whole."""

from kilde.core.objects.typed.field_set import MEMBER, Trie
from kilde.core.objects.typed.managers import Entry, Managers
from kilde.core.objects.typed.node import DEDUCED, Node
from kilde.core.objects.typed.ownership import Versions, alike


def reconciled(node: Node, managers: Managers, versions: Versions = alike) -> Managers:
    """The managers with paths below atomic values replaced by the values' own; the same mapping where there are none."""
    changed: Managers = {}
    for owner, entry in managers.items():
        other = versions(entry.api_version)
        fields = _fields(other.node if other else node, entry.fields)
        if fields is not entry.fields:
            changed[owner] = Entry(fields, entry.api_version, entry.time)
    return {**managers, **changed} if changed else managers


def _fields(node: Node, trie: Trie) -> Trie:
    out = trie
    for element, child in trie.items():
        if not child or element == MEMBER:
            continue
        below = _below(node, element)
        if below is None or below is DEDUCED:
            continue
        made = {} if _is_atomic(below) else _fields(below, child)
        if made is not child:
            out = dict(out) if out is trie else out
            out[element] = made
    return out


def _below(node: Node, element: str) -> Node | None:
    if element.startswith("f:"):
        return node.child(element[2:])
    return node.list.items if element.startswith("k:") and node.list is not None else None


def _is_atomic(node: Node) -> bool:
    if node.map is not None:
        return node.map.atomic
    return node.list is not None and node.list.atomic
