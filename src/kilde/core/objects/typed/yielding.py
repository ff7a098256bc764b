"""Leaves fields to their owners: what managers that are trusted own is taken out of a configuration, or is in it as they have it.

The rule is that of Argo CD's `managedFieldsManagers` (util/argo/managedfields): a field counts that both sides have, that differs, and that
one of the managers owns, by whatever operation and sub-resource.
"""

from collections.abc import Collection

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed import merging
from kilde.core.objects.typed.field_set import Trie, intersection, is_member, union
from kilde.core.objects.typed.managers import decode
from kilde.core.objects.typed.node import DEDUCED, Node
from kilde.core.objects.typed.values import item_element


def fields_of(managers: Collection[str], live: Object, config: Object, *, node: Node, but: str = "") -> Trie:
    """The fields in which `config` would overrule these managers. What `but` owns counts for nobody; {} where nothing can be told."""
    try:
        owners = decode((live.get("metadata") or {}).get("managedFields"))
        owned: Trie = {}
        for owner, entry in owners.items():
            if owner.manager in managers and owner.manager != but:
                owned = union(owned, entry.fields)
        return intersection(owned, merging.compare(node, live, config).modified) if owned else {}
    except (InvalidInput, ValueError, RecursionError):
        return {}


def left_out(config: Json, fields: Trie, *, node: Node) -> Json:
    """The configuration without these fields; a map or list that is emptied by it goes, too."""
    if isinstance(config, dict) and node.map is not None:
        out: dict[str, Json] = {}
        for key, child in config.items():
            below = fields.get("f:" + key)
            if below is None:
                out[key] = child
            elif not is_member(below) and (rest := left_out(child, below, node=node.child(key) or DEDUCED)):
                out[key] = rest
        return out
    if isinstance(config, list) and node.list is not None:
        inner, items = node.list.items, [(item, fields.get(item_element(node.list, item))) for item in config]
        kept = [(item, below) for item, below in items if below is None or not is_member(below)]
        return [item if below is None else left_out(item, below, node=inner) for item, below in kept]
    return config


def as_live(config: Json, live: Json, fields: Trie, *, node: Node) -> Json:
    """The configuration with these fields as the live object has them."""
    if isinstance(config, dict) and isinstance(live, dict) and node.map is not None:
        out = dict(config)
        for key, child in config.items():
            below = fields.get("f:" + key)
            if below is None or key not in live:
                continue
            inner = node.child(key) or DEDUCED
            out[key] = live[key] if is_member(below) else as_live(child, live[key], below, node=inner)
        return out
    if isinstance(config, list) and isinstance(live, list) and node.list is not None:
        listed, there = node.list, {item_element(node.list, item): item for item in live}
        found: list[Json] = []
        for item in config:
            element = item_element(listed, item)
            below = fields.get(element)
            if below is None or element not in there:
                found.append(item)
            else:
                same = is_member(below)
                found.append(there[element] if same else as_live(item, there[element], below, node=listed.items))
        return found
    return config
