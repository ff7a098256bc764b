"""Whether a write would change anything but the times in managedFields: then the real server writes nothing."""

from typing import Any

from kilde.core.basics.values import Object


def same_but_times(new: Object, old: Object) -> bool:
    """Equal, when the `time` of each managedFields entry does not count."""
    if new.keys() != old.keys():
        return False
    if any(new[key] != old[key] for key in new if key != "metadata"):
        return False
    after, before = new["metadata"], old["metadata"]
    if after.keys() != before.keys():
        return False
    if any(after[key] != before[key] for key in after if key != "managedFields"):
        return False
    return _timeless(after.get("managedFields")) == _timeless(before.get("managedFields"))


def _timeless(entries: Any) -> list[Object]:
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries or ()]
