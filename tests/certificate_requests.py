"""CertificateSigningRequests for tests: a key, a PKCS#10 request, and the object that asks for it to be signed."""

import base64
import ipaddress
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
CLIENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY = (
    f"kubernetes.io/{name}"
    for name in ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")
)
KEY = ec.generate_private_key(ec.SECP256R1())
NODE = "system:node:n1"
NODES = ("system:nodes",)


def der(name: str, groups: Sequence[str] = (), others: Sequence[str] = ()) -> bytes:
    """A request; `others` are addresses, mail addresses, URIs and domains."""
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject += [x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if others:
        names = x509.SubjectAlternativeName([_general(other) for other in others])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _general(other: str) -> x509.GeneralName:
    if "://" in other:
        return x509.UniformResourceIdentifier(other)
    if "@" in other:
        return x509.RFC822Name(other)
    try:
        return x509.IPAddress(ipaddress.ip_address(other))
    except ValueError:
        return x509.DNSName(other)


def encoded(data: bytes, word: str = "CERTIFICATE REQUEST") -> str:
    """Base64 of PEM, as `spec.request` has it."""
    lines = base64.encodebytes(data).decode()
    return base64.b64encode(f"-----BEGIN {word}-----\n{lines}-----END {word}-----\n".encode()).decode()


def asking(name: str, request: str, signer: str, usages: Sequence[str], **more: Any) -> dict[str, Any]:
    """The object."""
    spec = {"request": request, "signerName": signer, "usages": list(usages), **more}
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": spec,
    }


def approval(request: dict[str, Any]) -> dict[str, Any]:
    """The request as it is approved."""
    condition = {"type": "Approved", "status": "True", "reason": "Tested", "message": "by a test"}
    return {**request, "status": {"conditions": [condition]}}


def certificate_of(request: dict[str, Any]) -> x509.Certificate:
    """What was issued."""
    return x509.load_pem_x509_certificate(base64.b64decode(request["status"]["certificate"]))


def client_pem() -> bytes:
    """The private key of all these requests."""
    return KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
