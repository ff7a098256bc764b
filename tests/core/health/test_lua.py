"""Checks in Lua: what they say, what they cannot reach, and that they end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.health.health import Health, HealthStatus
from kilde.core.health.lua import lua_judge

OBJ = {
    "kind": "Widget",
    "spec": {"n": 3, "half": 0.5, "on": True, "none": None},
    "status": {"phase": "Ready", "items": ["a", "b"]},
}


PLAIN, JUMPING = "", "goto start ::start:: "  # what it begins with decides which interpreter reads a script
EITHER = pytest.mark.parametrize("start", [PLAIN, JUMPING], ids=["plain", "jumping"])


def judged(script: str) -> Health | None:
    return lua_judge(script)(OBJ)


def test_a_script_reads_the_object_and_answers_a_table() -> None:
    script = """
    local hs = {}
    if obj.status ~= nil and obj.status.phase == "Ready" then
      hs.status = "Healthy"
      hs.message = obj.status.phase .. " " .. #obj.status.items .. " " .. obj.spec.n / 2 .. " " .. tostring(obj.spec.on)
      return hs
    end
    hs.status = "Progressing"
    return hs
    """
    assert judged(script) == Health(HealthStatus.HEALTHY, "Ready 2 1.5 true")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("return {status = 'Degraded'}", Health(HealthStatus.DEGRADED)),
        ("return nil", None),
        ("", None),
        ("return {status = 'What'}", Health(HealthStatus.UNKNOWN, "Lua returned an invalid health status")),
        ("return {}", Health(HealthStatus.UNKNOWN, "Lua returned an invalid health status")),
        ("return 'x'", Health(HealthStatus.UNKNOWN, "expect table output from Lua script, not string")),
        ("return 3", Health(HealthStatus.UNKNOWN, "expect table output from Lua script, not number")),
        ("return obj.a.b", Health(HealthStatus.UNKNOWN, "<string>:1: attempt to index field 'a' (a nil value)")),
        ("error('no', 0)", Health(HealthStatus.UNKNOWN, "no")),
        ("return {status = 'Healthy', message = 3}", Health(HealthStatus.HEALTHY)),
        ("return {status = 'Healthy', message = type(require('os').time())}", Health(HealthStatus.HEALTHY, "number")),
        (
            "return {status = 'Healthy', message = tostring(table.getn(obj.status.items))}",
            Health(HealthStatus.HEALTHY, "2"),
        ),
    ],
)
@EITHER
def test_answers_are_read_as_argo_cd_reads_them(start: str, script: str, told: Health | None) -> None:
    assert judged(start + script) == told


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("local n = '' for i = 1, 4 do if i == 2 then goto continue end n = n .. i ::continue:: end", "134"),
        ("local n = 0 ::again:: n = n + 1 if n < 5 then goto again end", "5"),
        (
            "local n = '' for i = 1, 3 do for j = 1, 3 do if j == 2 then goto out end n = n .. i .. j .. ' ' end ::out:: end",
            "11 21 31 ",
        ),
        ("local n = 0 do goto done n = 1 ::done:: end", "0"),
        ("local n = 0 while true do n = n + 1 if n == 3 then goto done end end ::done::", "3"),
        ("goto on ::on:: local n = table.getn({1, 2}) + table.maxn({[7] = 1}) + unpack({4, 5})", "13"),
    ],
)
def test_a_script_may_jump(script: str, message: str) -> None:
    assert judged(f"{script} return {{status = 'Healthy', message = tostring(n)}}") == Health(
        HealthStatus.HEALTHY, message
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("x =", "<string>:1: unexpected symbol near '<eof>'"),
        ("goto nowhere", "<string>:1: no visible label 'nowhere' for <goto> at line 1"),
        ("::a:: ::a:: goto a", "<string>:1: label 'a' already defined on line 1"),
        ("goto a local x ::a:: x = 1", "<string>:1: <goto a> at line 1 jumps into the scope of local 'x'"),
        ("\x1bLuaQ and what it takes for instructions", "the script is compiled code, not text"),
    ],
)
def test_a_script_that_is_none_is_told(script: str, says: str) -> None:
    assert judged(script) == Health(HealthStatus.UNKNOWN, says)


def test_the_word_alone_changes_nothing() -> None:
    found = judged("-- no goto here\nreturn {status = 'Healthy', message = 'v1\\.2'}")
    assert found == Health(
        HealthStatus.HEALTHY, "v1.2"
    )  # 5.1 and Argo CD's engine let such a backslash be, 5.2 does not


REACH = (
    "io", "python", "debug", "package", "load", "loadstring", "loadfile", "dofile", "module", "newproxy", "collectgarbage", "coroutine",
    "getfenv", "setfenv", "os.execute", "os.getenv", "os.exit", "os.remove", "string.dump", "_G.io", "_G.python", "_G.debug",
)  # fmt: skip


@EITHER
@pytest.mark.parametrize("name", [*REACH, "bit32", "rawlen", "_ENV.io"])
def test_nothing_of_the_machine_is_within_reach(start: str, name: str) -> None:
    if start == PLAIN and name.startswith("_ENV"):
        pytest.skip("no name of this interpreter's")
    assert judged(f"{start}return {{status = 'Healthy', message = type({name})}}") == Health(
        HealthStatus.HEALTHY, "nil"
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("while true do end", "took too many steps"),
        ("while true do pcall(function() while true do end end) end", "took too many steps"),
        (
            "while true do xpcall(function() while true do end end, function() while true do end end) end",
            "took too many steps",
        ),
        ("local t = {} for i = 1, 1e9 do t[i] = string.rep(tostring(i), 1000) end", "memory"),
        ("return string.rep('x', 1e9)", "memory"),
        (
            "local function f() return f() .. 'x' end return f()",
            "",
        ),  # of the stack or of the memory, whichever ends first
        ("require('io')", "module 'io' not found"),
        ("::again:: goto again", "took too many steps"),
        ("::again:: pcall(function() ::inner:: goto inner end) goto again", "took too many steps"),
    ],
)
@EITHER
def test_it_ends(start: str, script: str, says: str) -> None:
    found = judged(start + script)
    assert found is not None
    assert found.status is HealthStatus.UNKNOWN
    assert says in found.message


_FOREVER = "function() while true do end end"


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (f"setmetatable({{status = 'Healthy'}}, {{__index = {_FOREVER}, __metatable = 1}})", "Healthy"),
        (f"setmetatable({{}}, {{__index = {_FOREVER}}})", "Lua returned an invalid health status"),
        (f"{{status = {{[setmetatable({{}}, {{__tostring = {_FOREVER}}})] = 1}}}}", "returned a table as a key"),
        (f"{{message = setmetatable({{}}, {{__pairs = {_FOREVER}, __len = {_FOREVER}}})}}", "invalid health status"),
        (f"setmetatable({{}}, {{__gc = {_FOREVER}}})", "__gc is not known here"),
        ("setmetatable({}, {__gc = true})", "__gc is not known here"),
    ],
    ids=["index", "missing", "key", "nested", "finalizer", "late finalizer"],
)
@EITHER
def test_what_is_returned_is_read_without_asking_it(start: str, returned: str, told: str) -> None:
    """What the script has made runs no function once the count has ended."""
    found = judged(f"{start}return {returned}")
    assert found is not None
    assert told in f"{found.status} {found.message}"


@EITHER
def test_a_text_that_is_returned_often_is_counted_each_time(start: str) -> None:
    script = "local text, all = ('x'):rep(1e6), {} for i = 1, 1e5 do all[i] = text end return {status = all}"
    assert judged(start + script) == Health(HealthStatus.UNKNOWN, "the script returned more than is taken")


def test_one_run_leaves_nothing_to_the_next() -> None:
    script = "count = (count or 0) + 1 string.seen = (string.seen or 0) + 1 "
    judge = lua_judge(script + "return {status='Healthy', message=count .. ' ' .. string.seen}")
    assert [judge(OBJ), judge(OBJ)] == [Health(HealthStatus.HEALTHY, "1 1")] * 2


_LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(_LEAVES, lambda below: st.lists(below) | st.dictionaries(st.text(), below), max_leaves=20))
def test_any_object_can_be_given(value: object) -> None:
    found = lua_judge("return {status = 'Healthy', message = type(obj.value)}")({"value": value})
    names = {type(None): "nil", bool: "boolean", int: "number", str: "string", list: "table", dict: "table"}
    assert found is not None
    assert found == Health(HealthStatus.HEALTHY, names[type(value)])
