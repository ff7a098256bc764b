"""Our matcher of Lua's patterns beside the interpreter's own, and what it is for: long matches that end."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lupa import lua51, lua52

from kilde.core.health.lua_patterns import GUARDS, MATCHER
from kilde.core.health.sandbox import ScriptFailed, run_script

# Both sides of one question: what they answer, or that they fail.
_BESIDE = """
local function told(call, ...)
  local found = {pcall(call, ...)}
  if not found[1] then return "fails" end
  local out = {}
  for n = 2, 12 do out[#out + 1] = tostring(found[n]) end
  return table.concat(out, "|")
end
local function all(gmatch)
  return function(text, pattern)
    local out = {}
    for one, two in gmatch(text, pattern) do
      out[#out + 1] = tostring(one) .. "," .. tostring(two)
      if #out > 100 then error("no end") end
    end
    return table.concat(out, ";")
  end
end
local guards, matcher = ...
local own = {find = string.find, match = string.match, gmatch = string.gmatch, gsub = string.gsub}
;(loadstring or load)(guards)(matcher, -1)  -- nothing is cheap
local ours = {find = string.find, match = string.match, gmatch = string.gmatch, gsub = string.gsub}
return function(text, pattern, by)
  local how = {"", "<%0>", "%1%%", by, {a = "A", ab = 1}, function(one) return one and one ~= "b" and one .. "!" end}
  local function asked(of)
    local out = {told(all(of.gmatch), text, pattern)}
    for _, init in ipairs{1, 2, -1, -99, 99} do
      out[#out + 1] = told(of.find, text, pattern, init)
      out[#out + 1] = told(of.match, text, pattern, init)
    end
    out[#out + 1] = told(of.find, text, pattern, 1, true)
    for _, with in ipairs(how) do
      for _, most in ipairs{0, 1, 100} do out[#out + 1] = told(of.gsub, text, pattern, with, most) end
    end
    return table.concat(out, "\\n")
  end
  return asked(own), asked(ours)
end
"""
_PIECES = [
    *"aab.^$()*+-?[]", "%a", "%A", "%s", "%.", "%%", "%(", "[ab]", "[^a]", "[%a-]", "[a-b]", "[]a]", "[^]]", "%b()", "%bab", "%f[a]",
    "%f[%A]", "%1", "%2", "()", "(a)", "(.-)", "a*", "b+", ".-", "[ab]?", "%", "[", "[^", "%f", "%b",
]  # fmt: skip
patterns = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map("".join)
texts = st.text("aab(). x^$-]%", max_size=12)


@pytest.fixture(scope="module", params=[lua51, lua52], ids=["5.1", "5.2"])
def beside(request: pytest.FixtureRequest) -> Any:
    return request.param.LuaRuntime().execute(_BESIDE, GUARDS, MATCHER)


@settings(max_examples=1500, deadline=None)
@given(text=texts, pattern=patterns, by=st.text("ab%012", max_size=4).filter(lambda text: not text.endswith("%")))
def test_it_matches_as_the_interpreter_does(beside: Any, text: str, pattern: str, by: str) -> None:
    theirs, ours = (answer.split("\n") for answer in beside(text, pattern, by))
    assert [(n, *both) for n, both in enumerate(zip(ours, theirs, strict=True)) if both[0] != both[1]] == []


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("return ('a'):rep(300):find('.-.-.-.-b')", "took too many steps"),
        ("return ('a'):rep(1e5):gsub('.-.-b', '')", "took too many steps"),
        ("for one in ('a'):rep(1e5):gmatch('a-a-b') do end", "took too many steps"),
        ("return ('a'):rep(3e5):find(('a'):rep(1e5) .. 'b', 1, true)", "took too many steps"),
        ("return ('a'):rep(1e5):match(('a?'):rep(1e5))", "overflow"),
        ("while true do local text = ('a'):rep(1e7) end", "took too"),
    ],
)
def test_what_is_long_ends(script: str, says: str) -> None:
    begun = time.process_time()
    with pytest.raises(ScriptFailed, match=says):
        run_script(script, "health", {})
    assert time.process_time() - begun < 60


def test_what_is_cheap_may_be_large() -> None:
    script = "return {(('x  y '):rep(20000):gsub('%s+', '_')):sub(1, 6), (('a=1,'):rep(9000):match('^(%w+)=(%w+)'))}"
    assert run_script(script, "health", {}) == ["x_y_x_", "a"]
