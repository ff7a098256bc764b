"""The text of a document after a patch, which a refusal quotes and of whose faults it tells the first.

Untouched parts are as Go wrote them, touched maps have their keys sorted, new values are as they were sent.
"""

import json

from kilde.core.basics.values import Json, Object, canonical
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.pointer import parse_pointer


def after_json_patch(before: Object, operations: Json) -> Json:
    """The patched document; `before` has Go's order. Go sorts the keys of every map that an operation goes through."""
    made: Json = before
    for operation in operations:
        if operation.get("op") == "move":  # what goes is looked for before it is known where it goes
            start = operation.get("from")
            taken = {"rest": _walked(made, _parents(start)), "moved": None}
            taken = json_patch(taken, [{"op": "move", "from": f"/rest{start}", "path": "/moved"}])
            made, operation = taken["rest"], {"op": "add", "path": operation.get("path"), "value": taken["moved"]}
        places = [_parents(operation.get(name)) for name in ("path", "from")]
        for place in places:
            made = _walked(made, place)
        made = json_patch(made, [operation])
        made = _walked(made, places[0])
        if operation.get("op") == "test":  # what is compared is read to its end
            made = _read(made, _parts(operation.get("path")))
    return {key: made[key] for key in sorted(made)} if isinstance(made, dict) else made


def after_merge_patch(made: Object, wanted: Object) -> Object:
    """The patched document `made` in its order: maps that the patch goes into are sorted, its new values to their end."""
    return {key: _merged(made[key], wanted.get(key, "")) for key in sorted(made)}


def _merged(value: Json, wanted: Json) -> Json:
    if isinstance(wanted, list):
        return _sorted(value)
    if not isinstance(value, dict) or not isinstance(wanted, dict):
        return value
    return {key: _merged(value[key], wanted.get(key, "")) for key in sorted(value)}


def _parts(pointer: Json) -> list[str]:
    return list(parse_pointer(pointer) or ()) if isinstance(pointer, str) else []


def _parents(pointer: Json) -> list[str]:
    return _parts(pointer)[:-1]


def _walked(value: Json, steps: list[str]) -> Json:
    """The value with the maps on this way sorted."""
    if isinstance(value, list):
        at = _index(value, steps)
        return value if at is None else [*value[:at], _walked(value[at], steps[1:]), *value[at + 1 :]]
    if not isinstance(value, dict):
        return value
    found = {key: value[key] for key in sorted(value)}
    if steps and steps[0] in found:
        found[steps[0]] = _walked(found[steps[0]], steps[1:])
    return found


def _read(value: Json, steps: list[str]) -> Json:
    """The value with all below this place sorted."""
    if not steps:
        return _sorted(value)
    if isinstance(value, list):
        at = _index(value, steps)
        return value if at is None else [*value[:at], _read(value[at], steps[1:]), *value[at + 1 :]]
    if isinstance(value, dict) and steps[0] in value:
        return {**value, steps[0]: _read(value[steps[0]], steps[1:])}
    return value


def _index(value: list[Json], steps: list[str]) -> int | None:
    return int(steps[0]) if steps and steps[0].isdecimal() and int(steps[0]) < len(value) else None


def _sorted(value: Json) -> Json:
    found: Json = json.loads(canonical(value))
    return found
