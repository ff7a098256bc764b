"""Actions in Lua that `argocd-cm` configures (`resource.customizations.actions.GROUP_KIND`), and what their scripts return."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kilde.core.actions.action import Impact, Offered
from kilde.core.apps.customizations import entries, parsed
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.health.sandbox import ScriptFailed, run_script

_KEY = "resource.customizations.actions."


@dataclass(frozen=True, slots=True)
class Scripts:
    """Of one kind: which actions there are, what each does, and whether ours stay beside them."""

    discovery: str
    definitions: Mapping[str, str] = field(default_factory=dict)
    merges: bool = False

    def offered(self, obj: Object) -> list[Offered]:
        """The actions of an object. Raises InvalidInput."""
        found = _run(self.discovery, "discovery", obj, {})
        if found == []:
            return []
        if not isinstance(found, dict):
            raise InvalidInput(
                f"expect table output from Lua script, not {type(found).__name__}", about="discovery.lua"
            )
        return [_offered(name, one) for name, one in sorted(found.items())]

    def run(self, obj: Object, name: str, parameters: Mapping[str, str]) -> list[Impact]:
        """What an action writes. Raises InvalidInput."""
        found = _run(self.definitions[name], "action", obj, parameters)
        if isinstance(found, dict):
            return [Impact("patch", as_before(found, obj))]
        if not isinstance(found, list):
            raise InvalidInput(f"expect table output from Lua script, not {type(found).__name__}", about=name)
        return [_impact(one, obj, name) for one in found]


def read_scripts(data: Mapping[str, Any], group: str, kind: str) -> tuple[Scripts | None, tuple[str, ...]]:
    """Those of one kind, and what of them cannot be read."""
    problems: list[str] = []
    own = data.get(f"{_KEY}{group}_{kind}" if group else f"{_KEY}{kind}")
    for name, entry in entries(data, problems):
        if own is None and name == (f"{group}/{kind}" if group else kind):
            own = entry.get("actions")
    if own is None:
        return None, ()
    at = f"{_KEY}{group}_{kind}"
    found = parsed(at, own, problems) if isinstance(own, str) else own
    discovery = found.get("discovery.lua") if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or not isinstance(discovery, str):
        return None, (*problems, f"{at}: discovery.lua must be a text")
    definitions = {
        str(one["name"]): one["action.lua"]
        for one in found.get("definitions") or ()
        if isinstance(one, Mapping) and one.get("name") and isinstance(one.get("action.lua"), str)
    }
    return Scripts(discovery, definitions, found.get("mergeBuiltinActions") is True), tuple(problems)


def as_before(new: Any, old: Any) -> Any:
    """What a script returned, with what Lua cannot tell apart as it was: empty maps, and numbers that are equal."""
    if isinstance(new, dict) and isinstance(old, dict):
        return {key: as_before(value, old[key]) if key in old else value for key, value in new.items()}
    if new == [] and isinstance(old, dict):
        return {}
    if isinstance(new, list) and isinstance(old, list):
        return [as_before(value, old[n]) if n < len(old) else value for n, value in enumerate(new)]
    numbers = isinstance(new, (int, float)) and isinstance(old, (int, float))
    return old if numbers and type(new) is not bool and type(old) is not bool and float(new) == float(old) else new


def _run(script: str, name: str, obj: Object, parameters: Mapping[str, str]) -> Json:
    try:
        return run_script(script, name, obj, parameters)
    except ScriptFailed as failure:
        raise InvalidInput(str(failure), about=f"{name}.lua") from None


def _offered(name: str, said: Json) -> Offered:
    if not isinstance(said, dict):
        return Offered(name)
    asked = said.get("params")
    parameters = (
        [str(one["name"]) for one in asked if isinstance(one, dict) and "name" in one]
        if isinstance(asked, list)
        else []
    )
    return Offered(
        name,
        said.get("disabled") is True,
        str(said.get("displayName") or ""),
        str(said.get("iconClass") or ""),
        tuple(parameters),
    )


def _impact(said: Json, obj: Object, name: str) -> Impact:
    operation, body = (said.get("operation"), said.get("resource")) if isinstance(said, dict) else (None, None)
    if not isinstance(body, dict) or operation not in ("patch", "create"):
        raise InvalidInput(
            "each of what it returns must be {operation = 'patch' or 'create', resource = …}", about=name
        )
    return Impact("patch", as_before(body, obj)) if operation == "patch" else Impact("create", body)
