"""Random sequences of requests about a few objects, as data: a sequence can be kept, replayed and cut down."""

import copy
import dataclasses
from dataclasses import dataclass
from typing import Any

from differential import many
from differential.kinds import KINDS, Fuzzed
from differential.shapes import Dice, Object, meta

MANAGERS = ("alpha", "beta", "kubectl")
MERGE, JSON_PATCH, STRATEGIC, APPLY = (
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
VERSION, UID = "<<resourceVersion>>", "<<uid>>"  # replaced by what each server itself last told of the object


@dataclass
class Step:
    """One request; the method WATCH is a GET of which all events are read. `{ns}` in path and body is the sequence's own namespace."""

    method: str
    path: str
    body: Any = None
    media: str = "application/json"
    about: str = ""  # the object's own path: whose resourceVersion and uid the placeholders mean
    accept: str = "application/json"

    def as_json(self) -> Object:
        return dataclasses.asdict(self)


def sequence(seed: int, length: int) -> list[Step]:
    """The steps of a seed: several writes to one or two objects, so that ownership and updates meet."""
    dice = Dice(seed)
    targets = [_target(dice)]
    if dice.maybe() and not targets[0][0].alone:
        kind, name = targets[0]
        targets.append((kind, f"{name[:-1]}y") if dice.maybe(0.4) else _target(dice))
        targets = targets[: 1 if targets[1][0].alone else 2]
    states: dict[str, Object] = {}
    return [_step(dice, *dice.choice(targets), states) for _ in range(length)]


def _target(dice: Dice) -> tuple[Fuzzed, str]:
    kind = dice.choices(KINDS, [each.weight for each in KINDS])[0]
    return kind, "x" if kind.namespaced else "{ns}-x"


def _full(dice: Dice, kind: Fuzzed, name: str) -> Object:
    body: Object = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta(dice, name), **kind.shape(dice)}
    if dice.maybe(0.15):
        body = mutated(dice, body)
    return body


def _step(dice: Dice, kind: Fuzzed, name: str, states: dict[str, Object]) -> Step:
    about = kind.path("{ns}", name)
    roll = dice.random()
    if about not in states or roll < 0.04:
        body = states[about] = _full(dice, kind, name)
        if dice.maybe(0.35):
            return _apply(dice, about, body)
        return Step("POST", kind.path("{ns}") + _query(dice), body, about=about)
    if roll < 0.29:
        return _apply(dice, about, _part(dice, kind, name, states[about]))
    if roll < 0.43:
        body = _next(dice, kind, name, states[about])
        states[about] = body
        body = copy.deepcopy(body)
        if isinstance(body.get("metadata"), dict) and (kind.custom or dice.maybe(0.3)):
            body["metadata"]["resourceVersion"] = dice.odd(VERSION, "", "1")
        return Step("PUT", about + _query(dice), body, about=about)
    if roll < 0.74:
        return _patch(dice, kind, about, states[about])
    if roll < 0.83 and (kind.status or kind.scale):
        return _subresource(dice, kind, about, name)
    if roll < 0.87:
        return Step("GET", about, about=about, accept=many.form(dice).replace("MetadataList", "Metadata"))
    if roll < 0.94:
        return _many(dice, kind, states)
    states.pop(about)
    options = dice.some(
        propagationPolicy=dice.odd("Background", "Foreground", "Orphan", "X", likely=0.4),
        preconditions={"uid": dice.odd(UID, "x")},
        gracePeriodSeconds=0,
    )
    return Step("DELETE", about, options or None, about=about)


def _many(dice: Dice, kind: Fuzzed, states: dict[str, Object]) -> Step:
    about = kind.path("{ns}")
    roll = dice.random()
    if roll < 0.25:
        path, options = many.collection_deleted(dice, kind)
        for one in [one for one in states if one.startswith(f"{about}/")]:
            states.pop(one)
        return Step("DELETE", path, options or None, about=about)
    if roll < 0.45:
        return Step("WATCH", many.watched(dice, kind), about=about)
    return Step("GET", many.listed(dice, kind), about=about, accept=many.form(dice))


def _query(dice: Dice, **more: str) -> str:
    words = dict(more)
    if dice.maybe(0.7):
        words.setdefault("fieldManager", dice.one(*MANAGERS))
    if dice.maybe(0.1):
        words["fieldValidation"] = dice.one("Strict", "Ignore", "Warn")
    if dice.maybe(0.04):
        words["dryRun"] = "All"
    return "?" + "&".join(f"{key}={value}" for key, value in words.items()) if words else ""


def _apply(dice: Dice, path: str, body: Object, about: str = "") -> Step:
    more = {"fieldManager": dice.one(*MANAGERS)}
    if dice.maybe(0.35):
        more["force"] = "true"
    return Step("PATCH", path + _query(dice, **more), body, APPLY, about or path)


def _part(dice: Dice, kind: Fuzzed, name: str, state: Object) -> Object:
    """An applied configuration: sometimes all of an object, mostly a part of what is there or of what might be."""
    source = copy.deepcopy(state) if dice.maybe(0.6) else _full(dice, kind, name)
    body: Object = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}
    if isinstance(source.get("metadata"), dict):
        body["metadata"] |= {
            key: value for key, value in source["metadata"].items() if key != "name" and dice.maybe(0.6)
        }
    for key, value in source.items():
        if key not in body and dice.maybe(0.85):
            body[key] = _thinned(dice, value)
    return mutated(dice, body) if dice.maybe(0.1) else body


def _thinned(dice: Dice, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _thinned(dice, item) for key, item in value.items() if dice.maybe(0.85)}
    if isinstance(value, list):
        kept = [_thinned(dice, item) for item in value if dice.maybe(0.9)]
        if dice.maybe(0.1):
            dice.shuffle(kept)
        return kept
    return value


def _next(dice: Dice, kind: Fuzzed, name: str, state: Object) -> Object:
    if dice.maybe(0.7):
        body = copy.deepcopy(state)
        for _ in range(dice.randint(1, 2)):
            body = mutated(dice, body)
        return body
    return _full(dice, kind, name)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += _places(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            found += _places(item, (*path, number))
    return found


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def mutated(dice: Dice, body: Object) -> Object:
    """One random change somewhere: gone, null, of another type, twice, unknown, or another value."""
    body = copy.deepcopy(body)
    places = [path for path in _places(body) if path[0] not in ("apiVersion", "kind") and path != ("metadata", "name")]
    if not places:
        return body
    path = dice.choice(places)
    holder, last = _at(body, path[:-1]), path[-1]
    old = holder[last]
    roll = dice.random()
    if roll < 0.3:
        del holder[last]
    elif roll < 0.4:
        holder[last] = None
    elif roll < 0.5:
        holder[last] = dice.one("", 0, {}, [], True, "x", -1, 1.5)
    elif roll < 0.6 and isinstance(holder, dict):
        holder["unknownField"] = dice.one(1, "x", {"a": 1})
    elif isinstance(old, list) and old and roll < 0.9:
        old.append(copy.deepcopy(dice.choice(old)))
    else:
        holder[last] = _other(dice, old)
    return body


def _other(dice: Dice, old: Any) -> Any:
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return old + dice.one(1, -1, 10)
    if isinstance(old, str):
        return dice.one("changed", f"{old}x", "b", old.upper())
    if isinstance(old, dict):
        return {**old, dice.one("a", "b", "name"): dice.one("v", 1)}
    return list(reversed(old)) if isinstance(old, list) else "x"


def _patch(dice: Dice, kind: Fuzzed, about: str, state: Object) -> Step:
    media = (
        dice.one(MERGE, JSON_PATCH, STRATEGIC)
        if not kind.custom
        else dice.one(MERGE, JSON_PATCH, MERGE, JSON_PATCH, STRATEGIC)
    )
    path = about + _query(dice)
    if media == JSON_PATCH:
        return Step("PATCH", path, [_operation(dice, state) for _ in range(dice.randint(1, 3))], media, about)
    source = (
        mutated(dice, state)
        if dice.maybe(0.6)
        else {**kind.shape(dice), "metadata": meta(dice, about.rpartition("/")[2])}
    )
    body = _thin_patch(dice, source, strategic=media == STRATEGIC)
    body.pop("apiVersion", None)
    body.pop("kind", None)
    if isinstance(body.get("metadata"), dict):
        body["metadata"].pop("name", None)
        if dice.maybe(0.05):
            body["metadata"]["resourceVersion"] = dice.odd(VERSION, "1")
    return Step("PATCH", path, body, media, about)


def _thin_patch(dice: Dice, value: Any, *, strategic: bool) -> Any:
    """A part of an object as a patch: some fields null, in a strategic one some directives."""
    if isinstance(value, dict):
        made = {
            key: None if dice.maybe(0.05) else _thin_patch(dice, item, strategic=strategic)
            for key, item in value.items()
            if dice.maybe(0.7)
        }
        if strategic and dice.maybe(0.05):
            made["$patch"] = dice.one("replace", "delete", "merge", "bogus")
        if strategic and dice.maybe(0.04):
            made["$retainKeys"] = list(made)[: dice.randint(0, 3)]
        for key in [key for key, item in made.items() if isinstance(item, list)]:
            if strategic and dice.maybe(0.08):
                made[f"$setElementOrder/{key}"] = _order(made[key])
            if strategic and dice.maybe(0.04):
                made[f"$deleteFromPrimitiveList/{key}"] = ["a", "example.com/a"]
        return made
    if isinstance(value, list):
        kept = [_thin_patch(dice, item, strategic=strategic) for item in value if dice.maybe(0.8)]
        if strategic and dice.maybe(0.06):
            kept.append({"$patch": dice.one("replace", "delete"), **dice.some(name="c0")})
        return kept
    return value


def _order(items: list[Any]) -> list[Any]:
    return [{"name": item["name"]} if isinstance(item, dict) and "name" in item else item for item in reversed(items)]


def _operation(dice: Dice, state: Object) -> Object:
    places = [path for path in _places(state) if path[0] not in ("apiVersion", "kind")] or [("metadata",)]
    chosen = dice.choice(places)
    pointer = "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in chosen)
    if dice.maybe(0.1):
        pointer = dice.one("/nope/x", "", "/metadata/labels/new", "/spec/-", pointer + "/-", "nope", pointer + "/0")
    verb = dice.odd(dice.one("add", "remove", "replace", "test", "copy", "move"), "bogus", likely=0.02)
    operation: Object = {"op": verb, "path": pointer}
    if verb in ("add", "replace", "test"):
        old = _at(state, chosen) if chosen[0] in state else None
        operation["value"] = (
            old if verb == "test" and dice.maybe(0.8) else dice.one(_other(dice, old), _other(dice, old), None, "x", 1)
        )
    elif verb in ("copy", "move"):
        operation["from"] = "/" + "/".join(
            str(step).replace("~", "~0").replace("/", "~1") for step in dice.choice(places)
        )
    return operation


def _subresource(dice: Dice, kind: Fuzzed, about: str, name: str) -> Step:
    if kind.status and (not kind.scale or dice.maybe(0.6)):
        body: Object = {"status": kind.status(dice)}
        if dice.maybe(0.4):
            full = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, **body}
            return _apply(dice, f"{about}/status", full, about)
        if dice.maybe(0.3):
            body["metadata"] = {"labels": {"app": "s"}}
        return Step("PATCH", f"{about}/status{_query(dice)}", body, MERGE, about)
    replicas = dice.odd(dice.one(0, 2, 4), -1, "x", None)
    if dice.maybe(0.3):
        return Step("GET", f"{about}/scale", about=about)
    if dice.maybe(0.3):
        scale: Object = {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {"name": name, "namespace": "{ns}"},
            "spec": {"replicas": replicas},
        }
        return Step("PUT", f"{about}/scale{_query(dice)}", scale, about=about)
    return Step("PATCH", f"{about}/scale{_query(dice)}", {"spec": {"replicas": replicas}}, MERGE, about)
