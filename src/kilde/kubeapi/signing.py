"""Certificates for those who ask: what a request (PKCS#10) says, and what the CA makes of it, as kube-controller-manager would."""

import base64
import datetime
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kilde.kubeapi.resources.validation.certificates import request_der

_BACKDATED, _SHORT = datetime.timedelta(minutes=5), datetime.timedelta(hours=8)
_LEAST, _MOST = datetime.timedelta(minutes=10), datetime.timedelta(days=365)
# The parts of a subject that Go knows, in the order in which it writes them.
_SUBJECT = (
    NameOID.COUNTRY_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.LOCALITY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME,
    NameOID.STREET_ADDRESS,
    NameOID.POSTAL_CODE,
    NameOID.COMMON_NAME,
    NameOID.SERIAL_NUMBER,
)
_ONCE = (NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER)
_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_AGREED = ("encipher_only", "decipher_only")  # mean something beside key_agreement alone
_EXTENDED = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}


class Asked(NamedTuple):
    """Whom a request is about, and by which other names."""

    name: str
    organizations: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


def asked(request: str) -> Asked | None:
    """What a CertificateSigningRequest's `request` (base64 of PEM) says; None if it cannot be read."""
    csr = _csr(request)
    if csr is None:
        return None
    names = _texts(csr.subject, NameOID.COMMON_NAME)
    other = _other_names(csr)
    return Asked(
        names[-1] if names else "",
        tuple(_texts(csr.subject, NameOID.ORGANIZATION_NAME)),
        tuple(str(one.value) for one in other if isinstance(one, x509.DNSName)),
        tuple(str(one.value) for one in other if isinstance(one, x509.IPAddress)),
        tuple(str(one.value) for one in other if isinstance(one, x509.RFC822Name)),
        tuple(str(one.value) for one in other if isinstance(one, x509.UniformResourceIdentifier)),
    )


def _csr(request: str) -> x509.CertificateSigningRequest | None:
    der = request_der(request)
    try:
        return x509.load_der_x509_csr(der) if der is not None else None
    except (ValueError, x509.InvalidVersion):
        return None


def _texts(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]


def _other_names(csr: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    """In the order in which Go writes them."""
    try:
        found = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    kinds = (x509.DNSName, x509.RFC822Name, x509.IPAddress, x509.UniformResourceIdentifier)
    return [one for kind in kinds for one in found if isinstance(one, kind)]


class Authority:
    """Signs with the cluster's CA (upstream: controller/certificates/authority, with the permissive policy)."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate, self._key = certificate, key

    def sign(self, request: str, usages: Collection[str], seconds: int | None, now: float) -> str | None:
        """The certificate of a request (base64 of PEM), good for so many seconds but a year at most; None if the request cannot be read."""
        csr = _csr(request)
        if csr is None:
            return None
        authority = x509.load_pem_x509_certificate(self._certificate.read_bytes())
        key = serialization.load_pem_private_key(self._key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        begins, ends = _lifetime(seconds, datetime.datetime.fromtimestamp(int(now), datetime.UTC))
        subject = _subject(csr.subject)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(min(ends, authority.not_valid_after_utc))
        )
        for extension, critical in _extensions(usages, authority):
            builder = builder.add_extension(extension, critical=critical)
        other = _other_names(csr)
        if other:
            builder = builder.add_extension(x509.SubjectAlternativeName(other), critical=not list(subject))
        made = builder.sign(key, hashes.SHA256())
        return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def _lifetime(seconds: int | None, now: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
    wanted = _MOST if seconds is None else min(max(datetime.timedelta(seconds=seconds), _LEAST), _MOST)
    return now - _BACKDATED, now + wanted - (datetime.timedelta() if wanted < _SHORT else _BACKDATED)


def _subject(name: x509.Name) -> x509.Name:
    """A subject as Go writes it again: what it knows of it, several values of a kind side by side."""
    found = ((oid, list(dict.fromkeys(name.get_attributes_for_oid(oid)))) for oid in _SUBJECT)
    return x509.Name(
        [x509.RelativeDistinguishedName(some[-1:] if oid in _ONCE else some) for oid, some in found if some]
    )


def _extensions(usages: Collection[str], authority: x509.Certificate) -> Sequence[tuple[x509.ExtensionType, bool]]:
    """(what it is, whether it is critical), in Go's order."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    ways = dict.fromkeys((*_USAGES.values(), *_AGREED), False)
    ways.update({_USAGES[usage]: True for usage in usages if usage in _USAGES})
    ways.update({} if ways["key_agreement"] else dict.fromkeys(_AGREED, False))
    if any(ways.values()):
        found.append((x509.KeyUsage(**ways), True))
    extended = dict.fromkeys(oid for usage, oid in _EXTENDED.items() if usage in usages)
    if extended:
        found.append((x509.ExtendedKeyUsage(list(extended)), False))
    found.append((x509.BasicConstraints(ca=False, path_length=None), True))
    try:
        own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return found
    return [*found, (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), False)]
