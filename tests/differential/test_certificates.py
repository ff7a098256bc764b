"""CertificateSigningRequests: what is refused, approved and signed, as by kube-apiserver and kube-controller-manager."""

import base64
import re
import time
from typing import Any

import pytest
from cryptography import x509

from certificate_requests import (
    CLIENT,
    KUBELET_CLIENT,
    KUBELET_SERVING,
    LEGACY,
    NODE,
    NODES,
    REQUESTS,
    approval,
    asking,
    certificate_of,
    der,
    encoded,
)
from differential.normal import differences, normal
from differential.sides import PATIENCE, Ask, Pair, Side

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(180)]

_CLIENT = ("client auth", "digital signature", "key encipherment")
_SERVING = ("server auth", "digital signature")
_ALL = ("any", "server auth", "ipsec user", "netscape sgc", "s/mime", "crl sign", "key agreement", "encipher only")
# name: (request, signer, usages, what else its spec says)
SIGNED: dict[str, tuple[bytes, str, tuple[str, ...], dict[str, Any]]] = {
    "client": (der("anna", ("ops", "dev")), CLIENT, _CLIENT, {}),
    "short": (der("anna"), CLIENT, ("client auth",), {"expirationSeconds": 3600}),
    "middling": (der("anna"), CLIENT, ("client auth",), {"expirationSeconds": 8 * 3600}),
    "long": (der("anna"), CLIENT, ("client auth",), {"expirationSeconds": 1 << 30}),
    "names": (der("anna", (), ("b.c", "a@b.c", "1.2.3.4", "::1", "spiffe://a/b")), CLIENT, _CLIENT, {}),
    "nameless": (der("", (), ("b.c",)), CLIENT, _CLIENT, {}),
    "serves": (der("anna"), CLIENT, ("client auth", "server auth"), {}),
    "no-client": (der("anna"), CLIENT, ("digital signature",), {}),
    "kubelet": (der(NODE, NODES), KUBELET_CLIENT, _CLIENT, {}),
    "kubelet-ec": (der(NODE, NODES), KUBELET_CLIENT, _CLIENT[:2], {}),
    "kubelet-other": (der("anna", NODES), KUBELET_CLIENT, _CLIENT, {}),
    "kubelet-groups": (der(NODE, (*NODES, "x")), KUBELET_CLIENT, _CLIENT, {}),
    "kubelet-names": (der(NODE, NODES, ("b.c",)), KUBELET_CLIENT, _CLIENT, {}),
    "kubelet-usages": (der(NODE, NODES), KUBELET_CLIENT, ("client auth",), {}),
    "serving": (der(NODE, NODES, ("b.c", "1.2.3.4")), KUBELET_SERVING, _SERVING, {}),
    "serving-bare": (der(NODE, NODES), KUBELET_SERVING, _SERVING, {}),
    "serving-mail": (der(NODE, NODES, ("b.c", "a@b.c")), KUBELET_SERVING, _SERVING, {}),
    "serving-uri": (der(NODE, NODES, ("b.c", "spiffe://a/b")), KUBELET_SERVING, _SERVING, {}),
    "serving-other": (der("anna", NODES, ("b.c",)), KUBELET_SERVING, _SERVING, {}),
    "serving-usages": (der(NODE, NODES, ("b.c",)), KUBELET_SERVING, ("server auth",), {}),
}
_TAG = re.compile(r"tag:0x[0-9a-f]+")


def test_what_is_approved_is_signed_or_fails(controlled: Pair) -> None:
    for name, (request, signer, usages, more) in SIGNED.items():
        body = asking(name, encoded(request), signer, usages, **more)
        controlled.set_up(Ask("POST", REQUESTS, body), Ask("PUT", f"{REQUESTS}/{name}/approval", approval(body)))
    try:
        wrong = []
        for name in SIGNED:
            found = [_told(_settled(side, name)) for side in (controlled.real, controlled.ours)]
            wrong += [f"{name}: {line}" for line in differences(*found)]
    finally:
        for name in SIGNED:
            controlled.ask(Ask("DELETE", f"{REQUESTS}/{name}"))

    assert not wrong, "\n".join(wrong)


def test_kubelets_are_approved_where_roles_say_so(controlled: Pair) -> None:
    role = "system:certificates.k8s.io:certificatesigningrequests:nodeclient"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "boot"}
    creator = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-bootstrapper"}
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    for name, whose in (("boots", reference), ("asks", creator)):
        controlled.set_up(Ask("POST", bindings, {"metadata": {"name": name}, "roleRef": whose, "subjects": [subject]}))
    for side in (controlled.real, controlled.ours):
        body = asking("boot", encoded(der(NODE, NODES)), KUBELET_CLIENT, _CLIENT)
        until = time.monotonic() + PATIENCE  # a role of somebody new is known a moment later there
        while (answer := side.ask(Ask("POST", REQUESTS, body, user="boot")))["code"] == 403:
            assert time.monotonic() < until, answer
        assert answer["code"] == 201, answer
    found = [_told(_settled(side, "boot")) for side in (controlled.real, controlled.ours)]
    for path in (f"{REQUESTS}/boot", f"{bindings}/boots", f"{bindings}/asks"):
        controlled.ask(Ask("DELETE", path))

    assert differences(*found) == []
    assert [one["type"] for one in found[0]["conditions"]] == ["Approved"]


def test_what_is_no_request_is_refused_in_the_same_words(pair: Pair) -> None:
    good = der("anna", ("ops",), ("b.c",))
    odd = [b"", b"hello", b"0", good + b"x", good[:10], good[:-1], base64.b64encode(good), b"\x30\x80\x00\x00"]
    odd += [good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :] for at in range(40) for flip in (1, 0x20, 0x80)]
    asks = [Ask("POST", f"{REQUESTS}?dryRun=All", asking("x", encoded(one), CLIENT, _CLIENT)) for one in odd]
    for request in ("", "YQ==", encoded(good, "CERTIFICATE"), encoded(good)):
        asks.append(Ask("POST", f"{REQUESTS}?dryRun=All", asking("x", request, CLIENT, _CLIENT)))
    asks += [
        Ask("POST", f"{REQUESTS}?dryRun=All", asking("x", encoded(good), signer, _CLIENT))
        for signer in (LEGACY, "a.b/c", "nope")
    ]
    masters = encoded(der("anna", ("ops", "system:masters")))
    asks += [
        Ask("POST", f"{REQUESTS}?dryRun=All", asking("x", masters, signer, _CLIENT))
        for signer in (CLIENT, KUBELET_CLIENT, "a.b/c")
    ]
    wrong = []
    for ask in asks:
        real, ours = (_without_addresses(_without_asker(normal(answer))) for answer in pair.ask(ask))
        wrong += [f"{ask.body['spec']['request'][:60]}: {line}" for line in differences(real, ours)]

    assert not wrong, "\n".join(wrong)


def test_who_may_approve_and_who_may_sign(pair: Pair, namespace: str) -> None:
    rules = [
        {
            "apiGroups": ["certificates.k8s.io"],
            "resources": ["certificatesigningrequests/approval", "certificatesigningrequests/status"],
            "verbs": ["update", "patch"],
        }
    ]
    rbac, group = "/apis/rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    grants = {"writer": [], "one": ["example.com/a"], "domain": ["example.com/*"]}
    for name, signers in grants.items():
        more = [
            {
                "apiGroups": ["certificates.k8s.io"],
                "resources": ["signers"],
                "resourceNames": signers,
                "verbs": ["approve", "sign"],
            }
        ]
        role = {"apiGroup": group, "kind": "ClusterRole", "name": f"{namespace}-{name}"}
        subject = {"apiGroup": group, "kind": "User", "name": f"{namespace}-{name}"}
        meta = {"name": f"{namespace}-{name}"}
        pair.set_up(
            Ask("POST", f"{rbac}/clusterroles", {"metadata": meta, "rules": rules + (more if signers else [])}),
            Ask("POST", f"{rbac}/clusterrolebindings", {"metadata": meta, "roleRef": role, "subjects": [subject]}),
        )
    bodies = [asking(f"{namespace}-{one}", encoded(der("x")), f"example.com/{one}", _CLIENT) for one in ("a", "b")]
    pair.set_up(*(Ask("POST", REQUESTS, body) for body in bodies))
    pair.await_answer(
        Ask("PUT", f"{REQUESTS}/{namespace}-b/approval?dryRun=All", approval(bodies[1]), user=f"{namespace}-domain"),
        200,
    )
    failed = {"type": "Failed", "status": "True", "reason": "x"}
    wrong = []
    for name in grants:
        for body in bodies:
            path, user = f"{REQUESTS}/{body['metadata']['name']}", f"{namespace}-{name}"
            for ask in (
                Ask("PUT", f"{path}/approval?dryRun=All", approval(body), user=user),
                Ask("PUT", f"{path}/status?dryRun=All", {**body, "status": {"conditions": [failed]}}, user=user),
                Ask("PUT", f"{path}/status?dryRun=All", body, user=user),
            ):
                real, ours = (_without_asker(normal(answer)) for answer in pair.ask(ask))
                wrong += [f"{name}: {ask}: {line}" for line in differences(real, ours)]
    for body in bodies:
        pair.ask(Ask("DELETE", f"{REQUESTS}/{body['metadata']['name']}"))

    assert not wrong, "\n".join(wrong)


def _settled(side: Side, name: str) -> dict[str, Any]:
    """The request once it has a certificate, or has failed."""
    until = time.monotonic() + PATIENCE
    while True:
        found: dict[str, Any] = side.ask(Ask("GET", f"{REQUESTS}/{name}"))["body"]
        status = found.get("status") or {}
        if status.get("certificate") or any(one["type"] == "Failed" for one in status.get("conditions") or ()):
            return found
        assert time.monotonic() < until, found
        time.sleep(0.05)


def _told(request: dict[str, Any]) -> dict[str, Any]:
    """What is the same wherever it was signed."""
    times = ("lastUpdateTime", "lastTransitionTime")
    status = request["status"]
    owners = [
        (one["manager"], one["operation"], one.get("subresource"), one["fieldsV1"])
        for one in request["metadata"].get("managedFields") or ()
        if one["manager"] == "kube-controller-manager"
    ]
    return {
        "conditions": [{key: value for key, value in one.items() if key not in times} for one in status["conditions"]],
        "timed": [[key for key in times if key in one] for one in status["conditions"]],
        "certificate": _shape(certificate_of(request)) if status.get("certificate") else None,
        "owners": owners,
    }


def _shape(made: x509.Certificate) -> dict[str, Any]:
    return {
        "subject": [[(one.oid.dotted_string, one.value) for one in part] for part in made.subject.rdns],
        "seconds": (made.not_valid_after_utc - made.not_valid_before_utc).total_seconds(),
        "extensions": [
            (one.oid.dotted_string, one.critical, str(one.value))
            for one in made.extensions
            if one.oid != x509.OID_AUTHORITY_KEY_IDENTIFIER  # the real authority of these tests has no key identifier
        ],
    }


def _without_asker(answer: dict[str, Any]) -> dict[str, Any]:
    """Who made a request is the administrator, who has another name on each side."""
    body = {key: value for key, value in answer["body"].items() if key != "spec"}
    return {**answer, "body": body}


def _without_addresses(answer: Any) -> Any:
    """A pointer in Go's words is another each time."""
    if isinstance(answer, dict):
        return {key: _without_addresses(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_without_addresses(value) for value in answer]
    return _TAG.sub("tag:ADDRESS", answer) if isinstance(answer, str) else answer
