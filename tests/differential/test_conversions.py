"""Conversion webhooks: objects in another version than the one they are kept in, on both servers alike."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from differential import conversions
from differential.hooks import MUTATING, ROOT, SEEN_BY_THE_REAL_SERVER, VALIDATING, Hook
from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE, JSON_PATCH, APPLY = (
    f"application/{each}" for each in ("merge-patch+json", "json-patch+json", "apply-patch+yaml")
)
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def served(pair: Pair, hook: Hook, mode: str, **more: Any) -> str:
    """A new definition that both servers serve; its group."""
    group = f"{mode}.conv.example.com"
    pair.set_up(Ask("POST", CRDS, conversions.definition(group, hook.client(f"/convert/{mode}"), **more)))
    for version in ("v1", "v2"):
        pair.await_served(f"/apis/{group}/{version}/things")
    return group


def thing(name: str, version: str, group: str, meta: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    api_version = f"{group}/{version}"
    return {"apiVersion": api_version, "kind": "Thing", "metadata": {"name": name, **(meta or {})}, "spec": spec}


def ask_all(pair: Pair, namespace: str, group: str, asks: list[Ask]) -> list[str]:
    """Where the answers differ; a path is `v2` or `v2/name…`, below the namespace."""
    found = []
    for one in asks:
        version, slash, rest = one.path.partition("/")
        version, question, query = version.partition("?")
        path = f"/apis/{group}/{version}/namespaces/{namespace}/things{slash}{rest}{question}{query}"
        real, ours = pair.ask(replace(one, path=path))
        found += [f"{one}: {line}" for line in differences(normal(_lines(real)), normal(_lines(ours)))]
    return found


def _lines(answer: dict[str, Any]) -> dict[str, Any]:
    """A watch's answer with its events decoded."""
    body = answer["body"]
    if isinstance(body, str) and body.startswith('{"type"'):
        answer = {**answer, "body": [json.loads(line) for line in body.splitlines()]}
    return answer


def test_objects_are_written_and_read_in_either_version(pair: Pair, namespace: str, hook: Hook) -> None:
    group = served(pair, hook, "right")
    labels = {"labels": {"a": "b"}}

    def one(name: str, version: str, **spec: Any) -> dict[str, Any]:
        return thing(name, version, group, labels, **spec)

    found = ask_all(
        pair,
        namespace,
        group,
        [
            Ask("POST", "v1", one("a", "v1", address="h:80", replicas=1)),
            Ask("GET", "v2/a"),
            Ask("POST", "v2", one("b", "v2", host="x", port=81, nope=1)),
            Ask("POST", "v2?fieldValidation=Strict", one("b2", "v2", host="x", nope=1)),
            Ask("POST", "v2?dryRun=All", one("c", "v2", host="x")),
            Ask("POST", "v2", one("d", "v2", host="x" * 30, port=10000)),
            Ask("GET", "v1/b"),
            Ask("GET", "v2/b"),
            Ask("GET", "v2/b", accept=TABLE),
            Ask("GET", "v2/b", accept=PARTIAL),
            Ask("GET", "v2"),
            Ask("GET", "v2?labelSelector=a=b&limit=1"),
            Ask("GET", "v2?fieldSelector=spec.host=x"),
            Ask("GET", "v2?fieldSelector=spec.address=x"),
            Ask("GET", "v1?fieldSelector=spec.address=x:81"),
            Ask("PATCH", "v2/a", {"spec": {"port": 82}}, MERGE),
            Ask("PATCH", "v2/a", {"spec": {"port": 82}}, MERGE),
            Ask("PATCH", "v2/a?dryRun=All", {"spec": {"port": 83}}, MERGE),
            Ask("PATCH", "v2/a", {"spec": {"port": 99999}}, MERGE),
            Ask("PATCH", "v1/a", {"spec": {"address": "h:99999"}}, MERGE),
            Ask("GET", "v2/a"),
            Ask("PATCH", "v2/a", [{"op": "replace", "path": "/spec/port", "value": 5}], JSON_PATCH),
            Ask("PATCH", "v2/a", [{"op": "test", "path": "/spec/port", "value": 6}], JSON_PATCH),
            Ask("PATCH", "v2/a/status", {"status": {"phase": "Up", "replicas": 1}, "spec": {"port": 1}}, MERGE),
            Ask("GET", "v1/a/status"),
            Ask("GET", "v2/a/scale"),
            Ask("PATCH", "v2/a/scale", {"spec": {"replicas": 4}}, MERGE),
            Ask("GET", "v1/a/scale"),
            Ask("GET", "v1/a"),
            Ask("DELETE", "v2/b"),
            Ask("PATCH", "v2/a", {"metadata": {"finalizers": ["a.b/c"]}}, MERGE),
            Ask("DELETE", "v2/a"),
            Ask("PATCH", "v1/a", {"metadata": {"finalizers": None}}, MERGE),
            Ask("GET", "v1/a"),
            Ask("DELETE", "v2"),
        ],
    )

    assert not found, "\n".join(found)


def test_owners_are_judged_each_in_its_version(pair: Pair, namespace: str, hook: Hook) -> None:
    group = served(pair, hook, "owned")

    def applied(version: str, manager: str, more: str = "", **spec: Any) -> Ask:
        return Ask(
            "PATCH", f"{version}/s?fieldManager={manager}{more}", thing("s", version, group, None, **spec), APPLY
        )

    found = ask_all(
        pair,
        namespace,
        group,
        [
            applied("v2", "a", host="h", port=80),
            applied("v1", "b", address="h:81"),
            applied("v1", "b", address="h:80", mode="m"),
            applied("v2", "a", host="h", port=82),
            applied("v2", "a", "&force=true", host="h", port=82),
            Ask("GET", "v1/s"),
            Ask("PATCH", "v1/s?fieldManager=c", {"spec": {"address": "i:83"}}, MERGE),
            Ask("GET", "v2/s"),
            applied("v2", "a", size=3),
            Ask("GET", "v1/s"),
            applied("v1", "a", replicas=4),
            Ask("PATCH", "v2/s/scale?fieldManager=d", {"spec": {"replicas": 5}}, MERGE),
            applied("v2", "a", size=3),
            Ask("GET", "v2/s"),
        ],
    )

    assert not found, "\n".join(found)


def test_watches_show_the_version_that_is_watched(pair: Pair, namespace: str, hook: Hook) -> None:
    group = served(pair, hook, "watched")
    found = ask_all(
        pair,
        namespace,
        group,
        [
            Ask("POST", "v1", thing("a", "v1", group, address="h:80")),
            Ask("POST", "v1", thing("b", "v1", group, {"labels": {"x": "y"}}, address="i:81")),
            Ask("GET", "v2?watch=true&timeoutSeconds=1"),
            Ask("GET", "v2?watch=true&timeoutSeconds=1&fieldSelector=spec.host=i"),
            Ask("GET", "v2?watch=true&timeoutSeconds=1&labelSelector=x=y", accept=PARTIAL),
            Ask("GET", "v2?watch=true&timeoutSeconds=1", accept=TABLE),
        ],
    )
    starts = [
        str(
            side.ask(Ask("GET", f"/apis/{group}/v2/namespaces/{namespace}/things"))["body"]["metadata"][
                "resourceVersion"
            ]
        )
        for side in (pair.real, pair.ours)
    ]
    found += ask_all(
        pair,
        namespace,
        group,
        [
            Ask("PATCH", "v1/a", {"spec": {"address": "j:82"}}, MERGE),
            Ask("POST", "v2", thing("c", "v2", group, host="k")),
            Ask("DELETE", "v1/b"),
        ],
    )
    answers = [
        side.ask(
            Ask(
                "GET",
                f"/apis/{group}/v2/namespaces/{namespace}/things?watch=true&timeoutSeconds=1&resourceVersion={start}",
            )
        )
        for side, start in zip((pair.real, pair.ours), starts, strict=True)
    ]
    found += differences(normal(_lines(answers[0])), normal(_lines(answers[1])))

    assert not found, "\n".join(found)
    assert [event["type"] for event in _lines(answers[1])["body"]] == ["MODIFIED", "ADDED", "DELETED"]


def test_another_storage_version_keeps_what_is_there(pair: Pair, namespace: str, hook: Hook) -> None:
    group = served(pair, hook, "restored", reviews=("v1beta1", "v1"))
    found = ask_all(pair, namespace, group, [Ask("POST", "v1", thing("a", "v1", group, address="h:80"))])
    change = conversions.definition(group, hook.client("/convert/restored"), stored="v2")["spec"]
    pair.set_up(Ask("PATCH", f"{CRDS}/things.{group}", {"spec": change}, MERGE))
    time.sleep(SEEN_BY_THE_REAL_SERVER)
    found += ask_all(
        pair,
        namespace,
        group,
        [
            Ask("GET", "v1/a"),
            Ask("GET", "v2/a"),
            Ask("POST", "v1", thing("b", "v1", group, address="i:81")),
            Ask("GET", "v2"),
            Ask("PATCH", "v1/a", {"metadata": {"labels": {"x": "y"}}}, MERGE),
            Ask("GET", "v2/a"),
            Ask("GET", "v1"),
        ],
    )
    real, ours = pair.ask(Ask("GET", f"{CRDS}/things.{group}"))
    found += differences(real["body"]["status"]["storedVersions"], ours["body"]["status"]["storedVersions"])

    assert not found, "\n".join(found)


MODES = (
    *("renamed", "moved", "other-uid", "labelled", "mislabelled", "misannotated", "odd-labels", "odd-values"),
    *(
        "stray",
        "refusing",
        "silent",
        "few",
        "wrong-id",
        "wrong-version",
        "wrong-kind",
        "bare",
        "wrong-review",
        "no-answer",
    ),
)


@pytest.mark.parametrize("mode", MODES)
def test_a_wrong_answer_is_told_alike(pair: Pair, namespace: str, hook: Hook, mode: str) -> None:
    group = served(pair, hook, mode)
    found = ask_all(
        pair,
        namespace,
        group,
        [
            Ask("POST", "v1", thing("a", "v1", group, {"labels": {"a": "b"}}, address="h:80")),
            Ask("GET", "v2/a"),
            Ask("POST", "v2", thing("b", "v2", group, host="h")),
            Ask("PATCH", "v2/a", {"spec": {"port": 82}}, MERGE),
            Ask("PATCH", "v1/a?fieldManager=m", thing("a", "v1", group, None, replicas=1), APPLY),
            Ask("DELETE", "v2/a"),
            Ask("GET", "v1/a"),
        ],
    )

    assert not found, "\n".join(found)


def test_a_rule_for_another_version_is_shown_what_the_webhook_makes(pair: Pair, namespace: str, hook: Hook) -> None:
    group = served(pair, hook, "ruled")
    rules = [
        {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["*"], "resources": ["things", "things/scale"]}
    ]
    for kind, path in ((MUTATING, "/count"), (VALIDATING, "/warn")):
        webhook = {
            "name": "h.example.com",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "clientConfig": hook.client(path),
            "rules": rules,
        }
        body = {"metadata": {"name": f"ruled-{namespace}"}, "webhooks": [webhook]}
        pair.set_up(Ask("POST", f"{ROOT}/{kind.lower()}s", body))
    time.sleep(SEEN_BY_THE_REAL_SERVER)
    found = ask_all(
        pair,
        namespace,
        group,
        [
            Ask("POST", "v2", thing("a", "v2", group, host="h", port=80)),
            Ask("PATCH", "v2/a", {"spec": {"port": 82}}, MERGE),
            Ask("PATCH", "v2/a/scale", {"spec": {"replicas": 2}}, MERGE),
            Ask("DELETE", "v2/a"),
        ],
    )

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "bundle", ["aGVsbG8=", "IA==", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCmFhYWEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="]
)
def test_what_is_no_authority_is_refused_in_place_of_one(pair: Pair, hook: Hook, bundle: str) -> None:
    group = f"b{abs(hash(bundle)) % 10_000}.conv.example.com"
    pair.set_up(Ask("POST", CRDS, conversions.definition(group, hook.client("/convert/right"))))
    pair.await_established(f"{CRDS}/things.{group}")  # until then a server takes any bundle
    change = {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": bundle}}}}}
    real, ours = pair.ask(Ask("PATCH", f"{CRDS}/things.{group}", change, MERGE))

    assert not differences(normal(real), normal(ours))
