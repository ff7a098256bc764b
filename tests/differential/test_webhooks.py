"""Admission webhooks: both servers ask the same webhook the same, and make the same of its answers."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair
from real.certificates import Authority

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = "/apis/admissionregistration.k8s.io/v1"
VALIDATING, MUTATING = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
SEEN_BY_THE_REAL_SERVER = 1.2  # it reads configurations once a second


def encoded(patch: Any) -> dict[str, Any]:
    return {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}


def reply(path: str, request: dict[str, Any]) -> dict[str, Any]:
    """What the webhook at a path answers."""
    labels = ((request.get("object") or {}).get("metadata") or {}).get("labels") or {}
    count = {"op": "add", "path": "/metadata/labels", "value": {**labels, "n": str(int(labels.get("n", "0")) + 1)}}
    answers: dict[str, dict[str, Any]] = {
        "/deny": {"allowed": False, "status": {"message": "no way", "code": 409, "reason": "Conflict"}},
        "/deny-silently": {"allowed": False},
        "/warn": {"warnings": ["careful", "twice"]},
        "/count": encoded([count]),
        "/other-uid": {"uid": "x"},
        "/no-json-patch": {"patchType": "JSONPatch", "patch": "aGVsbG8="},
    }
    for word in ("binding", "eviction"):
        answers[f"/deny-{word}s"] = answers["/deny"] if request.get("subResource") == word else {}
    return {"uid": request["uid"], "allowed": True, **answers.get(path, {})}


class Hook(ThreadingHTTPServer):
    """An https server whose webhooks each have a path; it remembers what it was asked."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        authority = Authority(folder)
        pair = authority.serving("hook", ["127.0.0.1"], ["localhost"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.bundle = base64.b64encode(authority.pair.certificate.read_bytes()).decode()
        self.asked: list[Any] = []

    def client(self, path: str) -> dict[str, Any]:
        """The clientConfig of the webhook at a path."""
        return {"url": f"https://127.0.0.1:{self.server_address[1]}{path}", "caBundle": self.bundle}


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.partition("?")[0]
        self.server.asked.append([self.path, review])
        if path == "/slow":
            time.sleep(1.5)
        answer: Any = {"kind": review["kind"], "apiVersion": review["apiVersion"]}
        if path != "/no-response":
            answer["response"] = reply(path, review["request"])
        data = b"hello" if path == "/no-json" else json.dumps(answer).encode()
        try:
            self.send_response({"/broken": 500, "/missing": 404}.get(path, 200))
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass  # the caller of /slow has gone

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hook]:
    with Hook(tmp_path_factory.mktemp("hook")) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found
        found.shutdown()


CREATE = Ask("POST", "/configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}})
LABELLED = Ask("POST", "/configmaps", {"metadata": {"name": "b", "labels": {"a": "b"}}})
DELETE = Ask("DELETE", "/configmaps/a")
DRY = Ask("POST", "/configmaps?dryRun=All", {"metadata": {"name": "d"}})
PUT = Ask("PUT", "/configmaps/a?fieldManager=me", {"metadata": {"name": "a"}, "data": {"k": "w"}})
NOT_ON_DELETE = [{"name": "m", "expression": "request.operation != 'DELETE'"}]
BROKEN = [{"name": "m", "expression": "object.nope.x == 1"}]
AGAIN = {"reinvocationPolicy": "IfNeeded"}

CASES: dict[str, tuple[str, list[tuple[str, dict[str, Any]]], list[Ask]]] = {
    "denied": (VALIDATING, [("/deny", {})], [CREATE]),
    "denied without a word": (VALIDATING, [("/deny-silently", {})], [CREATE]),
    "warned": (VALIDATING, [("/warn", {})], [CREATE, PUT, DELETE]),
    "changed": (MUTATING, [("/count", {})], [CREATE, PUT, DELETE]),
    "shown again": (MUTATING, [("/count", AGAIN), ("/count", {})], [CREATE]),
    "both shown again": (MUTATING, [("/count", AGAIN), ("/count", AGAIN)], [CREATE]),
    "another answer's uid": (VALIDATING, [("/other-uid", {})], [CREATE]),
    "a validating one that changes": (VALIDATING, [("/count", {})], [CREATE]),
    "too slow": (VALIDATING, [("/slow", {})], [CREATE]),
    "too slow, ignored": (MUTATING, [("/slow", {"failurePolicy": "Ignore"})], [CREATE]),
    "a server error": (VALIDATING, [("/broken", {})], [CREATE]),
    "a wrong path": (VALIDATING, [("/missing", {})], [CREATE]),
    "no JSON": (VALIDATING, [("/no-json", {})], [CREATE]),
    "no response": (VALIDATING, [("/no-response", {})], [CREATE]),
    "a patch that is none": (MUTATING, [("/no-json-patch", {})], [CREATE]),
    "a dry run": (VALIDATING, [("/warn", {"sideEffects": "NoneOnDryRun"})], [DRY]),
    "a condition": (VALIDATING, [("/deny", {"matchConditions": NOT_ON_DELETE})], [DELETE, CREATE]),
    "a broken condition": (VALIDATING, [("/warn", {"matchConditions": BROKEN})], [CREATE]),
    "labels": (VALIDATING, [("/deny", {"objectSelector": {"matchLabels": {"a": "b"}}})], [CREATE, LABELLED]),
    "no such service": (
        VALIDATING,
        [("", {"clientConfig": {"service": {"namespace": "default", "name": "absent", "path": "/x"}}})],
        [CREATE],
    ),
    "nobody listens": (VALIDATING, [("", {"clientConfig": {"url": "https://127.0.0.1:1/x"}})], [CREATE]),
}


POD = {
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c", "image": "i"}], "tolerations": []},
}
BIND = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
EVICT = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
IN_DRY = {"deleteOptions": {"dryRun": ["All"]}}
ON_SUB_RESOURCES = [
    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": [each]}
    for each in ("pods", "pods/binding", "pods/eviction", "bindings")
]
SUB_RESOURCES: dict[str, tuple[str, str, list[Ask]]] = {
    "a binding is shown": (
        VALIDATING,
        "/warn",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/binding", BIND), Ask("GET", "/pods/p")],
    ),
    "a binding is denied": (
        VALIDATING,
        "/deny-bindings",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/binding", BIND), Ask("GET", "/pods/p")],
    ),
    "an old binding is shown": (
        VALIDATING,
        "/warn",
        [Ask("POST", "/pods", POD), Ask("POST", "/bindings", BIND)],
    ),
    "a binding is changed": (
        MUTATING,
        "/count",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/binding", BIND), Ask("GET", "/pods/p")],
    ),
    "an eviction is shown, its deletion is not": (
        VALIDATING,
        "/warn",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/eviction", EVICT), Ask("GET", "/pods/p")],
    ),
    "an eviction is denied": (
        VALIDATING,
        "/deny-evictions",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/eviction", EVICT), Ask("GET", "/pods/p")],
    ),
    "an eviction on trial": (
        MUTATING,
        "/warn",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/eviction", {**EVICT, **IN_DRY}), Ask("GET", "/pods/p")],
    ),
}


@pytest.mark.parametrize("case", SUB_RESOURCES)
def test_bindings_and_evictions_are_shown_alike(pair: Pair, namespace: str, hook: Hook, case: str) -> None:
    kind, path, asks = SUB_RESOURCES[case]
    webhook = {"clientConfig": hook.client(path), "rules": ON_SUB_RESOURCES}
    found = _compared(pair, hook, namespace, kind, [webhook], [_in(namespace, ask) for ask in asks])

    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", CASES)
def test_a_webhook_is_asked_and_obeyed_alike(pair: Pair, namespace: str, hook: Hook, case: str) -> None:
    kind, webhooks, asks = CASES[case]
    made = [{"clientConfig": hook.client(path), **more} for path, more in webhooks]
    found = _compared(pair, hook, namespace, kind, made, [_in(namespace, ask) for ask in asks])

    assert not found, "\n".join(found)


def _in(namespace: str, ask: Ask) -> Ask:
    return replace(ask, path=f"/api/v1/namespaces/{namespace}{ask.path}")


def _compared(
    pair: Pair, hook: Hook, namespace: str, kind: str, webhooks: list[dict[str, Any]], asks: list[Ask]
) -> list[str]:
    """Where the answers to requests differ, or what webhooks were asked about them."""
    configuration: dict[str, Any] = {"metadata": {"name": namespace}, "webhooks": []}
    for index, webhook in enumerate(webhooks):
        configuration["webhooks"].append(
            {
                "name": f"h{index}.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 1,
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}],
                **webhook,
            }
        )
    collection = f"{ROOT}/{kind.lower()}s"
    pair.set_up(Ask("POST", collection, configuration))
    time.sleep(SEEN_BY_THE_REAL_SERVER)
    found = []
    for ask in asks:
        answers, reviews = [], []
        for side in (pair.real, pair.ours):
            hook.asked.clear()
            answers.append(normal(side.ask(ask)))
            reviews.append([[path, _told(review)] for path, review in hook.asked])
        found += [
            f"{ask}: {line}" for line in differences(answers[0], answers[1]) + differences(reviews[0], reviews[1])
        ]
    pair.set_up(Ask("DELETE", f"{collection}/{namespace}"))
    return found


def _told(review: dict[str, Any]) -> Any:
    """A review without what tells one server's users and requests from the other's."""
    request = {key: value for key, value in review["request"].items() if key not in ("uid", "userInfo")}
    return normal({**review, "request": request})
