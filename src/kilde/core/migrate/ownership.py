"""Who owns an object's fields before and after a move: what Argo CD applied becomes Kilde's, and the other way round.

As Kubernetes' own migration from client-side to server-side apply does it (csaupgrade): entries of managedFields are renamed and united, no
field of the object changes. Beside that, fields that the last-applied annotation does not name are left to nobody: a client-side apply
owns what the server has defaulted, too, and an applier that owns a default which it does not apply would seem to take it away.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object, canonical
from kilde.core.objects.typed.errors import Owner
from kilde.core.objects.typed.field_set import MEMBER, Trie, as_member, is_member, union
from kilde.core.objects.typed.last_applied import ANNOTATION, text
from kilde.core.objects.typed.managers import Entry, Managers, decode, encode

ARGOCD = "argocd-controller"
KUBECTL = "kubectl-client-side-apply"
FORMER = (ARGOCD, "argocd-application-controller", KUBECTL)
_DEEPEST = 100


def taken(
    live: Object, *, manager: str, former: Iterable[str] = FORMER, left: Iterable[tuple[str, str]] = ()
) -> list[Object] | None:
    """managedFields in which what the former managers applied is the manager's; None where nothing of theirs is left. InvalidInput.

    `left`: annotations and labels that become nobody's, ("annotations" or "labels", key): they stay though the manager does not apply them.
    """
    owners = decode((live.get("metadata") or {}).get("managedFields"))
    theirs = [owner for owner in owners if owner.manager in former and not owner.subresource]
    if not theirs:
        return None
    applied = _said(live)
    ours = Owner(manager, "Apply", "", "")
    version = max(theirs, key=lambda owner: owners[owner].time)
    api_version = owners[version].api_version
    fields: Trie = owners[ours].fields if ours in owners else {}
    out: Managers = {owner: entry for owner, entry in owners.items() if owner not in theirs and owner != ours}
    for owner in theirs:
        entry = owners[owner]
        if entry.api_version != api_version:
            out[owner] = entry  # its paths are those of another shape
            continue
        own = entry.fields if owner.operation == "Apply" or applied is None else _named(entry.fields, applied)
        fields = union(fields, own)
    fields = _without_annotation(fields)
    for section, key in left:
        fields = _without(fields, section, key)
    if fields:
        out[ours] = Entry(fields, api_version, owners[version].time)
    new = encode(out)
    return None if new == (live.get("metadata") or {}).get("managedFields") else new


def given_back(live: Object, *, manager: str, server_side: bool, to: str = ARGOCD) -> tuple[list[Object], str] | None:
    """managedFields in which what the manager applied is the other's, and the last-applied annotation ("" for server-side apply).

    None where nothing is the manager's. InvalidInput.
    """
    owners = decode((live.get("metadata") or {}).get("managedFields"))
    ours = Owner(manager, "Apply", "", "")
    entry = owners.get(ours)
    if entry is None:
        return None
    other = Owner(to, "Apply", "", "") if server_side else Owner(to, "Update", entry.api_version, "")
    out = {owner: each for owner, each in owners.items() if owner not in (ours, other)}
    fields = union(owners[other].fields, entry.fields) if other in owners else entry.fields
    out[other] = Entry(fields, entry.api_version, entry.time)
    return encode(out), "" if server_side else text(applied_by(live, entry.fields))


def applied_by(live: Object, fields: Trie) -> Object:
    """The object with just these fields: what their owner applied, as far as it still is so."""
    found = _extracted(live, _without_annotation(fields), 0)
    body: Object = found if isinstance(found, dict) else {}
    meta = live.get("metadata") or {}
    names = {key: meta[key] for key in ("name", "namespace") if meta.get(key)}
    own = body.get("metadata")
    head: Object = {key: live[key] for key in ("apiVersion", "kind") if key in live}
    return {**body, **head, "metadata": {**(own if isinstance(own, dict) else {}), **names}}


def _said(live: Object) -> Object | None:
    annotations = (live.get("metadata") or {}).get("annotations") or {}
    try:
        config = msgspec.json.decode(annotations.get(ANNOTATION) or "null")
    except msgspec.DecodeError:
        return None
    return config if isinstance(config, dict) else None


def _without_annotation(fields: Trie) -> Trie:
    return _without(fields, "annotations", ANNOTATION)


def _without(fields: Trie, section: str, key: str) -> Trie:
    """Without one annotation or label."""
    meta = fields.get("f:metadata") or {}
    entries = meta.get(f"f:{section}") or {}
    if f"f:{key}" not in entries:
        return fields
    rest = {name: child for name, child in entries.items() if name != f"f:{key}"}
    inner = {name: child for name, child in meta.items() if name != f"f:{section}"}
    if rest and set(rest) != {MEMBER}:
        inner[f"f:{section}"] = rest
    out = {name: child for name, child in fields.items() if name != "f:metadata"}
    return {**out, "f:metadata": inner} if inner else out


def _named(fields: Trie, config: Any, depth: int = 0) -> Trie:
    """Of these fields those that the configuration names."""
    if depth > _DEEPEST:
        raise InvalidInput("its managedFields are nested too deeply")
    out: Trie = {}
    for element, below in fields.items():
        if element == MEMBER:
            continue
        found, there = _step(config, element, loosely=True)
        if not there:
            continue
        inner = _named(below, found, depth + 1)
        if is_member(below):
            out[element] = as_member(inner)
        elif inner:
            out[element] = inner
    return out


def _extracted(value: Any, fields: Trie, depth: int) -> Any:
    if depth > _DEEPEST:
        raise InvalidInput("its managedFields are nested too deeply")
    if not fields:
        return value
    elements = [element for element in fields if element != MEMBER]
    if isinstance(value, dict):
        out: Object = {}
        for element in elements:
            found, there = _step(value, element)
            if there:
                out[element.removeprefix("f:")] = _extracted(found, fields[element], depth + 1)
        return out
    if isinstance(value, list):
        chosen: dict[int, Any] = {}
        for element in elements:
            found, there = _step(value, element)
            if there:
                chosen[next(i for i, item in enumerate(value) if item is found)] = _extracted(
                    found, fields[element], depth + 1
                )
        return [chosen[place] for place in sorted(chosen)]
    return value


def _step(value: Any, element: str, *, loosely: bool = False) -> tuple[Any, bool]:
    """What a path element leads to, and whether it is there. Loosely: an item may lack key fields, which the server defaults."""
    kind, _, word = element.partition(":")
    if kind == "f":
        return (value[word], True) if isinstance(value, dict) and word in value else (None, False)
    if not isinstance(value, list):
        return None, False
    if kind == "i":
        place = int(word)
        return (value[place], True) if 0 <= place < len(value) else (None, False)
    wanted = msgspec.json.decode(word)
    for item in value:
        if kind == "v" and canonical(item) == canonical(wanted):
            return item, True
        if kind == "k" and isinstance(item, dict) and _is_keyed(item, wanted, loosely=loosely):
            return item, True
    return None, False


def _is_keyed(item: Object, keys: Object, *, loosely: bool) -> bool:
    known = [key for key in keys if key in item]
    if not known or (not loosely and len(known) < len(keys)):
        return False
    return all(item[key] == keys[key] for key in known)
