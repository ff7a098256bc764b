"""Whether a write would change anything but the times in managedFields: then the real server writes nothing."""

from typing import Any

import msgspec

from kilde.core.basics.values import Object

_encode = msgspec.json.Encoder().encode


def same_but_times(new: Object, old: Object, *, ordered: bool = False) -> bool:
    """Equal, when the `time` of each managedFields entry does not count. `ordered`: the order of what is owned counts."""
    if new.keys() != old.keys():
        return False
    if any(new[key] != old[key] for key in new if key != "metadata"):
        return False
    after, before = new["metadata"], old["metadata"]
    if after.keys() != before.keys():
        return False
    if any(after[key] != before[key] for key in after if key != "managedFields"):
        return False
    mine, theirs = after.get("managedFields"), before.get("managedFields")
    return _timeless(mine) == _timeless(theirs) and (not ordered or _fields(mine) == _fields(theirs))


def _fields(entries: Any) -> list[bytes]:
    return [_encode(entry.get("fieldsV1")) for entry in entries or ()]


def _timeless(entries: Any) -> list[Object]:
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries or ()]
