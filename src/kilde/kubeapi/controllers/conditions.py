"""Conditions of a status: found by type, replaced in place, with times that move only when the answer does."""

from collections.abc import Sequence
from typing import Any

from kilde.core.basics.moment import rfc3339

Condition = dict[str, Any]


def find(conditions: Sequence[Condition] | None, kind: str) -> Condition | None:
    """The condition of that type, or None."""
    return next((condition for condition in conditions or () if condition.get("type") == kind), None)


def is_true(conditions: Sequence[Condition] | None, kind: str) -> bool:
    found = find(conditions, kind)
    return found is not None and found.get("status") == "True"


def without(conditions: Sequence[Condition] | None, kind: str) -> list[Condition]:
    return [condition for condition in conditions or () if condition.get("type") != kind]


def put(conditions: Sequence[Condition] | None, new: Condition) -> list[Condition]:
    """The conditions with `new` at the place of its type, or at the end."""
    have = list(conditions or ())
    for index, condition in enumerate(have):
        if condition.get("type") == new["type"]:
            have[index] = new
            return have
    return [*have, new]


def condition(kind: str, status: str, reason: str, message: str, now: float) -> Condition:
    """A condition whose answer began now."""
    made = {"type": kind, "status": status, "lastTransitionTime": rfc3339(now)}
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    return made


def turn(conditions: Sequence[Condition] | None, new: Condition) -> list[Condition]:
    """Puts `new`; the time of the last turn stays where the status does, and nothing moves where nothing differs."""
    old = find(conditions, new["type"])
    if old is None:
        return put(conditions, new)
    if all(old.get(key) == new.get(key) for key in ("status", "reason", "message", "observedGeneration")):
        return list(conditions or ())
    if old.get("status") == new["status"] and "lastTransitionTime" in old:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return put(conditions, new)
