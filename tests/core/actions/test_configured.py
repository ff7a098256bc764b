"""Actions in Lua from `argocd-cm`: read, offered, run; and whatever a script may try."""

from typing import Any

import pytest

from kilde.core.actions.action import Call, Impact, Offered
from kilde.core.actions.configured import Scripts, as_before, read_scripts
from kilde.core.actions.running import offered, run
from kilde.core.basics.errors import InvalidInput

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "annotations": {}},
    "spec": {"replicas": 2, "template": {"spec": {"volumes": [{"name": "tmp", "emptyDir": {}}], "containers": []}}},
}
DATA = {
    "resource.customizations.actions.apps_Deployment": """
discovery.lua: |
  local actions = {}
  actions["double"] = {["disabled"] = obj.spec.replicas > 4, ["displayName"] = "Twice as many"}
  actions["label"] = {["params"] = {{["name"] = "value"}}}
  actions["restart"] = {}
  return actions
definitions:
- name: double
  action.lua: |
    obj.spec.replicas = obj.spec.replicas * 2
    return obj
- name: label
  action.lua: |
    obj.metadata.labels = {mine = actionParams["value"]}
    return obj
- name: restart
  action.lua: |
    local os = require("os")
    local made = {apiVersion = "v1", kind = "ConfigMap", metadata = {name = "made-" .. os.date("!%Y"), namespace = obj.metadata.namespace}}
    return {{operation = "create", resource = made}, {operation = "patch", resource = obj}}
"""
}


def scripts(data: dict[str, str] | None = None, **more: bool) -> Scripts:
    found, problems = read_scripts(data or DATA, "apps", "Deployment")
    assert (found is not None, problems) == (True, ())
    assert found is not None
    return Scripts(found.discovery, found.definitions, more.get("merges", found.merges))


def test_what_is_configured_takes_the_place_of_ours() -> None:
    assert offered(DEPLOYMENT, scripts()) == [
        Offered("double", False, "Twice as many"),
        Offered("label", parameters=("value",)),
        Offered("restart"),
    ]
    busy = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replicas": 8}}
    assert offered(busy, scripts())[0].disabled


def test_or_stands_beside_them_where_that_is_said() -> None:
    names = [one.name for one in offered(DEPLOYMENT, scripts(merges=True))]
    assert names == ["double", "label", "pause", "restart", "resume", "scale"]
    merging = {key: f"mergeBuiltinActions: true\n{text.lstrip()}" for key, text in DATA.items()}
    assert scripts(merging).merges


def test_what_a_script_leaves_alone_stays_as_it_was() -> None:
    [impact] = run(DEPLOYMENT, "double", Call({}, 0.0), scripts())
    expected = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replicas": 4}}
    assert impact == Impact("patch", expected)
    [impact] = run(DEPLOYMENT, "label", Call({"value": "x"}, 0.0), scripts())
    assert impact.body["metadata"]["labels"] == {"mine": "x"}
    large = 2**60 + 1  # no number of Lua
    assert as_before({"n": float(large), "b": True, "e": [], "l": [[]]}, {"n": large, "b": 1, "e": {}, "l": [{}]}) == {
        "n": large,
        "b": True,
        "e": {},
        "l": [{}],
    }


def test_a_script_may_make_objects_and_change_its_own() -> None:
    made, kept = run(DEPLOYMENT, "restart", Call({}, 0.0), scripts())
    assert (made.operation, made.body["kind"], made.body["metadata"]["namespace"]) == ("create", "ConfigMap", "shop")
    assert kept == Impact("patch", DEPLOYMENT)


def one(action: str, discovery: str = "return {go = {}}") -> Scripts:
    return Scripts(discovery, {"go": action})


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("while true do end", "took too many steps"),
        ("error('no', 0)", "no"),
        ("return 7", "expect table output from Lua script, not int"),
        ("return {print}", "the script returned a function"),
        ("local t = {}; t[1] = t; return t", "the script returned more than is taken"),
        ("local t = {}; for i = 1, 210000 do t[i] = 1 end; return t", "the script returned more than is taken"),
        ("return {{operation = 'delete', resource = obj}}", "each of what it returns must be"),
        (
            "obj.metadata.name = 'other'; return obj",
            "the action would change another object, apps/Deployment shop/other",
        ),
        (
            "return {{operation = 'create', resource = {apiVersion = 'v1', kind = 'Pod', metadata = {name = 'p', namespace = 'else'}}}}",
            "the action would make an object in another namespace, Pod else/p",
        ),
        (
            "return {{operation = 'create', resource = {apiVersion = 'v1', kind = 'Pod', metadata = {namespace = 'shop'}}}}",
            "the action would make something without a kind or a name",
        ),
        ("return io.open('/etc/passwd')", "attempt to index global 'io'"),
        ("return os.execute('true')", "attempt to call field 'execute'"),
    ],
)
def test_what_is_no_action_is_refused(action: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        run(DEPLOYMENT, "go", Call({}, 0.0), one(action))
    assert why in caught.value.what


def test_a_discovery_that_fails_is_told() -> None:
    with pytest.raises(InvalidInput, match=r"discovery\.lua: .*nil value"):
        offered(DEPLOYMENT, one("", "return obj.none.such"))
    with pytest.raises(InvalidInput, match="expect table output"):
        offered(DEPLOYMENT, one("", "return 'x'"))
    assert offered(DEPLOYMENT, one("", "return {}")) == []


def test_what_cannot_be_read_is_a_problem() -> None:
    key = "resource.customizations.actions.apps_Deployment"
    assert read_scripts({}, "apps", "Deployment") == (None, ())
    assert read_scripts({key: "definitions: []"}, "apps", "Deployment") == (
        None,
        (f"{key}: discovery.lua must be a text",),
    )
    broken, problems = read_scripts({key: "a: [b"}, "apps", "Deployment")
    assert broken is None
    assert problems
    whole = {"resource.customizations": "apps/Deployment:\n  actions: |\n    discovery.lua: return {}\n"}
    found, _ = read_scripts(whole, "apps", "Deployment")
    assert found == Scripts("return {}")
