"""The text of a patched document, which refusals quote: what a patch goes through is sorted, all else is as Go wrote it."""

import json
from typing import Any

import pytest

from kilde.core.objects.typed import schema
from kilde.kubeapi.logic.patched import after_json_patch, after_merge_patch
from kilde.kubeapi.resources.go_order import as_go_writes

DOCUMENT = {
    "kind": "A",
    "apiVersion": "v1",
    "metadata": {"name": "x", "annotations": {"b": "1", "a": "2"}},
    "list": [{"q": 1, "p": 2}, {"s": 1}],
}


def text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


HEAD = '{"apiVersion":"v1","kind":"A","list":[{"q":1,"p":2},{"s":1}],"metadata":'


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([], HEAD + '{"name":"x","annotations":{"b":"1","a":"2"}}}'),
        (
            [{"op": "add", "path": "/metadata/labels", "value": {"z": 1, "y": 2}}],
            HEAD + '{"annotations":{"b":"1","a":"2"},"labels":{"z":1,"y":2},"name":"x"}}',
        ),
        (
            [{"op": "test", "path": "/metadata/annotations", "value": {"a": "2", "b": "1"}}],
            HEAD + '{"annotations":{"a":"2","b":"1"},"name":"x"}}',
        ),
        (
            [{"op": "add", "path": "/list/0", "value": 1}, {"op": "remove", "path": "/list/1/q"}],
            '{"apiVersion":"v1","kind":"A","list":[1,{"p":2},{"s":1}],"metadata":{"name":"x","annotations":{"b":"1","a":"2"}}}',
        ),
        (
            [{"op": "copy", "from": "/metadata", "path": "/copy"}],
            '{"apiVersion":"v1","copy":{"name":"x","annotations":{"b":"1","a":"2"}},"kind":"A","list":[{"q":1,"p":2},{"s":1}],'
            '"metadata":{"name":"x","annotations":{"b":"1","a":"2"}}}',
        ),
        (
            [{"op": "copy", "from": "/metadata", "path": "/metadata/copy"}],
            HEAD + '{"annotations":{"b":"1","a":"2"},"copy":{"annotations":{"b":"1","a":"2"},"name":"x"},"name":"x"}}',
        ),
        (
            [{"op": "move", "from": "/list/0", "path": "/list/0/r"}],
            '{"apiVersion":"v1","kind":"A","list":[{"r":{"q":1,"p":2},"s":1}],"metadata":{"name":"x","annotations":{"b":"1","a":"2"}}}',
        ),
    ],
)
def test_a_json_patch_sorts_the_maps_that_it_goes_through(operations: list[Any], expected: str) -> None:
    assert text(after_json_patch(DOCUMENT, operations)) == expected


def test_a_merge_patch_sorts_the_maps_that_it_changes_and_its_own_values() -> None:
    wanted = {"metadata": {"labels": {"z": 1, "y": 2}}, "list": [{"d": 1, "c": {"f": 1, "e": 2}}]}
    made = {
        **DOCUMENT,
        "list": wanted["list"],
        "metadata": {**DOCUMENT["metadata"], "labels": wanted["metadata"]["labels"]},
    }  # type: ignore[dict-item, call-overload]
    assert text(after_merge_patch(made, wanted)) == (
        '{"apiVersion":"v1","kind":"A","list":[{"c":{"e":2,"f":1},"d":1}],'
        '"metadata":{"annotations":{"b":"1","a":"2"},"labels":{"y":2,"z":1},"name":"x"}}'
    )


def test_fields_are_in_the_order_of_go_s_structs_and_keys_of_maps_in_the_alphabet_s() -> None:
    pod = {
        "metadata": {
            "managedFields": [{"fieldsV1": {"f:b": {}, "f:a": {}}, "manager": "m"}],
            "labels": {"b": "1", "a": "2"},
            "uid": "u",
            "name": "x",
        },
        "spec": {
            "nodeName": "n",
            "containers": [{"image": "i", "env": [{"value": "v", "name": "e"}], "name": "c"}],
            "volumes": [],
        },
    }
    assert text(as_go_writes(schema.builtin().node("", "v1", "Pod"), pod)) == (
        '{"metadata":{"name":"x","uid":"u","labels":{"a":"2","b":"1"},"managedFields":[{"manager":"m","fieldsV1":{"f:b":{},"f:a":{}}}]},'
        '"spec":{"volumes":[],"containers":[{"name":"c","image":"i","env":[{"name":"e","value":"v"}]}],"nodeName":"n"}}'
    )
