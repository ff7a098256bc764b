"""Strategic merge: which lists merge, every directive, and what the server says of a wrong one."""

from typing import Any

import pytest

from kilde.core.objects.patches.errors import BadPatch, PatchFailed
from kilde.core.objects.patches.strategic_merge import strategic_merge
from kilde.core.objects.typed.schema import builtin

_POD = builtin().node("", "v1", "Pod")
_BUDGET = builtin().node("policy", "v1", "PodDisruptionBudget")


def _pod(**spec: Any) -> dict[str, Any]:
    return {"spec": spec}


def _names(items: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in items]


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        # lists merge by their key; what is new goes before what was not named
        (
            {"containers": _names("ab")},
            {"containers": [{"name": "b", "image": "x"}]},
            {"containers": [{"name": "a"}, {"name": "b", "image": "x"}]},
        ),
        ({"containers": _names("ab")}, {"containers": _names("c")}, {"containers": _names("cab")}),
        (
            {"containers": _names("ab")},
            {"containers": [{"name": "a", "$patch": "delete"}]},
            {"containers": _names("b")},
        ),
        (
            {"containers": _names("ab")},
            {"containers": [{"$patch": "replace"}, {"name": "c"}]},
            {"containers": _names("c")},
        ),
        (
            {"containers": _names("ab")},
            {"containers": [{"name": "z", "$patch": "delete"}]},
            {"containers": _names("ab")},
        ),
        ({"containers": _names("abc")}, {"$setElementOrder/containers": _names("cab")}, {"containers": _names("cab")}),
        (
            {"containers": _names("ab")},
            {"$setElementOrder/containers": _names("abn"), "containers": _names("n")},
            {"containers": _names("abn")},
        ),
        ({}, {"$setElementOrder/containers": _names("n"), "containers": _names("n")}, {"containers": _names("n")}),
        ({}, {"$setElementOrder/containers": _names("n")}, {}),
        (
            {"containers": _names("a")},
            {"containers": [{"name": "a", "args": ["x"]}]},
            {"containers": [{"name": "a", "args": ["x"]}]},
        ),
        # atomic lists are replaced
        ({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}, {"tolerations": [{"key": "b"}]}),
        # maps merge, null deletes
        (
            {"nodeSelector": {"a": "1", "b": "2"}},
            {"nodeSelector": {"a": None, "c": "3"}},
            {"nodeSelector": {"b": "2", "c": "3"}},
        ),
        ({"nodeSelector": {"a": "1"}}, {"nodeSelector": {"$patch": "replace", "c": "3"}}, {"nodeSelector": {"c": "3"}}),
        ({"nodeSelector": {"a": "1"}}, {"nodeSelector": {"$patch": "delete"}}, {"nodeSelector": {}}),
        ({"nodeSelector": {"a": "1"}}, {"nodeSelector": None}, {}),
        ({}, {"securityContext": {"runAsUser": 1, "fsGroup": None}}, {"securityContext": {"runAsUser": 1}}),
        # another source of a volume needs $retainKeys or null
        (
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {"volumes": [{"name": "v", "configMap": {"name": "c"}, "$retainKeys": ["name", "configMap"]}]},
            {"volumes": [{"name": "v", "configMap": {"name": "c"}}]},
        ),
    ],
)
def test_a_patch_of_a_pod(before: Any, patch: Any, after: Any) -> None:
    assert _POD is not None
    given = repr(before)
    assert strategic_merge(_pod(**before), _pod(**patch), _POD) == _pod(**after)
    assert repr(before) == given


def test_primitive_lists_merge_as_sets() -> None:
    assert _POD is not None
    live = {"metadata": {"finalizers": ["a/x", "b/x"]}}
    assert strategic_merge(live, {"metadata": {"finalizers": ["c/x", "a/x"]}}, _POD) == {
        "metadata": {"finalizers": ["c/x", "a/x", "b/x"]}
    }
    assert strategic_merge(live, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/x"]}}, _POD) == {
        "metadata": {"finalizers": ["b/x"]}
    }
    assert strategic_merge(live, {"metadata": {"$setElementOrder/finalizers": ["b/x", "a/x"]}}, _POD) == {
        "metadata": {"finalizers": ["b/x", "a/x"]}
    }


def test_a_map_whose_strategy_is_replace_is_replaced() -> None:
    assert _BUDGET is not None
    live = {"spec": {"selector": {"matchLabels": {"a": "1"}}}}
    patch = {"spec": {"selector": {"matchLabels": {"b": "2"}}}}
    assert strategic_merge(live, patch, _BUDGET) == patch


@pytest.mark.parametrize(
    ("patch", "error", "words"),
    [
        ({"containers": [{"image": "x"}]}, PatchFailed, "map: map[image:x] does not contain declared merge key: name"),
        (
            {"containers": [{"name": "a", "$patch": "explode"}]},
            PatchFailed,
            "unknown patch type: explode in map: map[$patch:explode name:a]",
        ),
        (
            {"containers": [{"name": "a", "$patch": "merge"}]},
            PatchFailed,
            "merging lists cannot yet be specified in the patch",
        ),
        ({"nodeSelector": {"$patch": "x"}}, PatchFailed, "unknown patch type: x in map: map[$patch:x]"),
        (
            {"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "a"}]},
            PatchFailed,
            "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
        ),
        (
            {"$setElementOrder/containers": {}},
            PatchFailed,
            "expected a []interface {}, but received a map[string]interface {}",
        ),
        (
            {"containers": [{"name": "a", "$retainKeys": ["name"], "image": "x"}]},
            BadPatch,
            "invalid patch format of retainKeys",
        ),
        ({"containers": [[]]}, PatchFailed, "lists of lists are not supported"),
    ],
)
def test_a_patch_that_contradicts_itself_is_told_as_the_server_tells_it(patch: Any, error: type, words: str) -> None:
    assert _POD is not None
    live = _pod(containers=[{"name": "a"}, {"name": "b"}], nodeSelector={"k": "v"})
    with pytest.raises(error) as caught:
        strategic_merge(live, _pod(**patch), _POD)
    assert str(caught.value) == words


@pytest.mark.parametrize("patch", [None, [], "x"])
def test_what_is_no_object_is_no_patch(patch: Any) -> None:
    assert _POD is not None
    with pytest.raises(BadPatch):
        strategic_merge({}, patch, _POD)


def test_a_patch_as_deep_as_nobody_writes_is_refused() -> None:
    assert _POD is not None
    live: Any = {}
    patch: Any = {"x": 1}
    for _ in range(400):
        live, patch = {"a": live}, {"a": patch}
    with pytest.raises(BadPatch):
        strategic_merge(live, patch, _POD)
