"""One sealed value: RSA-OAEP around a session key, AES-GCM around the value; byte for byte what kubeseal writes.

    blob = uint16 length of W | W | C      W: RSA-OAEP(session key; SHA-256, MGF1 SHA-256, label)
                                           C: AES-GCM(value; nonce of zeros, no associated data) with its tag

The session key is used for one value only: with a nonce that is always the same, a second use would give both away.
The padding of W is drawn by OpenSSL: `cryptography` takes no dice from outside for it.
"""

from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SESSION_KEY = 32  # bytes
_NONCE = bytes(12)
_LENGTH = 2


class CannotOpen(ValueError):
    """Too short, sealed to another key or for another place, or spoilt: which of these is not told, and not known."""

    def __init__(self) -> None:
        super().__init__("no key could decrypt secret")


def seal(value: bytes, key: RSAPublicKey, label: bytes, *, session_key: bytes) -> bytes:
    """The blob of a value. `session_key`: 32 fresh random bytes."""
    wrapped = key.encrypt(session_key, _oaep(label))
    return len(wrapped).to_bytes(_LENGTH) + wrapped + AESGCM(session_key).encrypt(_NONCE, value, None)


def open_blob(blob: bytes, keys: Iterable[RSAPrivateKey], label: bytes) -> tuple[bytes, RSAPrivateKey]:
    """The value, and the key that opened it. CannotOpen if none of the keys does."""
    size = wrapped_size(blob)
    if size is None:
        raise CannotOpen
    wrapped, rest = blob[_LENGTH : _LENGTH + size], blob[_LENGTH + size :]
    for key in keys:
        if key.key_size != size * 8:
            continue
        try:
            return AESGCM(key.decrypt(wrapped, _oaep(label))).decrypt(_NONCE, rest, None), key
        except (ValueError, InvalidTag):  # not this key; or a session key of a length that AES does not have
            continue
    raise CannotOpen


def wrapped_size(blob: bytes) -> int | None:
    """The length of W in bytes, which is the size of the key; None if the blob is too short to hold it."""
    size = int.from_bytes(blob[:_LENGTH])
    return size if len(blob) >= _LENGTH + size and size else None


def _oaep(label: bytes) -> padding.OAEP:
    sha256 = hashes.SHA256()
    return padding.OAEP(mgf=padding.MGF1(sha256), algorithm=sha256, label=label or None)
