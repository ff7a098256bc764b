"""Metadata of wrong types, as kubectl's decoder words them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kilde.core.objects.object_meta import texts_of, undecodable

_CANNOT = "json: cannot unmarshal {} into Go struct field {} of type {}"
_TIME = 'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"'
DECODED: tuple[Any, ...] = (
    None,
    {"name": "x", "labels": {"a": "b"}, "annotations": None, "finalizers": ["a/b"]},
    {"name": "x", "creationTimestamp": None, "Name": True, "other": 1},
)
REFUSED: tuple[tuple[Any, str], ...] = (
    ({"name": True}, _CANNOT.format("bool", "ObjectMeta.metadata.name", "string")),
    ({"name": {}}, _CANNOT.format("object", "ObjectMeta.metadata.name", "string")),
    ({"labels": {"a": 1}}, _CANNOT.format("number", "ObjectMeta.metadata.labels", "string")),
    ({"labels": ["a"]}, _CANNOT.format("array", "ObjectMeta.metadata.labels", "map[string]string")),
    ({"annotations": {"a": 1.5}}, _CANNOT.format("number", "ObjectMeta.metadata.annotations", "string")),
    ({"uid": 1}, _CANNOT.format("number", "ObjectMeta.metadata.uid", "types.UID")),
    ({"generation": 1.5}, _CANNOT.format("number 1.5", "ObjectMeta.metadata.generation", "int64")),
    ({"finalizers": "a/b"}, _CANNOT.format("string", "ObjectMeta.metadata.finalizers", "[]string")),
    (
        {"ownerReferences": [{"controller": "yes"}]},
        _CANNOT.format("string", "OwnerReference.metadata.ownerReferences.controller", "bool"),
    ),
    ({"creationTimestamp": "soon"}, _TIME),
    # the first in the alphabet's order
    ({"name": 1, "labels": {"z": 2}}, _CANNOT.format("number", "ObjectMeta.metadata.labels", "string")),
    (["name"], _CANNOT.format("array", "metadataOnlyObject.metadata", "v1.ObjectMeta")),
)


@pytest.mark.parametrize(("metadata", "told"), [*((one, "") for one in DECODED), *REFUSED])
def test_the_first_value_of_a_wrong_type_is_told_in_gos_words(metadata: Any, told: str) -> None:
    assert undecodable(metadata) == told


def test_the_words_are_those_of_kubectl() -> None:
    kubectl = shutil.which("kubectl", path=Path(sys.executable).parent) or shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl beside this Python (make install)")
    bodies = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata} for metadata, _ in REFUSED]
    command = [kubectl, "label", "--local", "-f", "-", "a=b", "-o", "name"]
    said = [
        subprocess.run(command, input=json.dumps(body, sort_keys=True), capture_output=True, text=True, check=False)
        for body in bodies
    ]
    assert [one.stderr for one in said] == [f'error: unable to decode "STDIN": {told}\n' for _, told in REFUSED]


def test_none_of_the_labels_counts_where_one_is_no_text() -> None:
    assert texts_of({"a": "b", "c": None}) == {"a": "b", "c": ""}
    assert (texts_of({"a": "b", "c": 1}), texts_of(["a"]), texts_of(None)) == ({}, {}, {})
