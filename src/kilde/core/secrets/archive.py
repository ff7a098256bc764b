"""Private keys locked with a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM locks names, keys and certificates."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import canonical
from kilde.core.secrets.stored import StoredKey

FORMAT = "kilde-sealing-keys/v1"
COST = 1 << 17  # scrypt's n; with r = 8 it takes 128 MiB
LARGEST = 64 << 20  # bytes of a file
SHORTEST = 12  # characters of a passphrase
_COSTS = (1 << 14, 1 << 18)  # a file may not ask for more memory than 256 MiB
_SALT, _NONCE, _KEY, _R = 16, 12, 32, 8


class _Entry(msgspec.Struct, omit_defaults=True):
    name: str
    private: bytes
    certificate: bytes
    retired: bool = False  # an older Kilde does not know it, and takes the key for an active one


class _File(msgspec.Struct):
    format: str
    cost: int
    salt: str
    nonce: str
    ciphertext: str


def lock(stored: Sequence[StoredKey], passphrase: bytes, dice: Callable[[int], bytes], *, cost: int = COST) -> bytes:
    """A file's text. `dice` gives so many random bytes: salt and nonce are fresh each time. InvalidInput: too short a passphrase."""
    if len(passphrase) < SHORTEST:
        raise InvalidInput(f"the passphrase is shorter than {SHORTEST} characters")
    salt, nonce = dice(_SALT), dice(_NONCE)
    sealed = AESGCM(_derived(passphrase, salt, cost)).encrypt(nonce, pack(stored), _bound(cost, salt))
    texts = (base64.b64encode(part).decode() for part in (salt, nonce, sealed))
    return msgspec.json.format(msgspec.json.encode(_File(FORMAT, cost, *texts)), indent=1) + b"\n"


def unlock(data: bytes, passphrase: bytes, *, about: str) -> list[StoredKey]:
    """The keys in a file. InvalidInput; one message for a wrong passphrase and a changed file, as nobody can tell them apart."""
    try:
        file = msgspec.json.decode(data, type=_File)
        salt, nonce, sealed = (
            base64.b64decode(part, validate=True) for part in (file.salt, file.nonce, file.ciphertext)
        )
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise InvalidInput("is not a file of sealing keys, or was cut off", about=about) from None
    if file.format != FORMAT or len(salt) != _SALT or len(nonce) != _NONCE:
        raise InvalidInput(f"is not of the format {FORMAT}", about=about)
    if not _COSTS[0] <= file.cost <= _COSTS[1] or file.cost & (file.cost - 1):
        raise InvalidInput(f"asks for a cost of {file.cost}, which no file of ours has", about=about)
    try:
        plain = AESGCM(_derived(passphrase, salt, file.cost)).decrypt(nonce, sealed, _bound(file.cost, salt))
        return unpack(plain)
    except (InvalidTag, msgspec.DecodeError):
        hint = "give the passphrase that it was written with"
        raise InvalidInput(
            "does not open: another passphrase, or the file was changed", about=about, hint=hint
        ) from None


def pack(stored: Sequence[StoredKey]) -> bytes:
    """The keys as they are within what locks them: plain."""
    return msgspec.json.encode([_Entry(key.name, key.private, key.certificate, key.retired) for key in stored])


def unpack(plain: bytes) -> list[StoredKey]:
    """The same, back. msgspec.DecodeError."""
    entries = msgspec.json.decode(plain, type=list[_Entry])
    return [StoredKey(entry.name, entry.private, entry.certificate, entry.retired) for entry in entries]


def _derived(passphrase: bytes, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=_KEY, n=cost, r=_R, p=1).derive(passphrase)


def _bound(cost: int, salt: bytes) -> bytes:
    """The associated data: what the file says of itself cannot be changed either."""
    header: list[Any] = [FORMAT, cost, base64.b64encode(salt).decode()]
    return canonical(header)
