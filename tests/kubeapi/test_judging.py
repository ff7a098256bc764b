"""Objects judged without a server: good ones of every kind, and what a real API server said of bad ones."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from differential.manifests import Manifest, manifests
from kilde.core.objects.typed.schema import VERSIONS
from kilde.kubeapi.judging import ObjectJudge

_VARIABLE = re.compile(r"\{[a-z]\w*\}")
# What a judge of single objects says otherwise than the server, and why.
_OTHERWISE = {
    "validation/ingress-old-schema": "fields that are unknown are told, too: the server is asked with fieldValidation=Strict",
    "validation/secret-too-large": "the recording has a sign for a long text",
    "validation/event-new-missing": "an Event is in the namespace of what it is about",
}


@pytest.fixture(scope="module")
def judge() -> ObjectJudge:
    return ObjectJudge("1.36")


@pytest.mark.parametrize("manifest", [pytest.param(one, id=one.kind) for one in manifests("default")])
def test_a_good_object_of_any_kind_is_good(judge: ObjectJudge, manifest: Manifest) -> None:
    found = judge.judge(manifest.body)

    assert found is not None
    assert found.causes == ()


def recorded(shared: Path) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """The objects that were sent to be created, and the answers."""
    for area in ("validation", "fieldvalidation", "defaults"):
        file = shared / "conformance" / "apiserver" / "builtin" / f"{area}.json"
        for scenario in json.loads(file.read_text())["scenarios"]:
            for step, answer in zip(scenario["steps"], scenario["expect"], strict=True):
                text = json.dumps(step.get("b")).replace("{ns}", "x")
                strict = area != "fieldvalidation" or "fieldValidation=Strict" in step.get("p", "")
                if answer and step.get("m") == "POST" and strict and '"kind"' in text and not _VARIABLE.search(text):
                    yield scenario["name"], json.loads(text), answer


def test_what_a_real_server_refused_is_refused_for_the_same_fields_and_what_it_took_is_good(
    judge: ObjectJudge, shared: Path
) -> None:
    different, count = [], 0
    for name, body, answer in recorded(shared):
        found = judge.judge(body)
        if answer["code"] not in (201, 400, 422) or found is None or name in _OTHERWISE:
            continue
        count += 1
        fields = {cause.field for cause in found.causes}
        causes = (answer["body"].get("details") or {}).get("causes") or ()
        expected = {cause.get("field", "").replace("<nil>", "") for cause in causes}
        if bool(fields) is not (answer["code"] != 201) or (answer["code"] == 422 and fields != expected):
            different.append((name, fields, expected))

    assert different == []
    assert count > 100


@pytest.mark.parametrize("version", VERSIONS)
def test_a_deployment_is_good_in_every_version(version: str) -> None:
    body = next(one.body for one in manifests("default", "ConfigMap"))
    found = ObjectJudge(version).judge(body)

    assert found is not None
    assert found.causes == ()


def test_an_object_is_judged_as_often_as_asked_and_stays_as_it_is(judge: ObjectJudge) -> None:
    for manifest in manifests("default"):
        before = json.dumps(manifest.body)

        assert judge.judge(manifest.body) == judge.judge(manifest.body)
        assert json.dumps(manifest.body) == before


def test_of_a_secret_no_value_is_told(judge: ObjectJudge) -> None:
    bad = {"a/b": "canary", "b": 7, "c": ["canary"]}
    for part in ("data", "stringData", "type", "immutable"):
        found = judge.judge({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, part: bad})

        assert found is not None
        assert found.causes
        assert "canary" not in repr(found)


def test_a_definition_that_is_wrong_defines_nothing() -> None:
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "a"},
        "spec": {"group": "b.example"},
    }
    for spec in (
        {},
        [],
        None,
        {"group": "b.example", "names": {"kind": "A"}, "scope": "Namespaced", "versions": [{"name": 1}]},
    ):
        judge = ObjectJudge("1.36", [{**crd, "spec": spec}])

        assert judge.judge({"apiVersion": "b.example/v1", "kind": "A", "metadata": {"name": "a"}}) is None
