"""The sandbox of Lua scripts from `argocd-cm`: Lua 5.1 by lupa, bounded in instructions and memory, with nothing that reaches the machine.

Argo CD runs them in gopher-lua, which is 5.1 and `goto`, with the base, table and string libraries, `os.date` and `os.time`, and stops them
after a second; a count of instructions is the same on every machine, and seconds end what is long in few. Scripts that jump run in Lua 5.2,
with the names that 5.1 has. What a script returns is bounded, too, before it is a value of ours.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.health.lua_patterns import CHEAP, GUARDS, MATCHER

_INSTRUCTIONS = 2_000_000
_SECONDS = 2.0  # of this process's CPU; for what is long in few instructions, as joining texts of megabytes is
_MEMORY = 32 << 20  # bytes
_DEEPEST = 200
_LARGEST = 200_000  # values in what a script returns
_LONGEST = 4 << 20  # characters of all texts in it: one that is there often is told each time
_INT64 = 1 << 63
_JUMP = re.compile(r"\bgoto\b")
# What a script may use; everything else of the runtime is out of its reach.
_PRELUDE = """
local hook, bare, clock, limit, seconds = debug.sethook, debug.setmetatable, os.clock, ...
unpack = unpack or table.unpack  -- 5.2 has these elsewhere, or not
table.getn = table.getn or function(list) return #list end
table.maxn = table.maxn or function(list)
  local most = 0
  for key in next, list do if type(key) == "number" and key > most then most = key end end
  return most
end
local safe = {date = os.date, time = os.time}
local kept = {}
for _, name in ipairs{"assert", "error", "ipairs", "next", "pairs", "select", "setmetatable", "getmetatable", "rawequal",
                      "rawget", "rawset", "tonumber", "tostring", "type", "unpack", "string", "table", "math"} do
  kept[name] = _G[name]
end
string.dump = nil
local spent = false
local function unless_spent(...)  -- nobody catches the end of his time
  if spent then error(spent, 0) end
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
local type, rawget, setmetatable = type, rawget, setmetatable
kept.setmetatable = function(value, meta)  -- 5.2 runs finalizers where nothing is counted
  if type(meta) == "table" and rawget(meta, "__gc") ~= nil then error("__gc is not known here", 2) end
  return setmetatable(value, meta)
end
kept.print = function() end
kept.os = safe
kept.require = function(name)
  if name == "os" then return safe end
  error("module '" .. tostring(name) .. "' not found")
end
kept._G = kept
local setfenv, loadstring, load = setfenv, loadstring, load
return function(text, name, obj, parameters)
  local script, problem
  if setfenv then script, problem = loadstring(text, "=" .. name) else script, problem = load(text, "=" .. name, "t", kept) end
  if not script then error(problem, 0) end
  kept.obj, kept.actionParams = obj, parameters
  if setfenv then setfenv(script, kept) end
  local left, ends = limit, clock() + seconds
  hook(function()
    left = left - 100
    if left > 0 and clock() < ends then return end
    spent = left > 0 and "took too long" or "took too many steps"
    error(spent, 0)
  end, "", 100)
  local found = script()
  hook()
  if type(found) == "table" then bare(found, nil) end  -- nobody reads it by functions of its own
  return found
end
"""


class ScriptFailed(Exception):
    """A script that is none, that failed, or that took too much; in words for people."""


def run_script(
    script: str, name: str, obj: Object, parameters: Mapping[str, str] | None = None, *, only: tuple[str, ...] = ()
) -> Json:
    """What a script returns for an object, as plain values; an empty table is an empty list. Raises ScriptFailed.

    `only`: of a table that is returned these keys alone, whatever else may be in it.
    """
    if script.startswith("\x1b"):  # an interpreter would take it for compiled code, and believe it
        raise ScriptFailed("the script is compiled code, not text")
    try:
        lua = _dialect(script)
    except ModuleNotFoundError:
        raise ScriptFailed(f"{_PLURALS[name]} in Lua need the package lupa, which is not installed") from None
    runtime = _runtime(lua)
    try:
        runtime.execute(GUARDS, MATCHER, CHEAP)
        function = runtime.execute(_PRELUDE, _INSTRUCTIONS, _SECONDS)
        found = function(
            script, _CHUNKS.get(name, name), _table(runtime, obj, 0), runtime.table_from(dict(parameters or {}))
        )
        plain = _Plain(lua.lua_type)
        if only and lua.lua_type(found) == "table":
            return {key: plain.of(found[key], 1) for key in only}
        return plain.of(found, 0)
    except (lua.LuaError, lua.LuaMemoryError, UnicodeError, RecursionError) as error:
        raise ScriptFailed(_words(error, name)) from None


_CHUNKS = {"health": "<string>"}  # as Argo CD names a check where one fails
_PLURALS = {"health": "health checks", "discovery": "actions", "action": "actions"}


def _dialect(script: str) -> Any:
    """The interpreter of a script: Lua 5.1, or 5.2 for one that 5.1 cannot read and that jumps."""
    from lupa import lua51  # 1 MB, for those who have such scripts

    if _JUMP.search(script):
        try:
            _runtime(lua51).compile(script)
        except (lua51.LuaError, lua51.LuaMemoryError, UnicodeError):
            from lupa import lua52

            return lua52
    return lua51


def _runtime(lua: Any) -> Any:
    return lua.LuaRuntime(
        register_eval=False, register_builtins=False, max_memory=_MEMORY, attribute_filter=_refused, encoding="utf-8"
    )


def _refused(_obj: object, _name: object, _setting: bool) -> Any:
    raise AttributeError("not allowed")


def _words(error: Exception, name: str) -> str:
    if isinstance(error, MemoryError):
        return f"the {'health check' if name == 'health' else name} took too much memory"
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


class _Plain:
    """Makes values of ours of Lua's, and counts them."""

    def __init__(self, type_of: Any) -> None:
        self._type_of, self._left, self._room = type_of, _LARGEST, _LONGEST

    def of(self, value: Any, depth: int) -> Json:
        """Raises ScriptFailed for functions and the like, and for what is too large or too deep."""
        self._left -= 1
        if isinstance(value, str):
            self._room -= len(value)
        if depth > _DEEPEST or self._left < 0 or self._room < 0:
            raise ScriptFailed("the script returned more than is taken")
        kind = self._type_of(value)
        if kind is None:
            return value if not isinstance(value, bytes) else value.decode("utf-8", "replace")
        if kind != "table":
            raise ScriptFailed(f"the script returned a {kind}")
        keys = list(value.keys())
        if not keys:
            return []
        if all(isinstance(key, int) for key in keys) and sorted(keys) == list(range(1, len(keys) + 1)):
            return [self.of(value[number], depth + 1) for number in range(1, len(keys) + 1)]
        return {self._key(key): self.of(value[key], depth + 1) for key in keys}

    def _key(self, key: Any) -> str:
        """A table as a key would be asked for its text, by a function of its own."""
        if (kind := self._type_of(key)) is not None:
            raise ScriptFailed(f"the script returned a {kind} as a key")
        self._room -= len(text := str(key))
        return text
