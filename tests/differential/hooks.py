"""An https server of webhooks, and how two API servers that ask it are compared."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from differential import conversions
from differential.normal import differences, normal
from differential.sides import Ask, Pair
from real.certificates import Authority

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
        if review["kind"] != "ConversionReview":  # a server may ask for conversions at any time
            self.server.asked.append([self.path, review])
        if path == "/slow":
            time.sleep(1.5)
        answer: Any = {"kind": review["kind"], "apiVersion": review["apiVersion"]}
        if review["kind"] == "ConversionReview":
            answer = conversions.answer(path, review)
        elif path != "/no-response":
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


@contextmanager
def serving(folder: Path) -> Iterator[Hook]:
    """The server while it runs."""
    with Hook(folder) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def within(namespace: str, ask: Ask) -> Ask:
    """The request for what its path names in a namespace: `/pods`, or `/apis/apps/v1:/deployments`."""
    root, colon, rest = ask.path.partition(":")
    path = f"{root}/namespaces/{namespace}{rest}" if colon else f"/api/v1/namespaces/{namespace}{root}"
    return replace(ask, path=path)


def compared(
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
