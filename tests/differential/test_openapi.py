"""OpenAPI documents: each as a real server of that minor publishes it, whole, but for what is prose of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from differential.normal import differences
from differential.sides import Ask, Pair
from kilde.kubeapi.resources import openapi_v2_protobuf

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

_GNOSTIC = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_SOME_ORDER = re.compile(rb"(group: [\w.]+\n)(version: \w+\n)(kind: \w+\n)")  # of an aggregated group, where ours sorts
_WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.openapi.test"},
    "spec": {
        "group": "openapi.test",
        "scope": "Namespaced",
        "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                },
                "selectableFields": [{"jsonPath": ".spec.size"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "description": "Gadget is a thing.",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "string", "default": "small", "enum": ["small", "large"]},
                                    "replicas": {"type": "integer", "minimum": 0},
                                    "port": {"x-kubernetes-int-or-string": True},
                                    "parts": {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "x-kubernetes-embedded-resource": True,
                                            "required": ["spec"],
                                            "properties": {"spec": {"type": "string"}},
                                        },
                                    },
                                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                    "none": {"type": "string", "nullable": True},
                                    "nones": {
                                        "type": "array",
                                        "nullable": True,
                                        "items": {"type": "object", "properties": {"a": {"type": "string"}}},
                                    },
                                    "frees": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "atomic",
                                        "items": {
                                            "type": "object",
                                            "x-kubernetes-preserve-unknown-fields": True,
                                            "properties": {"a": {"type": "string"}},
                                        },
                                    },
                                    "whole": {
                                        "type": "object",
                                        "x-kubernetes-embedded-resource": True,
                                        "x-kubernetes-preserve-unknown-fields": True,
                                    },
                                    "map": {
                                        "type": "object",
                                        "additionalProperties": {"type": "integer", "nullable": True, "default": 3},
                                    },
                                    "choice": {
                                        "type": "object",
                                        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                                        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                                        "not": {"required": ["c"]},
                                    },
                                },
                                "required": ["none", "size"],
                                "x-kubernetes-validations": [{"rule": "self.size != 'huge'"}],
                            },
                            "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
                        },
                    }
                },
            }
        ],
    },
}


def test_the_newest_publishes_the_same(pair: Pair) -> None:
    assert list(_compared(pair, texts=True)) == []


def test_an_older_one_publishes_the_same(older_pair: Pair) -> None:
    assert list(_compared(older_pair, texts=False)) == []


@pytest.fixture
def gadgets(pair: Pair) -> Iterator[str]:
    """The path of the document of a custom kind."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    one = f"{definitions}/{_WIDGETS['metadata']['name']}"
    pair.set_up(Ask("POST", definitions, _WIDGETS))
    try:
        pair.await_established(one)
        path = "apis/openapi.test/v1"
        pair.await_answer(Ask("GET", f"/openapi/v3/{path}"), 200)
        yield path
    finally:
        pair.ask(Ask("DELETE", one))
        pair.await_answer(Ask("GET", one), 404)


def test_a_custom_kind_is_published_the_same(pair: Pair, gadgets: str) -> None:
    assert _differing(pair, gadgets, texts=True) == []


def test_the_older_document_is_published_the_same(pair: Pair, gadgets: str) -> None:
    for _ in range(200):  # a real server tells it there some seconds later
        real, ours = (_old(_read(answer)) for answer in pair.ask(Ask("GET", "/openapi/v2")))
        if any(gadgets in path for path in real["paths"]):
            break
        time.sleep(0.1)
    found = differences(real, ours)
    assert not found, "\n".join(found)


def test_the_older_document_is_written_in_protobuf_as_there(pair: Pair) -> None:
    plain, binary = (pair.real.raw(Ask("GET", "/openapi/v2", accept=accept)) for accept in ("*/*", _GNOSTIC))
    assert binary[:2] == (200, _GNOSTIC)
    assert openapi_v2_protobuf.encode(json.loads(plain[2])) == _SOME_ORDER.sub(rb"\1\3\2", binary[2])
    ours = pair.ours.raw(Ask("GET", "/openapi/v2"))[2]
    for accept in (_GNOSTIC, _GNOSTIC.replace(".v1.0", "@v1.0"), f"text/html,{_GNOSTIC}"):
        told = pair.ours.raw(Ask("GET", "/openapi/v2", accept=accept))
        assert told == (200, _GNOSTIC, openapi_v2_protobuf.encode(json.loads(ours)))
    assert [side.raw(Ask("GET", "/openapi/v2", accept="text/html")) for side in (pair.real, pair.ours)] == [
        (406, "", b"")
    ] * 2


@pytest.mark.parametrize("what", ["deployment.spec.strategy", "configmaps", "pods.spec --recursive", "apiservice.spec"])
def test_kubectl_explains_by_the_older_document_as_there(pair: Pair, tmp_path: Path, what: str) -> None:
    program = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None
    words = [program, "explain", *what.split(), "--output=plaintext-openapiv2"]
    real, ours = (
        subprocess.run(
            words,
            env={"HOME": str(tmp_path / side.kubeconfig.stem), "KUBECONFIG": str(side.kubeconfig)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for side in (pair.real, pair.ours)
    )
    assert len(real) > 100
    assert ours == real


def _old(document: Any) -> Any:
    """With the parameters in their places, without their texts and those of what other tests have made."""
    shared = document.pop("parameters")

    def told(one: dict[str, Any]) -> dict[str, Any]:
        found = shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        return {key: value for key, value in found.items() if key != "description"}

    for item in document["paths"].values():
        for operation in (item, *(one for key, one in item.items() if key != "parameters")):
            if "parameters" in operation:
                operation["parameters"] = sorted(map(told, operation["parameters"]), key=lambda one: str(one["name"]))
    for schema in document["definitions"].values():
        _plainly_told(schema)
    return document


def _compared(pair: Pair, *, texts: bool) -> Iterator[str]:
    real, ours = (_read(answer)["paths"] for answer in pair.ask(Ask("GET", "/openapi/v3")))
    for path in sorted({*real} & {*ours}):
        if not path.partition("/")[2].partition("/")[0].endswith(".test"):  # a CRD that another test makes or deletes
            yield from _differing(pair, path, texts=texts)


def _differing(pair: Pair, path: str, *, texts: bool) -> list[str]:
    real, ours = (_plain(_read(answer), texts=texts) for answer in pair.ask(Ask("GET", f"/openapi/v3/{path}")))
    return [f"{path}: {line}" for line in differences(real, ours)]


def _read(answer: dict[str, Any]) -> Any:
    assert answer["code"] == 200
    body = answer["body"]
    return json.loads(body) if isinstance(body, str) else body


def _plain(document: Any, *, texts: bool) -> Any:
    """Without the texts of parameters, which are ours, and (unless `texts`) of fields, which are those of the newest release."""
    for item in document["paths"].values():
        for operation in (item, *(one for key, one in item.items() if key != "parameters")):
            for parameter in operation.get("parameters", ()):
                parameter.pop("description", None)
    for schema in document["components"].get("schemas", {}).values():
        _plainly_told(schema, texts=texts)
    return document


def _plainly_told(schema: dict[str, Any], *, texts: bool = True) -> None:
    for one in (schema, *schema.get("properties", {}).values()):
        if not texts:
            one.pop("description", None)
        elif "description" in one:  # an empty line more where a comment in Go's sources ends with one
            one["description"] = one["description"].replace("\n\n\nPossible enum", "\n\nPossible enum")
