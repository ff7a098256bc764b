"""CertificateSigningRequests: kubelets' are approved, approved ones signed, old ones deleted (upstream: controller/certificates)."""

from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol

from kilde.core.basics.moment import parse, rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import deleting, name_of, uid_of, with_status
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Delete,
    Key,
    Moment,
    Step,
    Update,
    View,
    earliest,
    itself,
)

REQUESTS = "certificatesigningrequests.certificates.k8s.io"
_CLIENT, _KUBELET_CLIENT, _KUBELET_SERVING, _LEGACY = (
    f"kubernetes.io/{name}"
    for name in ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")
)
_NODES, _NODE = ("system:nodes",), "system:node:"
_ALL_OF_CLIENT = ("client auth", "digital signature", "key encipherment")
_ALL_OF_SERVING = ("digital signature", "key encipherment", "server auth")
_DECIDED_KEPT, _PENDING_KEPT = 3600.0, 24 * 3600.0
_FIRST_RETRY, _LAST_RETRY = 0.2, 1000.0


class Names(Protocol):
    """Whom a request is about, and by which other names."""

    @property
    def name(self) -> str: ...
    @property
    def organizations(self) -> tuple[str, ...]: ...
    @property
    def domains(self) -> tuple[str, ...]: ...
    @property
    def addresses(self) -> tuple[str, ...]: ...
    @property
    def mails(self) -> tuple[str, ...]: ...
    @property
    def uris(self) -> tuple[str, ...]: ...


class Certifying(NamedTuple):
    """What the controllers cannot know by themselves.

    `read` tells what a request says (None: it cannot be read), `may` whether who made it (its spec) may create that sub-resource of
    requests, `sign` gives a certificate for a request, usages, seconds and the time; None where there is no authority.
    """

    read: Callable[[str], Names | None]
    may: Callable[[Object, str], bool]
    sign: Callable[[str, Collection[str], int | None, float], str | None] | None


def controllers(certifying: Certifying) -> tuple[Controller, ...]:
    """The approver, the signers where there is an authority, and the cleaner."""

    def approve(key: Key, view: View, moment: Moment) -> Step:
        return _approve(certifying, key, view, moment)

    def sign(key: Key, view: View, moment: Moment) -> Step:
        return _sign(certifying, key, view, moment)

    signers = (Controller("csrsigning", sign, {REQUESTS: itself}),) if certifying.sign else ()
    cleaner = Controller("csrcleaner", _clean, {REQUESTS: itself}, workers=1)
    return Controller("csrapproving", approve, {REQUESTS: itself}), *signers, cleaner


def _undone(key: Key, view: View) -> Object | None:
    """A request that has no certificate yet."""
    found = view.get(REQUESTS, *key)
    return None if found is None or deleting(found) or _status(found).get("certificate") else found


def _status(request: Object) -> Object:
    return request.get("status") or {}


def _types(request: Object) -> list[str]:
    return [str(one.get("type")) for one in _status(request).get("conditions") or ()]


def _with(request: Object, condition: Object) -> Object:
    conditions = _status(request).get("conditions") or []
    return with_status(request, {**_status(request), "conditions": [*conditions, condition]})


def _approve(certifying: Certifying, key: Key, view: View, moment: Moment) -> Step:
    request = _undone(key, view)
    if request is None or {"Approved", "Denied"} & set(_types(request)):
        return NOTHING
    spec = request["spec"]
    names = certifying.read(spec["request"])
    if names is None or spec["signerName"] != _KUBELET_CLIENT or kubelet_client_fault(names, spec["usages"]):
        return NOTHING
    ways = (("selfnodeclient", "self "),) if spec.get("username") == names.name else ()
    for subresource, word in (*ways, ("nodeclient", "")):
        if certifying.may(spec, subresource):
            told = f"Auto approving {word}kubelet client certificate after SubjectAccessReview."
            condition = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": told}
            return Step((Update(REQUESTS, _with(request, condition), "approval"),))
    wait = min(2 * (moment.memo or _FIRST_RETRY / 2), _LAST_RETRY)
    return Step(wake=moment.now + wait, memo=wait)


def _sign(certifying: Certifying, key: Key, view: View, moment: Moment) -> Step:
    request = _undone(key, view)
    types = _types(request) if request is not None else []
    if request is None or certifying.sign is None or "Approved" not in types or {"Denied", "Failed"} & set(types):
        return NOTHING
    spec = request["spec"]
    names = certifying.read(spec["request"])
    fault = None if names is None else signer_fault(spec["signerName"], names, spec["usages"])
    if fault is None:
        return NOTHING
    if fault:
        condition = {"type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": fault}
        condition["lastUpdateTime"] = rfc3339(moment.now)
        return Step((Update(REQUESTS, _with(request, condition), "status"),))
    made = certifying.sign(spec["request"], spec["usages"], spec.get("expirationSeconds"), moment.now)
    if made is None:
        return NOTHING
    return Step((Update(REQUESTS, with_status(request, {**_status(request), "certificate": made}), "status"),))


def signer_fault(signer: str, names: Names, usages: Collection[str]) -> str | None:
    """Why a signer of Kubernetes' own does not sign a request, "" if it does; None of another signer."""
    if signer == _CLIENT:
        return _client_fault(usages)
    if signer == _KUBELET_CLIENT:
        return kubelet_client_fault(names, usages)
    if signer == _KUBELET_SERVING:
        return _kubelet_serving_fault(names, usages)
    return "" if signer == _LEGACY else None


def _client_fault(usages: Collection[str]) -> str:
    other = next((usage for usage in usages if usage not in _ALL_OF_CLIENT), None)
    if other is not None:
        return f"invalid usage for client certificate: {other}"
    return "" if "client auth" in usages else "missing required usage for client certificate: client auth"


def kubelet_client_fault(names: Names, usages: Collection[str]) -> str:
    """What keeps a request from being that of a kubelet for its client certificate."""
    if names.organizations != _NODES:
        return "subject organization is not system:nodes"
    if names.domains:
        return "DNS subjectAltNames are not allowed"
    if names.mails:
        return "Email subjectAltNames are not allowed"
    if names.addresses:
        return "IP subjectAltNames are not allowed"
    if names.uris:
        return "URI subjectAltNames are not allowed"
    if not names.name.startswith(_NODE):
        return "subject common name does not begin with system:node:"
    return _usages_fault(usages, _ALL_OF_CLIENT)


def _kubelet_serving_fault(names: Names, usages: Collection[str]) -> str:
    if names.organizations != _NODES:
        return "subject organization is not system:nodes"
    if not names.domains and not names.addresses:
        return "DNS or IP subjectAltName is required"
    if names.mails:
        return "Email subjectAltNames are not allowed"
    if names.uris:
        return "URI subjectAltNames are not allowed"
    wrong = _usages_fault(usages, _ALL_OF_SERVING)
    if wrong:
        return wrong
    return "" if names.name.startswith(_NODE) else "subject common name does not begin with system:node:"


def _usages_fault(usages: Collection[str], every: tuple[str, ...]) -> str:
    """All of them, where `key encipherment` (which only RSA has) may be missing."""
    fits = set(usages) | {"key encipherment"} == set(every)
    return "" if fits else f"usages did not match [{' '.join(every)}]"


def _clean(key: Key, view: View, moment: Moment) -> Step:
    """Deletes a request an hour after it was decided, and a day after it was made or approved if nothing came of that."""
    request = view.get(REQUESTS, *key)
    if request is None or deleting(request):
        return NOTHING
    due = _kept_until(request)
    if due is None or moment.now <= due:
        return Step(wake=due)
    return Step((Delete(REQUESTS, "", name_of(request), uid_of(request)),))


def _kept_until(request: Object) -> float | None:
    conditions = _status(request).get("conditions") or []
    if not conditions:
        return _after(request["metadata"].get("creationTimestamp"), _PENDING_KEPT)
    issued = bool(_status(request).get("certificate"))
    kept = {"Denied": _DECIDED_KEPT, "Failed": _DECIDED_KEPT, "Approved": _DECIDED_KEPT if issued else _PENDING_KEPT}
    return earliest(
        *(_after(one.get("lastUpdateTime"), kept[one["type"]]) for one in conditions if one.get("type") in kept)
    )


def _after(moment: str | None, seconds: float) -> float | None:
    at = parse(moment or "")
    return None if at is None else at + seconds
