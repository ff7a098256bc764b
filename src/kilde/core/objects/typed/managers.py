"""Managers: metadata.managedFields as a value, both ways, with the limits a server keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed.errors import Owner
from kilde.core.objects.typed.field_set import FieldSet, Trie, in_letters, tidy, union

MAX_UPDATE_MANAGERS = 10
ANCIENT = "ancient-changes"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one owner owns. `api_version` is the version it wrote in; `time` is RFC 3339 or "" (never changed a value)."""

    fields: Trie
    api_version: str
    time: str = ""
    raw: Mapping[str, Any] | None = field(default=None, compare=False)  # as it was read, to be written back unchanged


Managers = dict[Owner, Entry]


def decode(raw: Json) -> Managers:
    """Reads metadata.managedFields. InvalidInput if an entry cannot be read. None and [] give no managers."""
    out: Managers = {}
    if raw is not None and not isinstance(raw, list):
        raise InvalidInput("managedFields is not a list")
    for entry in raw or ():
        owner, read = _decoded(entry)
        out[owner] = read
    return out


def _decoded(entry: Json) -> tuple[Owner, Entry]:
    if not isinstance(entry, dict):
        raise InvalidInput("an entry of managedFields is not an object")
    operation = entry.get("operation")
    if operation not in ("Apply", "Update"):
        raise InvalidInput(f"invalid operation {operation!r}")
    if entry.get("fieldsType") != "FieldsV1":
        raise InvalidInput(f"invalid fieldsType {entry.get('fieldsType')!r}")
    fields = entry.get("fieldsV1")
    version = str(entry.get("apiVersion") or "")
    owner = Owner(
        str(entry.get("manager") or ""),
        operation,
        version if operation == "Update" else "",
        str(entry.get("subresource") or ""),
    )
    trie = fields if isinstance(fields, dict) else {}
    return owner, Entry(trie, version, str(entry.get("time") or ""), entry)


def decode_foreign(raw: Json) -> Managers:
    """decode, for what a client sent: path elements are checked and brought into their one form."""
    return {
        owner: Entry(FieldSet.from_v1(entry.fields).trie, entry.api_version, entry.time)
        for owner, entry in decode(raw).items()
    }


def encode(managers: Managers) -> list[Object]:
    """metadata.managedFields in a server's order: Apply before Update, older first, those without a time before them."""
    ordered = sorted(
        managers.items(),
        key=lambda pair: (pair[0].operation, pair[1].time, pair[0].manager, pair[1].api_version, pair[0].subresource),
    )
    return [_encoded(owner, entry) for owner, entry in ordered]


def _encoded(owner: Owner, entry: Entry) -> Object:
    raw = entry.raw
    unchanged = isinstance(raw, dict) and raw.get("fieldsV1") is entry.fields
    if isinstance(raw, dict) and unchanged and (raw.get("time") or "") == entry.time:
        return raw
    out: Object = {"manager": owner.manager, "operation": owner.operation, "apiVersion": entry.api_version}
    if entry.time:
        out["time"] = entry.time
    out |= {"fieldsType": "FieldsV1", "fieldsV1": entry.fields if unchanged else tidy(entry.fields)}
    if owner.subresource:
        out["subresource"] = owner.subresource
    return out


def in_order(entries: list[Object]) -> list[Object]:
    """managedFields as every write but a scale leaves them."""
    return [{**entry, "fieldsV1": tidy(entry["fieldsV1"])} if "fieldsV1" in entry else entry for entry in entries]


def after_scale(entries: list[Object]) -> list[Object]:
    """managedFields of a built-in kind as a scale leaves them: it takes them through a map, whose keys Go sorts by letters."""
    return [{**entry, "fieldsV1": in_letters(entry["fieldsV1"])} if "fieldsV1" in entry else entry for entry in entries]


def capped(managers: Managers) -> Managers:
    """At most ten Update entries: the oldest of one apiVersion are united as `ancient-changes`."""
    updates = [owner for owner in managers if owner.operation == "Update"]
    surplus = len(updates) - MAX_UPDATE_MANAGERS
    if surplus <= 0:
        return managers
    out = dict(managers)
    first: dict[str, Owner] = {}
    for owner in sorted(updates, key=lambda each: (managers[each].time, each)):
        version = managers[owner].api_version
        ancient = Owner(ANCIENT, "Update", version)
        if version not in first:
            first[version] = owner
        elif owner != ancient:
            older = out.pop(ancient, None) or out.pop(first[version])
            newer = out.pop(owner)
            out[ancient] = Entry(union(older.fields, newer.fields), version, newer.time)
            surplus -= 1
            if not surplus:
                break
    return out
