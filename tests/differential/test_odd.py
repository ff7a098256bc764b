"""Odd requests: paths that nobody asks for, methods that mean nothing there, bodies that are something else; both servers answer alike.

What differs on purpose is not asked here: profiles of Go (`/debug`), what shows a process (`/statusz`, `/flagz`, `/metrics/slis`).
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
PATHS = """
/ /index.html /api /api/ /apis /apis/ /api/v1 /api/v1/ /api/v2 /apis/apps /apis/apps/ /apis/apps/v1 /apis/apps/v1/
/apis/apps/v2 /apis/nope /apis/nope/ /apis/nope/v1 /version /version/ /healthz /healthz/ /healthz/ping /livez /livez/
/livez/ping /readyz /readyz/etcd /healthz/nope /metrics /metrics/ /metrics/nope /openapi /openapi/ /openapi/v2
/openapi/v3 /openapi/v3/ /openapi/v3/api/v1 /openapi/v3/nope /openid/v1/jwks /.well-known/openid-configuration /debug
/debug/nope /logs /logs/x /configz /favicon.ico /ui /nope /nope/ //api/v1 /api//v1 /api/v1/../v1/pods /api/v1/nope
/api/v1/nope/x /api/v1/bindings /api/v1/bindings/x /api/v1/NS/bindings/x /api/v1/NS/pods/.. /api/v1/NS/pods/%2e%2e
/api/v1/NS/pods/a%2Fb /api/v1/NS/pods/a%25b /api/v1/NS/pods/. /api/v1/NS/pods/ /api/v1/NS/pods// /api/v1/watch/nope
/apis/apps/v1/NS/nope /apis/apps/v1/deployments/x /api/v1/pods/x /api/v1/NS/nope /api/v1/nodes/x/proxy
/api/v1/nodes/x/proxy/y /api/v1/NS/pods/x/log /api/v1/NS/pods/x/exec /api/v1/NS/pods/x/attach
/api/v1/NS/pods/x/portforward /api/v1/NS/pods/x/nope /api/v1/NS/pods/x/status /api/v1/NS/pods/x/eviction
/api/v1/NS/pods/x/binding /api/v1/NS/pods/x/ephemeralcontainers /api/v1/NS/pods/x/resize /api/v1/NS/services/x/proxy
/api/v1/NS/serviceaccounts/x/token /apis/apps/v1/NS/deployments/x/scale /apis/apps/v1/NS/deployments/x/status
/apis/apps/v1/NS/deployments/x/scale/y /apis/authorization.k8s.io/v1/selfsubjectaccessreviews
/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/x /apis/authorization.k8s.io/v1/localsubjectaccessreviews
/apis/authorization.k8s.io/v1/NS/localsubjectaccessreviews /apis/authentication.k8s.io/v1/tokenreviews
/apis/authentication.k8s.io/v1/selfsubjectreviews/x /apis/apiregistration.k8s.io/v1/apiservices/nope
/api/v1/NS/configmaps?limit=x /api/v1/NS/configmaps?labelSelector=(( /api/v1/NS/configmaps?fieldSelector=nope=x
/api/v1/NS/configmaps?resourceVersion=x /api/v1/NS/configmaps?continue=x /api/v1/NS/configmaps?timeoutSeconds=x
/api/v1/NS/configmaps?resourceVersionMatch=Exact /api/v1/NS/configmaps/a?resourceVersion=x
/api/v1/namespaces//replicationcontrollers /api/v1/namespaces//pods/x /api/v1/namespaces//configmaps/x
/api/v1/namespaces//nodes /api/v1/namespaces//nodes/x /api/v1/namespaces//bindings /api/v1/namespaces//status
/api/v1/namespaces//nope /apis/apps/v1/namespaces//deployments/x/scale /api/v1/namespaces//pods/x/log
/api/v1/namespaces//pods/x/exec /api/v1/namespaces//services/x/proxy /api/v1/componentstatuses/etcd-0
/api/v1/componentstatuses/scheduler /api/v1/componentstatuses/controller-manager /api/v1/componentstatuses/nope
/api/v1/componentstatuses?watch=1 /api/v1/componentstatuses?fieldSelector=metadata.name=etcd-0
/api/v1/componentstatuses?labelSelector=a /api/v1/componentstatuses/etcd-0?resourceVersion=99999999
/api/v1/watch/componentstatuses /api/v1/NS/pods/x/log?stream=x /api/v1/NS/pods/x/log?stream=All /api/v1/NS/pods/x/log?tailLines=-1
""".split()  # noqa: SIM905 — a list of them would be as long again
DOCUMENTS = (
    "/metrics",
    "/version",
    "/openapi",
    "/openid",
    "/.well-known",
    "/api",
    "/apis",
    "/index.html",
)  # what they say is theirs
BODIES = (
    *(
        "[]",
        "[{}]",
        '"text"',
        "1",
        "1.5",
        "true",
        "null",
        "{}",
        "nope",
        "nul",
        "tru",
        "falsy",
        "-",
        "- a",
        "{",
        '{"a"',
        '{"a":1,',
    ),
    *(
        '{"kind":1}',
        '{"apiVersion":{}}',
        '{"kind":[]}',
        '{"kind":null}',
        '{"kind":""}',
    ),
    *('{"kind":"Pod"}', '{"apiVersion":"v1"}', '{"apiVersion":"v2"}', '{"apiVersion":"a/b/c"}', '{"apiVersion":"/v1"}'),
    *(
        f'{{"kind":"{kind}","apiVersion":"{version}","metadata":{{"name":"d"}}}}'
        for kind, version in (
            *(
                ("Pod", "v1"),
                ("Pod", "v2"),
                ("Pod", "apps/v1"),
                ("ConfigMap", "v1"),
                ("ConfigMapList", "v1"),
                ("List", "v1"),
            ),
            *(
                ("Nope", "v1"),
                ("Status", "v1"),
                ("DeleteOptions", "v1"),
                ("Deployment", "apps/v1"),
                ("Deployment", "v1"),
            ),
            *(("Scale", "autoscaling/v1"), ("Scale", "extensions/v1beta1"), ("Role", "rbac.authorization.k8s.io/v1")),
            *(("HorizontalPodAutoscaler", "autoscaling/v2"), ("ConfigMap", "a/b/c"), ("Event", "events.k8s.io/v1")),
        )
    ),
    *(
        '{"metadata":[]}',
        '{"metadata":{"name":1}}',
        '{"metadata":{"name":"x","labels":{"a":1}}}',
        '{"data":[]}',
        '{"spec":1}',
    ),
    *('{"metadata":{"name":"x","name":"y"}}', '{"nope":1,"metadata":{"name":"x"}}', '{"metadata":{"name":"x"}}x', "["),
)
TARGETS = """
POST /api/v1/NS/configmaps
PUT /api/v1/NS/configmaps/d
PUT /api/v1/NS/pods/d/status
POST /api/v1/NS/pods/d/eviction
POST /api/v1/NS/pods/d/binding
PUT /apis/apps/v1/NS/deployments/d/scale
POST /apis/apps/v1/NS/deployments
POST /apis/rbac.authorization.k8s.io/v1/NS/roles
POST /apis/events.k8s.io/v1/NS/events
DELETE /api/v1/NS/configmaps/d
POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews
POST /apis/authorization.k8s.io/v1/subjectaccessreviews
POST /apis/authorization.k8s.io/v1/NS/localsubjectaccessreviews
POST /apis/authentication.k8s.io/v1/tokenreviews
""".strip().splitlines()
POD = {"containers": [{"name": "c", "image": "i"}]}
LABELS = {"app": "d"}


def different(pair: Pair, ask: Ask, *, whole: bool = True) -> list[str]:
    real, ours = pair.ask(ask)
    if not whole and real["code"] == ours["code"] == 200:
        return []
    told = f"{ask} {ask.body if isinstance(ask.body, str) else ''}"
    return [f"{told}: {line}" for line in differences(normal(real), normal(ours))]


def asked() -> Iterator[tuple[Ask, bool]]:
    for path in PATHS:
        for method in METHODS:
            writes = method in ("POST", "PUT", "PATCH", "DELETE") and path.startswith("/api") and path.count("/") > 3
            more = "" if not writes else "&dryRun=All" if "?" in path else "?dryRun=All"
            body = {} if method in ("POST", "PUT", "PATCH") else None
            is_document = path == "/" or (path.startswith(DOCUMENTS) and path.count("/") < 5 and "NS" not in path)
            yield Ask(method, path.replace("NS", "namespaces/NAMESPACE") + more, body), not is_document


def test_paths_and_methods(pair: Pair, namespace: str) -> None:
    found = []
    for ask, whole in asked():
        found += different(pair, Ask(ask.method, ask.path.replace("NAMESPACE", namespace), ask.body), whole=whole)

    assert not found, f"{len(found)}\n" + "\n".join(found)


def test_bodies(pair: Pair, namespace: str) -> None:
    at, name = f"namespaces/{namespace}", {"name": "d"}
    pods = {"metadata": {"labels": LABELS}, "spec": POD}
    spec = {"selector": {"matchLabels": LABELS}, "template": pods}
    pair.set_up(
        Ask("POST", f"/api/v1/{at}/configmaps", {"metadata": name}),
        Ask("POST", f"/api/v1/{at}/pods", {"metadata": name, "spec": POD}),
        Ask("POST", f"/apis/apps/v1/{at}/deployments", {"metadata": name, "spec": spec}),
    )
    found = []
    for target in TARGETS:
        method, path = target.replace("NS", at).split()
        for body in BODIES:
            found += different(pair, Ask(method, f"{path}?dryRun=All", body))
            if method == "DELETE":  # a body that can be read is all that counts: the query is not looked at
                for side in (pair.real, pair.ours):
                    side.ask(Ask("POST", f"/api/v1/{at}/configmaps", {"metadata": name}))
            if body[:1] in ("[", '"', "1", "{") and body not in ("[", "{", '{"a"', '{"a":1,') and body[-1] != "x":
                found += different(pair, Ask(method, f"{path}?dryRun=All", body, media="application/yaml"))

    assert not found, f"{len(found)}\n" + "\n".join(found)


_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: why}\n"
DOCUMENTED = (
    f"{_MAP}---\n{_MAP}",
    f"---\n{_MAP}---\n}}{{",
    f"{_MAP}...\n}}{{",
    f"{_MAP}--- # more\n",
    f"%YAML 1.1\n---\n{_MAP}",
    f"# words\n\n---\n{_MAP}",
    f"\n\n---\n---\n{_MAP}",
    f"---\n---\n{_MAP}",
    f"---\n...\n---\n{_MAP}",
    f"null\n---\n{_MAP}",
    "---\n",
    "# words\n",
    # what is no YAML, by scanner and parser, on the first line and on others
    *(
        "a: [",
        "a: [\n---\n",
        "{",
        "}",
        "a: b: c",
        "a:\n\tb: c",
        "- a\nb: c",
        "a: 'x",
        'a: "x\n',
        'a: "\\q"',
        "*a",
        "a: *b",
    ),
    *("a: !!x [", "%FOO\n", "a: b\n  c: d\n e: f\n", "? a\n: b\n: c", "a: |\n b\n\tc\n", "[a, b", "{a: b, c", "a: @x"),
    *(
        "key: [1, 2\nother: x",
        "\x01",
        "a: \x01",
        "a\n b:\n- c",
        "a: b\n- c",
        "# c\n---\na: [\n",
        "\n\na: [\n]]",
        "<<: *x\n",
    ),
    *("--- a: b", "!<tag:yaml.org,2002:str a", "a:\n  - b\n c: d", "a: &x &y b"),
)


def test_yaml_is_read_up_to_its_first_document_or_mistake(pair: Pair, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    found = []
    for body in DOCUMENTED:
        found += different(pair, Ask("POST", f"{path}?dryRun=All", body, media="application/yaml"))
        apply = Ask("PATCH", f"{path}/why?dryRun=All&fieldManager=m", body, media="application/apply-patch+yaml")
        found += different(pair, apply)

    assert not found, "\n".join(found)


def test_watches_of_lists_end_with_the_first_event(pair: Pair, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts?watch=1&timeoutSeconds=2"
    initial = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    for more in ("", initial, "&fieldSelector=metadata.name=none"):
        accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        told = [side.raw(Ask("GET", path + more, accept=accept)) for side in (pair.real, pair.ours)]
        assert told == [(200, "application/json", b"")] * 2


def test_flow_schemas_tell_whether_their_level_is_there_without_controllers(pair: Pair) -> None:
    flow = "/apis/flowcontrol.apiserver.k8s.io/v1"
    for name, level in (("odd-found", "global-default"), ("odd-lost", "odd-level")):
        spec = {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": 1000}
        pair.set_up(Ask("POST", f"{flow}/flowschemas", {"metadata": {"name": name}, "spec": spec}))
    found = []
    for name, status in (("odd-found", "False"), ("odd-lost", "True")):
        found += _told_alike(pair, f"{flow}/flowschemas/{name}", status)
    limited = {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    pair.set_up(
        Ask("POST", f"{flow}/prioritylevelconfigurations", {"metadata": {"name": "odd-level"}, "spec": limited})
    )
    found += _told_alike(pair, f"{flow}/flowschemas/odd-lost", "False")
    for path in ("flowschemas/odd-found", "flowschemas/odd-lost", "prioritylevelconfigurations/odd-level"):
        pair.set_up(Ask("DELETE", f"{flow}/{path}"))

    assert not found, "\n".join(found)


def _told_alike(pair: Pair, path: str, status: str) -> list[str]:
    """What differs once both tell this status."""
    until = time.monotonic() + 30
    while True:
        answers = pair.ask(Ask("GET", path))
        told = [[one["status"] for one in each["body"].get("status", {}).get("conditions", ())] for each in answers]
        if told == [[status]] * 2:
            return differences(*map(normal, answers))
        assert time.monotonic() < until, told
        time.sleep(0.1)


SCALED = "/apis/odd.example.com/v1/namespaces/NAMESPACE/odds"
PATHS_OF_SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


def scale(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, **more}


def test_a_custom_resources_scale_that_is_applied(pair: Pair, namespace: str) -> None:
    replicas = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": replicas, "status": replicas}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": schema,
        "subresources": {"scale": PATHS_OF_SCALE},
    }
    names = {"plural": "odds", "kind": "Odd"}
    body = {"group": "odd.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    path = SCALED.replace("NAMESPACE", namespace)
    pair.set_up(Ask("POST", definition, {"metadata": {"name": "odds.odd.example.com"}, "spec": body}))
    try:
        pair.await_established(f"{definition}/odds.odd.example.com")
        pair.await_served(path)
        thing = {"apiVersion": "odd.example.com/v1", "kind": "Odd", "metadata": {"name": "a"}, "spec": {"replicas": 1}}
        free = {**thing, "metadata": {"name": "free"}, "spec": {}}
        pair.set_up(Ask("POST", path, thing), Ask("POST", path, free))
        apply = "application/apply-patch+yaml"
        found = []
        for ask in (
            Ask("PATCH", f"{path}/a/scale?fieldManager=m", scale(spec={"replicas": 2}), apply),
            Ask("PATCH", f"{path}/a/scale?fieldManager=m&force=true", scale(spec={"replicas": 2}), apply),
            Ask("PATCH", f"{path}/a/scale?fieldManager=m", scale(spec={"replicas": 1}), apply),
            Ask("PATCH", f"{path}/free/scale?fieldManager=m", scale(spec={"replicas": 1}), apply),
            Ask("PATCH", f"{path}/free/scale", {"spec": {"replicas": 4}}, "application/merge-patch+json"),
            Ask("PATCH", f"{path}/free/scale?fieldManager=m&force=true", scale(spec={"replicas": 5}), apply),
            Ask("GET", f"{path}/a/scale"),
            Ask("GET", f"{path}/free/scale"),
        ):
            found += different(pair, ask)
    finally:
        pair.set_up(Ask("DELETE", f"{definition}/odds.odd.example.com"))

    assert not found, "\n".join(found)
