"""Validation of CertificateSigningRequests (certificates.k8s.io)."""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources import go_asn1
from kilde.kubeapi.resources.causes import Cause, duplicate, forbidden, invalid, not_supported, required, too_long
from kilde.kubeapi.resources.go_structs import changed
from kilde.kubeapi.resources.validation.fields import get, items
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain

_USAGES = (
    *("any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment"),
    *("decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel"),
    *("ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime"),
    *("server auth", "signing", "timestamping"),
)
_LEGACY = "kubernetes.io/legacy-unknown"
_DOMAIN_LENGTH, _NAME_LENGTH = 253, 253 + 253 + 63 + 1 + 1
_PERMANENT = ("Approved", "Denied", "Failed")
_DECIDED = ("Approved", "Denied")
_AT, _CERTIFICATE = "status.conditions", "status.certificate"
_UNKNOWN = "x509: cannot verify signature: algorithm unimplemented"
_UNSIGNED = {
    "RSAPublicKey": "crypto/rsa: verification error",
    "ECPublicKey": "x509: ECDSA verification failure",
    "Ed25519PublicKey": "x509: Ed25519 verification failure",
}
_BLOCK = re.compile(r"-----BEGIN ([^\n-]*)-----\s*\n(.*?)-----END \1-----", re.DOTALL)


def check_request(csr: Object, before: Object | None = None) -> Iterator[Cause]:
    """What is wrong with a request; of one that was accepted `before` its old faults are still accepted."""
    spec, was = csr.get("spec") or {}, get(before, "spec", default={})
    usages, signer = spec.get("usages") or [], spec.get("signerName") or ""
    fault = _request_fault(spec.get("request") or "")
    if fault:
        yield invalid("spec.request", spec.get("request"), fault)
    if not usages:
        yield required("spec.usages")
    if set(was.get("usages") or ()) <= set(_USAGES):
        yield from (
            not_supported(f"spec.usages[{index}]", usage, _USAGES)
            for index, usage in enumerate(usages)
            if usage not in _USAGES
        )
    if not _twice(was.get("usages") or ()):
        yield from (
            duplicate(f"spec.usages[{index}]", usage) for index, usage in enumerate(usages) if usage in usages[:index]
        )
    if signer == _LEGACY and was.get("signerName") != _LEGACY:
        yield invalid("spec.signerName", signer, "the legacy signerName is not allowed via this API version")
    else:
        yield from signer_name(signer, "spec.signerName")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        words = "may not specify a duration less than 600 seconds (10 minutes)"
        yield invalid("spec.expirationSeconds", seconds, words)
    yield from _conditions(csr, before)
    certificate = get(csr, "status", "certificate", default="")
    if certificate and certificate != get(before, "status", "certificate", default=""):
        fault = _certificate_fault(certificate)
        if fault:
            yield invalid(_CERTIFICATE, "<certificate data>", fault)


def _twice(values: Sequence[str]) -> bool:
    return len(set(values)) < len(values)


def _pem(encoded: str) -> list[tuple[str, bytes]]:
    """(type, DER) of the PEM blocks in a base64 text."""
    try:
        text = base64.b64decode(encoded).decode("ascii", "replace")
        return [(kind, base64.b64decode(body)) for kind, body in _BLOCK.findall(text)]
    except (binascii.Error, ValueError):
        return []


def request_der(encoded: str) -> bytes | None:
    """The PKCS#10 request in a base64 text of PEM; None if there is none."""
    blocks = _pem(encoded)
    return blocks[0][1] if blocks and blocks[0][0] == "CERTIFICATE REQUEST" else None


def _request_fault(encoded: str) -> str:
    der = request_der(encoded)
    if der is None:
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        key = go_asn1.check_request(der)
    except go_asn1.Fault as fault:
        return str(fault)
    return _signature_fault(der, key)


def _signature_fault(der: bytes, key: bytes) -> str:
    from cryptography import exceptions, x509  # here, for it takes long to load and few requests come
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        request = x509.load_der_x509_csr(der)
        if request.is_signature_valid:
            return ""
    except exceptions.UnsupportedAlgorithm:
        return _UNKNOWN
    except (ValueError, x509.InvalidVersion):
        pass  # Go reads on
    try:
        return _UNSIGNED.get(type(load_der_public_key(key)).__name__, _UNKNOWN)
    except (ValueError, exceptions.UnsupportedAlgorithm):
        return "x509: malformed certificate request"


def _certificate_fault(encoded: str) -> str:
    blocks = _pem(encoded)
    if not blocks:
        return "must contain at least one CERTIFICATE PEM block"
    from cryptography import x509  # here, for it takes long to load and few requests come

    for kind, der in blocks:
        if kind != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{kind}"'
        try:
            x509.load_der_x509_certificate(der)
        except ValueError:
            return "x509: malformed certificate"
    return ""


def signer_name(name: str, at: str) -> Iterator[Cause]:
    """The name of a signer: a domain, a slash and a path of dotted names."""
    domain, slash, path = name.partition("/")
    if not name:
        yield required(at)
        return
    if not slash or "/" in path:
        yield invalid(at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")
        return
    if len(domain) > _DOMAIN_LENGTH:
        yield too_long(at, _DOMAIN_LENGTH)
    labels = domain.split(".")
    bad = next((label for label in labels if dns_label(label)), None)
    if bad is not None:
        yield from (invalid(at, domain, f'validating label "{bad}": {text}') for text in dns_label(bad))
    if len(labels) < 2:
        yield invalid(at, domain, "should be a domain with at least two segments separated by dots")
    bad = next((label for label in path.split(".") if dns_subdomain(label)), None)
    if bad is not None:
        yield from (invalid(at, path, f'validating label "{bad}": {text}') for text in dns_subdomain(bad))
    if len(name) > _NAME_LENGTH:
        yield too_long(at, _NAME_LENGTH)


def _types(csr: Json) -> list[str]:
    return [one.get("type") or "" for _, one in items(csr, "status", "conditions")]


def _conditions(csr: Object, before: Object | None) -> Iterator[Cause]:
    had, seen = _types(before), list[str]()
    exclusive = not set(_DECIDED) <= set(had)
    for index, condition in items(csr, "status", "conditions"):
        at, kind, status = f"{_AT}[{index}]", condition.get("type") or "", condition.get("status") or ""
        if not kind and "" not in had:
            yield required(f"{at}.type")
        allowed = ("True",) if kind in _PERMANENT else ("False", "True", "Unknown")
        if not status:
            yield required(f"{at}.status")
        elif status not in allowed:
            yield not_supported(f"{at}.status", status, allowed)
        if exclusive and kind in _DECIDED and (set(_DECIDED) - {kind}) & set(seen):
            yield invalid(_AT, kind, "Approved and Denied conditions are mutually exclusive")
        if kind in seen and not _twice(had):
            yield duplicate(f"{at}.type", kind)
        seen.append(kind)


def check_request_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of the request itself."""
    yield from _change(new, old)


def check_approval(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a request's approval."""
    yield from _change(new, old, approves=True)


def check_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a request's status."""
    yield from _change(new, old, signs=True)


def _change(new: Object, old: Object, *, approves: bool = False, signs: bool = False) -> Iterator[Cause]:
    yield from check_request(new, old)
    for kind in _PERMANENT:
        if len(_of(new, kind)) < len(_of(old, kind)):
            yield forbidden(_AT, f'updates may not remove a condition of type "{kind}"')
    for kind in () if approves else _DECIDED:
        now, had = _of(new, kind), _of(old, kind)
        if len(now) > len(had):
            yield forbidden(_AT, f'updates may not add a condition of type "{kind}"')
        elif len(now) == len(had) and now != had:
            words = f'updates may not modify a condition of type "{kind}"'
            yield forbidden(_AT, changed(words, "CertificateSigningRequestCondition", had, now))
    certificate, was = (get(one, "status", "certificate", default="") for one in (new, old))
    if certificate != was:
        if not signs:
            yield forbidden(_CERTIFICATE, "updates may not set certificate content")
        elif was:
            yield forbidden(_CERTIFICATE, "updates may not modify existing certificate content")


def _of(csr: Object, kind: str) -> list[Json]:
    return [one for _, one in items(csr, "status", "conditions") if one.get("type") == kind]
