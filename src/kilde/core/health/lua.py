"""Health checks in Lua, as `argocd-cm` has them: a script reads the global `obj` and returns `{status=…, message=…}`."""

from collections.abc import Callable

from kilde.core.basics.values import Json, Object
from kilde.core.health.health import Health, HealthStatus, unjudged, unknown
from kilde.core.health.sandbox import ScriptFailed, run_script

_INVALID = "Lua returned an invalid health status"
_STATUSES = {str(status): status for status in HealthStatus}


def lua_judge(script: str) -> Callable[[Object], Health | None]:
    """The judge that a script is. Whatever is wrong with the script is told as Unknown, by what it does to an object."""

    def judge(obj: Object) -> Health | None:
        try:
            return _read(run_script(script, "health", obj, only=("status", "message")))
        except ScriptFailed as failure:
            return unjudged(str(failure))

    return judge


def _read(found: Json) -> Health | None:
    if found is None:
        return None
    if not isinstance(found, dict):
        kind = {bool: "boolean", str: "string"}.get(type(found), "number")
        return unjudged(f"expect table output from Lua script, not {kind}")
    status, message = found.get("status"), found.get("message")
    if not isinstance(status, str) or status not in _STATUSES:
        return unknown(_INVALID)
    return Health(_STATUSES[status], message if isinstance(message, str) else "")
