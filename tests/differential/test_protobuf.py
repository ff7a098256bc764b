"""Protobuf answers: our writer makes of the JSON of each of the real server's answers the bytes that it sends; ours sends the same."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from differential.manifests import Manifest, manifests
from differential.normal import differences, normal
from differential.sides import Ask, Pair, Side
from kilde.kubeapi.resources import protobuf, protobuf_writer
from kilde.kubeapi.resources.kinds import BUILTIN

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

JSON, BINARY = "application/json", "application/vnd.kubernetes.protobuf"
_PARTIAL = ";as=PartialObjectMetadata;v={};g=meta.k8s.io"
_LISTED = ";as=PartialObjectMetadataList;v={};g=meta.k8s.io"
_CLAUSES = (
    BINARY,
    f"{BINARY},{JSON}",
    f"{JSON};q=0.5,{BINARY}",
    f"{JSON};q=0,{BINARY};q=0",
    f"*/*;q=1,{BINARY};q=0.1",
    "*",
    "application/*",
    f"{BINARY};stream=watch",
    f"{BINARY};stream=other,{JSON}",
    f"{BINARY};sv=v1",
    f"{BINARY};sv=v2",
    f"{BINARY};v=v1",
    f"{BINARY};pretty=1",
    f"{BINARY};foo=bar",
    f"{BINARY};q=x,{JSON};q=0.1",
    BINARY.upper(),
    f"{BINARY};as=Table;v=v1;g=meta.k8s.io",
    f"{BINARY};as=Table;v=v1;g=meta.k8s.io,{JSON};as=Table;v=v1;g=meta.k8s.io",
    f"{BINARY};as=Table;v=v1;g=meta.k8s.io,{BINARY}",
    *(BINARY + partial.format(version) for partial in (_PARTIAL, _LISTED) for version in ("v1", "v1beta1")),
    f"{BINARY}{_PARTIAL.format('v2')}",
    "application/yaml;stream=watch",
    f"text/html,{BINARY}",
    f"{BINARY},text/html",
    f"application/vnd.kubernetes.protobuf2,{BINARY}",
)
_MAPS = "/api/v1/namespaces/NAMESPACE/configmaps"


_ONE = f"{_MAPS}/one"
_OWN = ("managedFields", "serverAddress", "description", "cells")
_PODS = "/api/v1/namespaces/NAMESPACE/pods"
_THINGS = "/apis/proto.example.com/v1/namespaces/NAMESPACE/things"
_POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
_REVIEW = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
_OF_AN_OBJECT = [clause for clause in _CLAUSES if "MetadataList" not in clause]


@pytest.fixture
def filled(pair: Pair, namespace: str) -> Iterator[list[Manifest]]:
    """An object of every kind on both servers, sent without blanks: what has no schema is kept there as it was sent."""
    made = []
    for one in manifests(namespace):
        answers = pair.ask(Ask("POST", one.path, json.dumps(one.body, separators=(",", ":"))))
        made += [one] if {answer["code"] for answer in answers} == {201} else []
    yield made
    for one in reversed(made):
        pair.ask(Ask("DELETE", f"{one.url}?gracePeriodSeconds=0"))


@pytest.fixture
def things(pair: Pair, namespace: str) -> Iterator[str]:
    """A custom kind, with one object."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": "things", "kind": "Thing"}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    spec = {"group": "proto.example.com", "scope": "Namespaced", "names": names, "versions": versions}
    thing = {"apiVersion": "proto.example.com/v1", "kind": "Thing", "metadata": {"name": "one"}}
    path = _THINGS.replace("NAMESPACE", namespace)
    pair.set_up(Ask("POST", definitions, {"metadata": {"name": "things.proto.example.com"}, "spec": spec}))
    try:
        pair.await_established(f"{definitions}/things.proto.example.com")
        pair.await_served(path)
        pair.set_up(Ask("POST", path, thing))
        yield path
    finally:
        pair.set_up(Ask("DELETE", f"{definitions}/things.proto.example.com"))
        pair.await_answer(Ask("GET", f"{definitions}/things.proto.example.com"), 404)


def test_an_object_of_every_kind_is_sent_as_there(pair: Pair, filled: list[Manifest]) -> None:
    assert len({one.body["kind"] for one in filled}) > 50
    wrong = [line for one in filled for side in (pair.real, pair.ours) for line in _compared(side, one.url)]
    assert not wrong, "\n".join(wrong)


def test_a_list_of_every_kind_is_sent_as_there(pair: Pair, filled: list[Manifest]) -> None:
    paths = [
        f"{f'/apis/{one.group}' if one.group else '/api'}/{one.version}/{one.plural}"
        for one in BUILTIN
        if "list" in one.verbs and one.kind != "ComponentStatus"
    ]
    paths += ["/api/v1/configmaps?limit=1", "/api/v1/configmaps?labelSelector=none"]
    wrong = [line for path in paths for side in (pair.real, pair.ours) for line in _compared(side, path)]
    assert not wrong, "\n".join(wrong)


def test_metadata_alone_is_sent_as_there(pair: Pair, filled: list[Manifest], things: str) -> None:
    wrong = [
        line
        for version in ("v1", "v1beta1")
        for side in (pair.real, pair.ours)
        for paths, form in (
            ([f"{things}/one", *(one.url for one in filled[:20])], _PARTIAL),
            ([things, *(one.path for one in filled[:20])], _LISTED),
        )
        for path in paths
        for line in _compared(side, path, form.format(version))
    ]
    assert not wrong, "\n".join(wrong)


def test_a_watch_is_sent_as_there(pair: Pair, namespace: str, things: str) -> None:
    maps = _MAPS.replace("NAMESPACE", namespace)
    one = {"metadata": {"name": "one"}, "data": {"b": "1", "a": "ü"}}
    initial = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    begun = [side.ask(Ask("GET", maps))["body"]["metadata"]["resourceVersion"] for side in (pair.real, pair.ours)]
    pair.set_up(Ask("POST", maps, one), Ask("PUT", f"{maps}/one", {**one, "data": {}}), Ask("DELETE", f"{maps}/one"))
    pair.set_up(Ask("POST", maps, one))
    for side, version in zip((pair.real, pair.ours), begun, strict=True):
        for path, form, wanted in (
            (
                f"{maps}?watch=1&timeoutSeconds=1&resourceVersion={version}",
                "",
                ["ADDED", "MODIFIED", "DELETED", "ADDED"],
            ),
            (f"{things}?watch=1&timeoutSeconds=1{initial}", _PARTIAL.format("v1"), ["ADDED", "BOOKMARK"]),
            (f"{maps}?watch=1&timeoutSeconds=1&resourceVersion=1", "", ["ERROR"]),
        ):
            code, media, data = side.raw(Ask("GET", path, accept=BINARY + form))
            told = [json.loads(line) for line in side.raw(Ask("GET", path, accept=JSON + form))[2].splitlines()]
            assert (code, media) == (200, f"{BINARY};stream=watch")
            assert [event["type"] for event in told] == wanted or wanted == ["ERROR"]
            assert data == b"".join(_frame(event) for event in told)


def test_what_is_asked_with_odd_accepts_is_answered_alike(pair: Pair, namespace: str, things: str) -> None:
    asks = [
        *(Ask("GET", path, accept=accept) for path in (_MAPS, _THINGS) for accept in _CLAUSES),
        *(
            Ask("GET", path, accept=accept)
            for path in (_ONE, f"{_MAPS}/none", f"{_THINGS}/one", f"{_THINGS}/none", f"{_ONE}?watch=1&timeoutSeconds=1")
            for accept in _OF_AN_OBJECT
        ),
        *(
            Ask("GET", path, accept=accept)
            for path in (
                "/apis",
                "/api/v1",
                "/apis/apps",
                "/apis/apps/v1",
                "/apis/proto.example.com/v1",
                "/version",
                "/nope",
            )
            for accept in (*_OF_AN_OBJECT, "text/html", "application/yaml")
        ),
    ]
    pair.set_up(Ask("POST", _MAPS.replace("NAMESPACE", namespace), {"metadata": {"name": "one"}}))
    found = _different(pair, namespace, asks)
    assert not found, "\n".join(found)


def test_what_is_written_is_answered_alike(pair: Pair, namespace: str) -> None:
    scale = "/apis/apps/v1/namespaces/NAMESPACE/deployments/d/scale"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": _POD["spec"]}
    deployment = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
    asks = [
        Ask("POST", _PODS, _POD),
        Ask("PUT", f"{_PODS}/p", {}),
        Ask("PATCH", f"{_PODS}/p", {"metadata": {"labels": {"x": "y"}}}, media="application/merge-patch+json"),
        Ask("POST", f"{_PODS}/p/eviction", {"metadata": {"name": "p"}}),
        Ask("POST", scale.removesuffix("/d/scale"), deployment),
        Ask("GET", scale),
        Ask("PATCH", scale, {"spec": {"replicas": 3}}, media="application/merge-patch+json"),
        Ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", _REVIEW),
        Ask("POST", "/api/v1/namespaces/NAMESPACE/serviceaccounts/default/token", {"spec": {"expirationSeconds": 600}}),
        Ask("DELETE", f"{scale.removesuffix('/scale')}"),
        Ask("POST", _MAPS, {"metadata": {"name": "c"}, "data": {"a": 1}}),
        Ask("POST", _MAPS, {"metadata": {"name": "-"}}),
        Ask("DELETE", _MAPS),
    ]
    for accept in (BINARY, f"{BINARY},{JSON}"):
        assert _different(pair, namespace, [Ask(a.method, a.path, a.body, a.media, accept) for a in asks]) == []
        pair.ask(Ask("DELETE", f"{_PODS.replace('NAMESPACE', namespace)}/p?gracePeriodSeconds=0"))


def _compared(side: Side, path: str, form: str = "") -> list[str]:
    """What is wrong with the binary form of this answer, asked for until nobody has written between both forms."""
    wanted = side.ask(Ask("GET", path, accept=JSON + form))["body"]
    for _ in range(10):
        code, media, data = side.raw(Ask("GET", path, accept=BINARY + form))
        before, wanted = wanted, side.ask(Ask("GET", path, accept=JSON + form))["body"]
        if before == wanted:
            break
    if (code, media) != (200, BINARY):
        return [f"{path}: {code} {media} {data!r}"]
    found = [] if protobuf_writer.encode(wanted) == data else [f"{path}: not the bytes of its JSON"]
    return found + [f"{path}{line}" for line in differences(_bare(wanted), _bare(protobuf.decode(data)))]


def _bare(value: Any, *, top: bool = True) -> Any:
    """Without nulls, which are no values, and the types of objects inside of others, which have none in protobuf."""
    if isinstance(value, list):
        return [_bare(one, top=False) for one in value]
    if not isinstance(value, dict):
        return value
    hidden = ("apiVersion", "kind") if "metadata" in value and not top else ()
    return {key: _bare(one, top=False) for key, one in value.items() if one is not None and key not in hidden}


def _frame(event: dict[str, Any]) -> bytes:
    """The frame of a watch that an event should be."""
    return protobuf_writer.event(event["type"], protobuf_writer.encode(event["object"]))


def _different(pair: Pair, namespace: str, asks: list[Ask]) -> list[str]:
    """Where two answers are not of one code, media type and content."""
    found: list[str] = []
    for ask in asks:
        asked = Ask(ask.method, ask.path.replace("NAMESPACE", namespace), ask.body, ask.media, ask.accept)
        real, ours = (_read(side.raw(asked)) for side in (pair.real, pair.ours))
        found += [f"{asked} {asked.accept}: {line}" for line in differences(real, ours)]
    return found


def _read(answer: tuple[int, str, bytes]) -> dict[str, Any]:
    code, media, data = answer
    if media == BINARY:
        body: Any = normal(protobuf.decode(data))
    elif media == JSON:
        body = normal(json.loads(data))
    else:
        body = data.partition(b"404")[1].decode()
    return {"code": code, "media": media, "body": _unowned(body)}


def _unowned(body: Any) -> Any:
    """Without what is the server's own: its version, the texts of columns, ages in their cells, and who owns which field."""
    if isinstance(body, dict) and "gitVersion" in body:
        return None
    if isinstance(body, dict):
        return {key: _unowned(one) for key, one in body.items() if key not in _OWN}
    return [_unowned(one) for one in body] if isinstance(body, list) else body
