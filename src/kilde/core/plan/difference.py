"""Where two values differ, as paths people can read; and who owns a path, as the server's managedFields tell it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.plan.change import ABSENT, Writer

Step = str | int | tuple[tuple[str, Any], ...]
Path = tuple[Step, ...]

_KEYS = ("name", "containerPort", "port", "mountPath", "devicePath", "type", "key", "uid", "ip", "topologyKey")


def differences(live: Json, wanted: Json, path: Path = ()) -> Iterator[tuple[Path, Json, Json]]:
    """Each (path, live value, wanted value) that differs; ABSENT where a side has nothing. Items of lists are told apart
    by their key field where they have one, else by position; lists of other lengths differ as a whole."""
    if live == wanted and type(live) is type(wanted):
        return
    if isinstance(live, dict) and isinstance(wanted, dict):
        for key in [*wanted, *(k for k in live if k not in wanted)]:
            if key not in live:
                yield (*path, key), ABSENT, wanted[key]
            elif key not in wanted:
                yield (*path, key), live[key], ABSENT
            else:
                yield from differences(live[key], wanted[key], (*path, key))
    elif isinstance(live, list) and isinstance(wanted, list):
        yield from _lists(live, wanted, path)
    else:
        yield path, live, wanted


def _lists(live: list[Json], wanted: list[Json], path: Path) -> Iterator[tuple[Path, Json, Json]]:
    key = _common_key(live, wanted)
    if key:
        old = {item[key]: item for item in live}
        new = {item[key]: item for item in wanted}
        for name in [*new, *(n for n in old if n not in new)]:
            step = ((key, name),)
            if name not in old:
                yield (*path, step), ABSENT, new[name]
            elif name not in new:
                yield (*path, step), old[name], ABSENT
            else:
                yield from differences(old[name], new[name], (*path, step))
        common_old = [n for n in old if n in new]
        common_new = [n for n in new if n in old]
        if common_old != common_new:
            yield path, common_old, common_new
    elif len(live) == len(wanted) and all(isinstance(item, (dict, list)) for item in [*live, *wanted]):
        for index, (a, b) in enumerate(zip(live, wanted, strict=True)):
            yield from differences(a, b, (*path, index))
    else:
        yield path, live, wanted


def _common_key(live: list[Json], wanted: list[Json]) -> str:
    items = [*live, *wanted]
    if not items or not all(isinstance(item, dict) for item in items):
        return ""
    for key in _KEYS:
        if all(isinstance(item.get(key), (str, int)) for item in items):
            unique = all(len({item[key] for item in side}) == len(side) for side in (live, wanted))
            if unique:
                return key
    return ""


def writer_of(live: Object, path: Path, *, but: str = "") -> Writer | None:
    """The manager that owns a path of a live object, the latest where there are several; managers named `but` do not count."""
    found: Writer | None = None
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        if entry.get("manager") == but or not isinstance(entry.get("fieldsV1"), dict):
            continue
        if _owns(entry["fieldsV1"], live, path):
            writer = Writer(
                str(entry.get("manager", "")),
                str(entry.get("operation", "")),
                str(entry.get("time", "")),
                str(entry.get("subresource", "")),
            )
            if found is None or writer.time >= found.time:
                found = writer
    return found


def _owns(trie: Mapping[str, Any], live: Json, path: Path) -> bool:
    """Whether a fieldsV1 trie has the path, something above it that is a leaf, or something below it."""
    node: Mapping[str, Any] = trie
    value = live
    for step in path:
        if not node or list(node) == ["."]:
            return bool(node) or node is not trie
        key, value = _element(node, value, step)
        if key is None:
            return False
        node = node[key]
    return True


def _element(node: Mapping[str, Any], value: Json, step: Step) -> tuple[str | None, Json]:
    """The trie's key for one step, and the value below it."""
    if isinstance(step, str):
        key = f"f:{step}"
        return (key if key in node else None), (value.get(step) if isinstance(value, dict) else None)
    items = value if isinstance(value, list) else []
    if isinstance(step, int):
        item = items[step] if step < len(items) else None
    else:
        item = next((i for i in items if isinstance(i, dict) and all(i.get(k) == v for k, v in step)), None)
    for key in node:
        if key.startswith("k:"):
            keys = json.loads(key[2:])
            named = dict(step) if isinstance(step, tuple) else {}
            if isinstance(item, dict) and all(item.get(k) == v for k, v in keys.items()):
                return key, item
            if item is None and named and all(keys.get(k) == v for k, v in named.items()):
                return key, None
    return None, item
