"""Which actions an object has now, those that are configured before ours; and what one of them writes, judged before it is written."""

import copy
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from kilde.core.actions import kinds
from kilde.core.actions.action import BuiltIn, Call, Impact, Offered
from kilde.core.actions.configured import Scripts
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import did_you_mean
from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef, split_api_version


def ref_of(body: Object) -> ObjectRef:
    """The object that a body is of."""
    meta = body.get("metadata")
    found: Mapping[str, Any] = meta if isinstance(meta, dict) else {}
    group, _ = split_api_version(str(body.get("apiVersion") or ""))
    return ObjectRef(
        group, str(body.get("kind") or ""), str(found.get("namespace") or ""), str(found.get("name") or "")
    )


def offered(obj: Object, scripts: Scripts | None = None) -> list[Offered]:
    """The actions of an object, by name. Raises InvalidInput where a script fails."""
    found = {one.name: one for one in scripts.offered(obj)} if scripts else {}
    if scripts is None or scripts.merges:
        for action in _built_in(ref_of(obj)):
            if action.offered(obj):
                found.setdefault(action.name, action.shown(obj))
    return [found[name] for name in sorted(found)]


def run(obj: Object, name: str, call: Call, scripts: Scripts | None = None) -> tuple[Impact, ...]:
    """What an action writes. Raises InvalidInput: there is no such action, it cannot be run now, or what it gives is not to be written."""
    ref, there = ref_of(obj), {one.name: one for one in offered(obj, scripts)}
    one = there.get(name)
    if one is None:
        known = f"it has: {', '.join(there) or 'none'}"
        raise InvalidInput(f"there is no action '{name}'{did_you_mean(name, there)}", about=str(ref), hint=known)
    if one.disabled:
        raise InvalidInput(f"the action '{name}' cannot be run now", about=str(ref), hint="kilde app actions list")
    _check_parameters(one, call, ref)
    if scripts is not None and name in scripts.definitions:
        impacts = tuple(scripts.run(obj, name, call.parameters))
    else:
        impacts = (_run_built_in(obj, name, call),)
    for impact in impacts:
        _check(impact, ref)
    return impacts


def _check_parameters(one: Offered, call: Call, ref: ObjectRef) -> None:
    if not one.parameters:
        return
    missing = [name for name in one.parameters if name not in call.parameters]
    if missing:
        hint = " ".join(f"--param {name}=…" for name in missing)
        raise InvalidInput(f"the action '{one.name}' needs {', '.join(missing)}", about=str(ref), hint=hint)


def _run_built_in(obj: Object, name: str, call: Call) -> Impact:
    ref = ref_of(obj)
    action = next((one for one in _built_in(ref) if one.name == name), None)
    if action is None:
        raise InvalidInput(f"the action '{name}' is offered and nowhere defined", about=str(ref))
    changed = copy.deepcopy(obj)
    made = action.change(changed, call)
    return Impact("patch", changed) if made is None else Impact("create", made)


def _check(impact: Impact, ref: ObjectRef) -> None:
    """An action alters its own object, and makes others in its namespace."""
    found = ref_of(impact.body)
    if impact.operation == "patch":
        if found != ref:
            raise InvalidInput(f"the action would change another object, {found}", about=str(ref))
        return
    meta = impact.body.get("metadata")
    named = found.name or (isinstance(meta, dict) and meta.get("generateName"))
    if not found.kind or not impact.body.get("apiVersion") or not named:
        raise InvalidInput("the action would make something without a kind or a name", about=str(ref))
    if found.namespace != ref.namespace:
        raise InvalidInput(f"the action would make an object in another namespace, {found}", about=str(ref))


def _built_in(ref: ObjectRef) -> tuple[BuiltIn, ...]:
    module = kinds.KINDS.get(f"{ref.group}/{ref.kind}")
    return _actions(module).get(ref.kind, ()) if module else ()


@cache
def _actions(module: str) -> Mapping[str, tuple[BuiltIn, ...]]:
    found: Mapping[str, tuple[BuiltIn, ...]] = import_module(f"{kinds.__name__}.{module}").ACTIONS
    return found
