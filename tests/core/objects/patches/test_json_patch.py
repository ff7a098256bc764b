"""JSON patch: RFC 6902, with the leniences of the API server."""

from typing import Any

import pytest

from kilde.core.objects.patches.errors import BadPatch, PatchRejected, PatchTooLarge
from kilde.core.objects.patches.json_patch import MAX_OPERATIONS, json_patch

_DOCUMENT: dict[str, Any] = {"a": {"b": 1}, "l": [1, 2, 3], "t/x": "y"}


def _op(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **more}


@pytest.mark.parametrize(
    ("operations", "changed"),
    [
        ([], {}),
        ([_op("add", "/a/c", value=2)], {"a": {"b": 1, "c": 2}}),
        ([_op("add", "/a/b", value=None)], {"a": {"b": None}}),
        ([_op("add", "/l/1", value=9)], {"l": [1, 9, 2, 3]}),
        ([_op("add", "/l/-", value=9)], {"l": [1, 2, 3, 9]}),
        ([_op("add", "/l/3", value=9)], {"l": [1, 2, 3, 9]}),
        ([_op("add", "/l/-1", value=9)], {"l": [1, 2, 3, 9]}),
        ([_op("replace", "/l/0", value=9)], {"l": [9, 2, 3]}),
        ([_op("replace", "/l/-1", value=9)], {"l": [1, 2, 9]}),
        ([_op("replace", "/new", value=9)], {"new": 9}),
        ([_op("remove", "/a/b")], {"a": {}}),
        ([_op("remove", "/l/1")], {"l": [1, 3]}),
        ([_op("add", "/new")], {"new": None}),
        ([_op("move", "/a/l", **{"from": "/l"})], {"a": {"b": 1, "l": [1, 2, 3]}, "l": ...}),
        ([_op("copy", "/c", **{"from": "/gone"})], {"c": None}),
        ([_op("copy", "/c", **{"from": "/a"}), _op("add", "/c/b", value=2)], {"c": {"b": 2}}),
        ([_op("test", "/t~1x", value="y")], {}),
        ([_op("test", "/gone", value=None)], {}),
        ([_op("test", "/a", value={"b": 1})], {}),
    ],
)
def test_operations_change_the_document(operations: list[Any], changed: dict[str, Any]) -> None:
    expected = {key: value for key, value in {**_DOCUMENT, **changed}.items() if value is not ...}
    assert json_patch(_DOCUMENT, operations) == expected


def test_the_whole_document_can_be_replaced() -> None:
    assert json_patch(_DOCUMENT, [_op("replace", "", value={"x": 1})]) == {"x": 1}


@pytest.mark.parametrize(
    "operation",
    [
        _op("test", "/a/b", value=2),
        _op("test", "/a/b", value=True),
        _op("test", "/a/b", value=1.0),
        _op("remove", "/gone"),
        _op("add", "", value={}),
        _op("replace", "", value=1),
        _op("add", "/x/y", value=1),
        _op("add", "/a/b/c", value=1),
        _op("add", "/l/4", value=1),
        _op("add", "/l/x", value=1),
        _op("add", "a", value=1),
        _op("replace", "/l/3", value=1),
        _op("replace", "/x/y", value=1),
        _op("remove", "/l/3"),
        _op("remove", "/x/y"),
        _op("remove", ""),
        _op("move", "/c", **{"from": "/gone"}),
        _op("copy", "/c", **{"from": "/x/y"}),
        _op("copy", "/c"),
        _op("explode", "/a"),
        {"op": 1, "path": "/a"},
        {"path": "/a"},
        {"op": "remove"},
    ],
)
def test_what_does_not_apply_is_rejected_and_changes_nothing(operation: dict[str, Any]) -> None:
    before = repr(_DOCUMENT)
    with pytest.raises(PatchRejected):
        json_patch(_DOCUMENT, [operation])
    assert repr(_DOCUMENT) == before


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (_op("add", "/x/y", value=1), 'add operation does not apply: doc is missing path: "/x/y": missing value'),
        (
            _op("add", "/l/x", value=1),
            "error in add for path: '/l/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": invalid syntax",
        ),
        (
            _op("add", "/l/4", value=1),
            "error in add for path: '/l/4': Unable to access invalid index: 4: invalid index referenced",
        ),
        (_op("remove", "/a/c"), "error in remove for path: '/a/c': Unable to remove nonexistent key: c: missing value"),
        (_op("replace", "/x/y"), "replace operation does not apply: doc is missing path: /x/y: missing value"),
        (_op("replace", "/l/-"), "replace operation does not apply: doc is missing key: /l/-: missing value"),
        (
            _op("move", "/c", **{"from": "/a/c"}),
            "error in move for path: 'c': Unable to remove nonexistent key: c: missing value",
        ),
        (
            _op("copy", "/x/y", **{"from": "/a"}),
            "copy operation does not apply: doc is missing destination path: /x/y: missing value",
        ),
        (_op("test", "/a/b", value=2), "testing value /a/b failed: test failed"),
        ({"op": "remove"}, "remove operation failed to decode path: missing value"),
        (
            {"op": "copy", "path": "/c"},
            "copy operation failed to decode from: operation missing from field: missing value",
        ),
    ],
)
def test_what_does_not_apply_is_told_as_the_library_of_kubernetes_does(operation: dict[str, Any], words: str) -> None:
    with pytest.raises(PatchRejected) as caught:
        json_patch(_DOCUMENT, [operation])
    assert caught.value.what == words


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({}, "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        ("x", "json: cannot unmarshal string into Go value of type []handlers.jsonPatchOp"),
        ([1], "json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
    ],
)
def test_what_is_no_patch_is_told_so(patch: Any, words: str) -> None:
    with pytest.raises(BadPatch) as caught:
        json_patch(_DOCUMENT, patch)
    assert caught.value.what == words


def test_more_operations_than_a_server_takes_are_refused() -> None:
    with pytest.raises(PatchTooLarge):
        json_patch(_DOCUMENT, [_op("test", "/a/b", value=1)] * (MAX_OPERATIONS + 1))
