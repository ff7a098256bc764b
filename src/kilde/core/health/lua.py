"""Health checks in Lua, as `argocd-cm` has them: a script reads the global `obj` and returns `{status=…, message=…}`.

Lua 5.1 by lupa, bounded in instructions and memory, without anything that reaches the machine. Argo CD runs them in gopher-lua
with the base, table and string libraries, `os.date` and `os.time`, and stops them after a second; a count of instructions is the
same on every machine.
"""

import math
from collections.abc import Callable
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.health.health import Health, HealthStatus, unknown

_INSTRUCTIONS = 2_000_000
_MEMORY = 32 << 20  # bytes
_DEEPEST = 200
_INT64 = 1 << 63
_INVALID = "Lua returned an invalid health status"
_STATUSES = {str(status): status for status in HealthStatus}
# What a script may use; everything else of the runtime is out of its reach.
_PRELUDE = """
local hook, limit = debug.sethook, ...
local safe = {date = os.date, time = os.time}
local kept = {}
for _, name in ipairs{"assert", "error", "ipairs", "next", "pairs", "select", "setmetatable", "getmetatable", "rawequal",
                      "rawget", "rawset", "tonumber", "tostring", "type", "unpack", "string", "table", "math"} do
  kept[name] = _G[name]
end
string.dump = nil
local spent = false
local function unless_spent(...)  -- nobody catches the end of his time
  if spent then error("took too many steps", 0) end
  return ...
end
local pcall = pcall
kept.pcall = function(...) return unless_spent(pcall(...)) end
kept.xpcall = function(call, handler)  -- the real one runs its handler inside of the hook, where nothing is counted
  local function answered(good, ...)
    if good then return good, ... end
    return good, handler(...)
  end
  return answered(kept.pcall(call))
end
kept.print = function() end
kept.os = safe
kept.require = function(name)
  if name == "os" then return safe end
  error("module '" .. tostring(name) .. "' not found")
end
kept._G = kept
local setfenv, loadstring = setfenv, loadstring
return function(text, obj)
  local script, problem = loadstring(text, "=health")
  if not script then error(problem, 0) end
  kept.obj = obj
  setfenv(script, kept)
  hook(function() spent = true; error("took too many steps", 0) end, "", limit)
  local found = script()
  hook()
  return found
end
"""


def lua_judge(script: str) -> Callable[[Object], Health | None]:
    """The judge that a script is. Whatever is wrong with the script is told as Unknown, by what it does to an object."""

    def judge(obj: Object) -> Health | None:
        try:
            return _read(_run(script, obj))
        except ModuleNotFoundError:
            return unknown("health checks in Lua need the package lupa, which is not installed")

    return judge


def _run(script: str, obj: Object) -> Any:
    from lupa import lua51  # 1 MB, for those who have such checks

    runtime = lua51.LuaRuntime(
        register_eval=False, register_builtins=False, max_memory=_MEMORY, attribute_filter=_refused, encoding="utf-8"
    )
    try:
        function = runtime.execute(_PRELUDE, _INSTRUCTIONS)
        found = function(script, _table(runtime, obj, 0))
        if lua51.lua_type(found) != "table":
            return found
        return {"status": found["status"], "message": found["message"]}
    except (lua51.LuaError, lua51.LuaMemoryError, UnicodeError, RecursionError) as error:
        return unknown(_words(error))


def _refused(_obj: object, _name: object, _setting: bool) -> Any:
    raise AttributeError("not allowed")


def _words(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "the health check took too much memory"
    return str(error).split("\nstack traceback", 1)[0][:500]


def _table(runtime: Any, value: Json, depth: int) -> Any:
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return runtime.table_from({key: _table(runtime, child, depth + 1) for key, child in value.items()})
    if isinstance(value, list):
        return runtime.table_from([_table(runtime, child, depth + 1) for child in value])
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return float(value) if abs(value) < 10**300 else math.inf
    return value


def _read(found: Any) -> Health | None:
    if found is None or isinstance(found, Health):
        return found
    if not isinstance(found, dict):
        kind = {bool: "boolean", str: "string"}.get(type(found), "number")
        return unknown(f"expect table output from Lua script, not {kind}")
    status, message = found["status"], found["message"]
    if status not in _STATUSES:
        return unknown(_INVALID)
    return Health(_STATUSES[status], message if isinstance(message, str) else "")
