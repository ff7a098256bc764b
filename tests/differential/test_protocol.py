"""Protocol: what is answered to requests that are odd in their path, headers, options or body, on both servers."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(120)]

_MAPS = "/api/v1/namespaces/NAMESPACE/configmaps"
_PODS = "/api/v1/namespaces/NAMESPACE/pods"
_BODY = {"metadata": {"name": "m"}, "data": {"a": "b"}}
_POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
_EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction"}
_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_ACCEPTS = ("text/html", "application/*", "application/cbor", "application/yaml", "text/html,*/*")
_MEDIA = ("text/plain", "application/json", "application/yaml", "application/cbor")
_WRONG_TOKENS = (
    '{"v":"x"}',
    "{}",
    "[]",
    "1",
    '{"v":1}',
    '{"rv":"1"}',
    '{"v":"meta.k8s.io/v1","rv":1}',
    '{"v":',
    '{"v":"meta.k8s.io/v1"}',
)
_TOKENS = (
    "x",
    "xyz",
    "xyzab",
    "x.z",
    "ab%3D%3D",
    *(base64.urlsafe_b64encode(token.encode()).decode().rstrip("=") for token in _WRONG_TOKENS),
)

ASKS = [
    *(Ask("GET", path) for path in ("/api/v2", "/apis/apps/v2", "/apis/nope/v1", "/api/v1/foos", "/nope")),
    *(Ask(method, "/version", {}) for method in ("POST", "PUT", "PATCH")),
    *(
        Ask("GET", f"{path}?fieldSelector=metadata.namespace%3Dx")
        for path in (
            "/api/v1/nodes",
            "/api/v1/namespaces",
            "/api/v1/persistentvolumes",
            "/apis/storage.k8s.io/v1/storageclasses",
            "/apis/certificates.k8s.io/v1/certificatesigningrequests",
        )
    ),
    *(Ask("GET", f"{_MAPS}/none", accept=accept) for accept in _ACCEPTS),
    *(Ask("GET", f"{_MAPS}?labelSelector=none", accept=accept) for accept in (*_ACCEPTS[:3], _LIST)),
    *(Ask("POST", f"{_MAPS}?dryRun=All", {}, accept=accept) for accept in _ACCEPTS),
    *(Ask("PATCH", f"{_MAPS}/none", {}, media=media) for media in _MEDIA),
    Ask("GET", "/openid/v1/jwks"),
    Ask("POST", _MAPS, {**_BODY, "metadata": {"name": "n", "resourceVersion": "1"}}),
    *(
        Ask("DELETE", f"{_MAPS}/none", body)
        for body in ({"gracePeriodSeconds": "x"}, {"preconditions": []}, {"orphanDependents": 1}, {"kind": "Nope"})
    ),
    *(
        Ask("GET", f"{_MAPS}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dnone&{chosen}")
        for chosen in (
            "resourceVersionMatch=Exact",
            "resourceVersionMatch=NotOlderThan&continue=x",
            "resourceVersionMatch=Nope&sendInitialEvents=true",
            "sendInitialEvents=true",
            "sendInitialEvents=false&resourceVersionMatch=Exact&resourceVersion=0&continue=x",
        )
    ),
    *(
        Ask("GET", f"{_MAPS}?{chosen}")
        for chosen in (
            "resourceVersionMatch=Nope",
            "resourceVersionMatch=Exact&continue=x",
            "resourceVersionMatch=Exact&resourceVersion=0&sendInitialEvents=true",
            *(f"limit=1&continue={token}" for token in _TOKENS),
        )
    ),
    Ask("POST", f"{_PODS}?dryRun=All", _POD),
    *(
        Ask("POST", f"{_PODS}/p/eviction?dryRun=All", body)
        for body in ({}, {**_EVICTION, "metadata": {"name": "q"}}, {**_EVICTION, "metadata": {"name": "p"}})
    ),
    *(
        Ask("POST", f"{path}?dryRun=All", body)
        for path in (f"{_PODS}/p/binding", "/api/v1/namespaces/NAMESPACE/bindings")
        for body in ({}, {"target": {}}, {"target": {"name": "n"}}, {"metadata": {"name": "p"}, "target": {}})
    ),
]


def test_odd_requests_are_answered_alike(pair: Pair, namespace: str) -> None:
    found = [line for line in _different(pair, namespace, ASKS) if ".managedFields" not in line]
    assert not found, "\n".join(found)


_THINGS = "/apis/odd.example.com/v1/namespaces/NAMESPACE/things"
_NAMED = {"apiVersion": "odd.example.com/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"a": "b"}}
CUSTOM_ASKS = [
    *(
        Ask("POST", path, body, media=media)
        for path in (_THINGS, f"{_THINGS}/one")
        for media in ("application/json", "application/yaml")
        for body in (
            {},
            {"metadata": {"name": "one"}},
            {"apiVersion": "odd.example.com/v1", "kind": "", "metadata": {"name": "one"}},
            {"kind": "Thing"},
            {"apiVersion": "odd.example.com/v1", "kind": "Other", "metadata": {"name": "one"}},
            {"apiVersion": "odd.example.com/v2", "kind": "Thing", "metadata": {"name": "one"}},
            {"kind": "Thing", "metadata": {"name": "two"}},
        )
    ),
    Ask("POST", f"{_THINGS}/two", _NAMED),
    Ask("POST", f"{_THINGS}/one", _NAMED),
    *(
        Ask("PUT", f"{_THINGS}/one", body)
        for body in ({}, {**_NAMED, "kind": "Other"}, {"kind": "Thing", "metadata": {"name": "one"}})
    ),
    *(
        Ask("PATCH", f"{_THINGS}/one", {"spec": None, key: value}, media="application/merge-patch+json")
        for key, value in (("kind", "Other"), ("apiVersion", "odd.example.com/v2"), ("apiVersion", None))
    ),
    Ask("GET", f"{_THINGS}/one"),
]


def test_odd_requests_for_custom_resources_are_answered_alike(pair: Pair, namespace: str) -> None:
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    name = "things.odd.example.com"
    pair.set_up(Ask("POST", definitions, _definition(name)))
    try:
        pair.await_established(f"{definitions}/{name}")
        pair.await_served(_THINGS.replace("NAMESPACE", namespace))
        found = _different(pair, namespace, [Ask("GET", f"{definitions}/{name}"), *CUSTOM_ASKS])
    finally:
        pair.set_up(Ask("DELETE", f"{definitions}/{name}"))
    assert not found, "\n".join(found)


def _definition(name: str) -> dict[str, Any]:
    plural, _, group = name.partition(".")
    spec = {"type": "object", "additionalProperties": {"type": "string"}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "metadata": {"name": name},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": "Thing"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def _different(pair: Pair, namespace: str, asks: Sequence[Ask]) -> list[str]:
    found: list[str] = []
    for asked in asks:
        ask = Ask(asked.method, asked.path.replace("NAMESPACE", namespace), asked.body, asked.media, asked.accept)
        real, ours = (normal(answer) for answer in pair.ask(ask))
        what = f"{ask} {ask.accept} {json.dumps(ask.body)}"
        found += [f"{what}: {line}" for line in differences(real, ours)]
    return found


def test_who_issues_tokens_is_told_with_a_key_to_verify_them(pair: Pair) -> None:
    answers = pair.ask(Ask("GET", "/.well-known/openid-configuration"))
    for answer in answers:
        answer["body"]["jwks_uri"] = answer["body"]["jwks_uri"].rpartition(":")[2].partition("/")[2]
        algorithms = answer["body"].pop("id_token_signing_alg_values_supported")
        keys = [
            side.ask(Ask("GET", "/openid/v1/jwks", accept="*/*"))["body"]["keys"] for side in (pair.real, pair.ours)
        ]
        assert all(key["alg"] in ("ES256", *algorithms) for found in keys for key in found)
    real, ours = answers
    assert real == ours
