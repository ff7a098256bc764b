"""The laws that patches keep, whatever the document: of JSON patch (RFC 6902), merge patch (RFC 7396) and strategic merge."""

import copy
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kilde.core.objects.patches.errors import PatchError, PatchFailed
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.patches.merge_patch import merge_patch, patch_between
from kilde.core.objects.patches.strategic_merge import merged_with_rest, strategic_merge
from kilde.core.objects.typed.schema import builtin

_QUICK = settings(max_examples=60)
_KEYS = st.sampled_from(["a", "b", "c/d", "e~f"])
_SCALARS = st.one_of(st.booleans(), st.integers(0, 3), st.sampled_from("xy"))
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(_KEYS, _VALUES, max_size=3)


def _places(value: Any, at: str = "") -> list[str]:
    """The pointers to all that is in a value."""
    found = [at] if at else []
    if isinstance(value, dict):
        for key, child in value.items():
            found += _places(child, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _places(item, f"{at}/{index}")
    return found


def _at(value: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


@_QUICK
@given(_OBJECTS, st.data())
def test_a_test_holds_of_what_is_there_and_of_nothing_else(document: Any, data: Any) -> None:
    places = _places(document)
    assume(places)
    pointer = data.draw(st.sampled_from(places))
    there, other = _at(document, pointer), data.draw(_VALUES)
    assert json_patch(document, [{"op": "test", "path": pointer, "value": there}]) == document
    if other != there:
        with pytest.raises(PatchError):
            json_patch(document, [{"op": "test", "path": pointer, "value": other}])


@_QUICK
@given(_OBJECTS, _VALUES, st.data())
def test_adding_and_removing_restores_and_replacing_is_both(document: Any, value: Any, data: Any) -> None:
    pointer = data.draw(st.sampled_from([*_places(document), "/new"]))
    parent, _, last = pointer.rpartition("/")
    holder = _at(document, parent) if parent else document
    added = json_patch(document, [{"op": "add", "path": pointer, "value": value}])
    assert _at(added, pointer) == value
    if isinstance(holder, list) or last == "new":
        assert json_patch(added, [{"op": "remove", "path": pointer}]) == document
    replaced = json_patch(added, [{"op": "replace", "path": pointer, "value": 7}])
    assert replaced == json_patch(
        added, [{"op": "remove", "path": pointer}, {"op": "add", "path": pointer, "value": 7}]
    )


@_QUICK
@given(_OBJECTS, st.data())
def test_a_move_is_a_copy_and_a_removal(document: Any, data: Any) -> None:
    places = _places(document)
    assume(places)
    source = data.draw(st.sampled_from(places))
    moved = json_patch(document, [{"op": "move", "from": source, "path": "/moved"}])
    copied = json_patch(document, [{"op": "copy", "from": source, "path": "/moved"}])
    assert copied == {**document, "moved": _at(document, source)}
    assert moved == json_patch(copied, [{"op": "remove", "path": source}])
    assert json_patch(document, [{"op": "move", "from": source, "path": source}]) == document


@_QUICK
@given(_OBJECTS, _OBJECTS)
def test_a_merge_patch_sets_what_it_says_and_leaves_the_rest(document: Any, patch: Any) -> None:
    before = copy.deepcopy((document, patch))
    merged = merge_patch(document, patch)
    assert (document, patch) == before
    assert merge_patch(document, {}) == document
    assert {key: merged[key] for key in document if key not in patch} == {
        key: document[key] for key in document if key not in patch
    }
    assert merge_patch(merged, dict.fromkeys(patch)) == {key: document[key] for key in document if key not in patch}
    assert merge_patch(document, patch_between(document, merged)) == merged


@_QUICK
@given(_OBJECTS, _OBJECTS, _OBJECTS)
def test_merge_patches_of_other_fields_may_be_done_in_any_order(document: Any, one: Any, two: Any) -> None:
    two = {f"other {key}": value for key, value in two.items()}
    assert merge_patch(merge_patch(document, one), two) == merge_patch(merge_patch(document, two), one)


_POD = builtin().node("", "v1", "Pod")
_NAMES = st.sampled_from(["a", "b", "c", "d"])
_CONTAINERS = st.lists(
    st.builds(
        lambda name, image: {"name": name, **image}, _NAMES, st.sampled_from([{}, {"image": "x"}, {"image": "y"}])
    ),
    max_size=4,
    unique_by=lambda item: item["name"],
)


def _names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def _merged(live: list[Any], **patch: Any) -> list[Any]:
    assert _POD is not None
    made = strategic_merge({"spec": {"containers": live}}, {"spec": patch}, _POD)
    found: list[Any] = made["spec"]["containers"]
    return found


@_QUICK
@given(_CONTAINERS, _CONTAINERS)
def test_a_keyed_list_has_every_item_once_however_often_it_is_patched(live: Any, patch: Any) -> None:
    before = copy.deepcopy((live, patch))
    once = _merged(live, containers=patch)
    assert (live, patch) == before
    assert sorted(_names(once)) == sorted({*_names(live), *_names(patch)})
    assert sorted(map(str, _merged(once, containers=patch))) == sorted(map(str, once))
    known = {item["name"]: item for item in live}
    made = {item["name"]: item for item in once}
    assert made == known | {item["name"]: {**known.get(item["name"], {}), **item} for item in patch}


@_QUICK
@given(_CONTAINERS, st.permutations(["a", "b", "c", "d"]))
def test_an_order_moves_items_and_changes_none(live: Any, order: list[str]) -> None:
    assume(live)
    named = [{"name": name} for name in order]
    made = _merged(live, **{"$setElementOrder/containers": named})
    assert made == sorted(live, key=lambda item: order.index(item["name"]))


@_QUICK
@given(_CONTAINERS, _CONTAINERS, _NAMES)
def test_directives_delete_and_replace_and_are_not_left(live: Any, patch: Any, name: str) -> None:
    assert _merged(live, containers=[{"name": name, "$patch": "delete"}]) == [
        item for item in live if item["name"] != name
    ]
    assert _merged(live, containers=[*patch, {"$patch": "replace"}]) == patch
    assert _POD is not None
    document, directed = (
        {"spec": {"containers": live, "nodeName": "n"}},
        {"containers": patch, "$retainKeys": ["containers"]},
    )
    made, rest = merged_with_rest(document, {"spec": directed}, _POD)
    assert made["spec"].keys() == {"containers"}
    assert rest["spec"].keys() == {"containers"}
    with pytest.raises(PatchError):
        strategic_merge(document, {"spec": {**directed, "$retainKeys": []}}, _POD)


@_QUICK
@given(_CONTAINERS, _CONTAINERS)
def test_an_order_that_contradicts_the_patch_is_refused(live: Any, patch: Any) -> None:
    assume(len(patch) > 1)
    with pytest.raises(PatchFailed, match="doesn't match"):
        _merged(live, containers=patch, **{"$setElementOrder/containers": patch[::-1]})
