"""The server's own CA, its certificate, and the administrator's: made once, kept in files of mode 0600."""

import datetime
import ipaddress
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)
_YEARS = 3650 * _DAY
_RENEW_BEFORE = 30 * _DAY
_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_SERVICE_ADDRESS = "10.0.0.1"


@dataclass(frozen=True, slots=True)
class Identity:
    """Where the files are, and the administrator's token. All under one folder of mode 0700."""

    ca: Path
    certificate: Path
    key: Path
    client_certificate: Path
    client_key: Path
    token: str

    @property
    def authority_key(self) -> Path:
        """What `ca` signs with."""
        return self.ca.with_suffix(".key")


def write_private(path: Path, data: bytes) -> None:
    """Writes a file of mode 0600 as a whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def ensure(folder: Path, host: str, *, now: datetime.datetime) -> Identity:
    """The identity kept in a folder; what is missing, about to expire or of another host is made anew."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = folder / "token"
    if not token.exists():
        write_private(token, secrets.token_urlsafe(32).encode())
    found = Identity(
        folder / "ca.crt",
        folder / "server.crt",
        folder / "server.key",
        folder / "admin.crt",
        folder / "admin.key",
        token.read_text().strip(),
    )
    if not _usable(found, host, now):
        _make(found, host, now)
    return found


def _usable(identity: Identity, host: str, now: datetime.datetime) -> bool:
    files = (identity.ca, identity.certificate, identity.key, identity.client_certificate, identity.client_key)
    if not all(path.exists() for path in files) or not identity.authority_key.exists():
        return False
    certificate = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return certificate.not_valid_after_utc > now + _RENEW_BEFORE and any(name in names for name in _host_names(host))


def _make(identity: Identity, host: str, now: datetime.datetime) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kilde-ca")])
    public = authority_key.public_key()
    authority = (
        _builder(name, name, public, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_private(identity.authority_key, _pem(authority_key))
    write_private(identity.ca, authority.public_bytes(serialization.Encoding.PEM))
    loopback = [x509.DNSName(name) for name in _NAMES]
    addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1", _SERVICE_ADDRESS)]
    alternatives = x509.SubjectAlternativeName([*loopback, *addresses, *_host_names(host)])
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    admin_name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.COMMON_NAME, "kilde-admin"),
        ]
    )
    for subject, usage, path, key_path in (
        (server_name, ExtendedKeyUsageOID.SERVER_AUTH, identity.certificate, identity.key),
        (admin_name, ExtendedKeyUsageOID.CLIENT_AUTH, identity.client_certificate, identity.client_key),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = (
            _builder(subject, name, key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        )
        if usage is ExtendedKeyUsageOID.SERVER_AUTH:
            leaf = leaf.add_extension(alternatives, critical=False)
        write_private(key_path, _pem(key))
        write_private(path, leaf.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _host_names(host: str) -> list[x509.GeneralName]:
    try:
        return [x509.IPAddress(ipaddress.ip_address(host))]
    except ValueError:
        return [x509.DNSName(host)]


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _YEARS)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
