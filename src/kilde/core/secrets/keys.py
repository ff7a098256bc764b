"""Sealing keys: certificates and private keys read from PEM, and certificates made for new keys."""

import datetime
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509.oid import ExtensionOID, NameOID

from kilde.core.basics.errors import InvalidInput

SMALLEST = 2048  # bits; shorter keys are not sealed to
SERIAL = 16  # random bytes of a certificate's serial number
_ENCIPHER_ONLY = bytes.fromhex(
    "03020001"
)  # BIT STRING, bit 7; the library wants keyAgreement with it, the real controller has none
_BEGIN = b"-----BEGIN "


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A private key with its certificate, and the name of the Secret it lies in ("" if it lies in none)."""

    private: RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate
    name: str = ""

    @property
    def not_before(self) -> datetime.datetime:
        return self.certificate.not_valid_before_utc

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.private.public_key())

    @property
    def pem(self) -> bytes:
        """The certificate, for those who seal."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def fingerprint(key: RSAPublicKey) -> str:
    """SHA-256 of the public key, in hex: the key's name where nobody gave it one."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    return digest.finalize().hex()


def read_certificate(data: bytes, *, about: str) -> x509.Certificate:
    """The first certificate of a PEM text. InvalidInput."""
    if b"CERTIFICATE" not in data:
        raise InvalidInput("data does not contain any valid RSA or ECDSA certificates", about=about)
    try:
        return x509.load_pem_x509_certificates(data)[0]
    except (ValueError, UnsupportedAlgorithm, IndexError):
        raise InvalidInput("data does not contain any valid RSA or ECDSA certificates", about=about) from None


def public_key(certificate: x509.Certificate, *, now: datetime.datetime, about: str) -> RSAPublicKey:
    """The key to seal to; InvalidInput if it is not RSA, too short, or the certificate has expired."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise InvalidInput(f"expected RSA public key but found {_algorithm(key)}", about=about)
    end = certificate.not_valid_after_utc
    if now > end:
        day = f"{end:%B} {end.day}, {end.year}"
        raise InvalidInput(
            f"failed to encrypt using an expired certificate on {day}",
            about=about,
            hint="fetch the newest one with --fetch-cert",
        )
    if key.key_size < SMALLEST:
        raise InvalidInput(f"the RSA key is too short: {key.key_size} bits, and {SMALLEST} are needed", about=about)
    return key


def _algorithm(key: object) -> str:
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey") if key else "another kind of key"


def read_private_key(data: bytes, *, about: str) -> RSAPrivateKey:
    """The first private key of a PEM text (PKCS#1 or PKCS#8). InvalidInput; no message holds a part of it."""
    begin = data.find(_BEGIN)
    try:
        key = serialization.load_pem_private_key(_key_block(data[max(begin, 0) :]), None)
    except TypeError:
        raise InvalidInput("the private key is encrypted; give it without a passphrase", about=about) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("data does not contain a valid private key", about=about) from None
    if not isinstance(key, RSAPrivateKey):
        raise InvalidInput("the private key is not an RSA key", about=about)
    return key


def _key_block(data: bytes) -> bytes:
    """From the first private key on: a certificate may come before it in the file."""
    for block in data.split(_BEGIN)[1:]:
        if block.partition(b"-----")[0].endswith(b"PRIVATE KEY"):
            return _BEGIN + block
    return data


def write_private_key(key: RSAPrivateKey) -> bytes:
    """PKCS#1 in PEM, as the real controller stores it."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def make_certificate(
    key: RSAPrivateKey, *, now: datetime.datetime, seconds: float, serial: bytes, common_name: str = ""
) -> x509.Certificate:
    """A self-signed certificate from `now` on, shaped as the real controller's. `serial`: 16 random bytes."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    public = key.public_key()
    usage = x509.UnrecognizedExtension(ExtensionOID.KEY_USAGE, _ENCIPHER_ONLY)
    begin = now.replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(int.from_bytes(serial) >> 1 or 1)
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(seconds=seconds))
        .add_extension(usage, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def newest(keys: tuple[SealingKey, ...]) -> SealingKey | None:
    """The key to seal to: that with the latest certificate; of equal ones the last by name."""
    return max(keys, key=lambda key: (key.not_before, key.name), default=None)


def in_order(keys: tuple[SealingKey, ...]) -> tuple[SealingKey, ...]:
    """The keys, newest first: the order in which they are tried."""
    return tuple(sorted(keys, key=lambda key: (key.not_before, key.name), reverse=True))
