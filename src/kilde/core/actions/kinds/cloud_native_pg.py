"""CloudNativePG: a cluster restarted, reloaded, taken out of its operator's hands and given back, put to sleep and woken, switched over."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn, Call
from kilde.core.actions.changes import RESTARTED, annotates, at, put
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object

_LOOP: Final = "cnpg.io/reconciliationLoop"
_SLEEP: Final = "cnpg.io/hibernation"


def _has(name: str, value: str, obj: Object) -> bool:
    return (at(obj, "metadata", "annotations") or {}).get(name) == value


def _promote(obj: Object, call: Call) -> None:
    """`instance`: a name, a number, or `any` for the next that is healthy after the primary."""
    asked = call.parameters.get("instance", "")
    found = at(obj, "status", "instancesStatus", "healthy")
    healthy = [str(one) for one in found] if isinstance(found, list) else []
    primary = at(obj, "status", "currentPrimary")
    if asked == "any":
        place = healthy.index(primary) + 1 if primary in healthy else 0
        wanted = healthy[place % len(healthy)] if healthy else ""
    else:
        wanted = f"{at(obj, 'metadata', 'name')}-{asked}" if asked.isdigit() else asked
    if wanted not in healthy:
        hint = f"give --param instance=NAME, one of: {', '.join(healthy) or 'none'}"
        raise InvalidInput(f"instance: '{asked}' is no healthy instance", hint=hint)
    put(obj, wanted, "status", "targetPrimary")
    put(obj, rfc3339(call.now), "status", "targetPrimaryTimestamp")
    put(obj, "Switchover in progress", "status", "phase")
    put(obj, f"Switching over to {wanted}", "status", "phaseReason")


ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "Cluster": (
        BuiltIn("restart", annotates(RESTARTED, stamped=True)),
        BuiltIn("reload", annotates("cnpg.io/reloadedAt", stamped=True)),
        BuiltIn("promote", _promote, parameters=("instance",)),
        BuiltIn("suspend", annotates(_LOOP, "disabled"), disabled=lambda obj: _has(_LOOP, "disabled", obj)),
        BuiltIn("resume", annotates(_LOOP), disabled=lambda obj: not _has(_LOOP, "disabled", obj)),
        BuiltIn("hibernate", annotates(_SLEEP, "on"), disabled=lambda obj: _has(_SLEEP, "on", obj)),
        BuiltIn("rehydrate", annotates(_SLEEP, "off"), disabled=lambda obj: not _has(_SLEEP, "on", obj)),
    )
}
