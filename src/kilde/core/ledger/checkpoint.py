"""Checkpoints: the size and root of a ledger's tree, signed; in the formats of C2SP (tlog-checkpoint, signed-note), Ed25519.

A note is a text, an empty line, and lines `— NAME BASE64(key id ‖ signature)`. The text of a checkpoint is origin, size and root.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kilde.core.basics.errors import LedgerError
from kilde.core.ledger.merkle import HASH

ORIGIN = "kilde.dev/ledger/"
_ED25519 = b"\x01"
_KEY_ID = 4
_MOST = 64 * 1024  # characters of a note: larger ones are nobody's
_DASH = "— "


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A verifier key: `name+hex key id+base64(algorithm ‖ public key)`."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a signature vouches for: the first `size` records have that root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def origin_of(public: bytes) -> str:
    """The name of the ledger whose first key that is: it keeps the name when keys change."""
    return ORIGIN + hashlib.sha256(public).hexdigest()[:16]


def read_key(text: str) -> PublicKey:
    """Parses a verifier key. Raises LedgerError."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)  # base64 may hold a plus sign: the first two separate
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise LedgerError("this is no verifier key", about=text[:80]) from None
    key = PublicKey(name, raw[1:])
    if raw[:1] != _ED25519 or len(key.public) != HASH or key.id.hex() != key_id or not name:
        raise LedgerError("this is no Ed25519 verifier key, or one that was altered", about=text[:80])
    return key


def sign_note(text: str, key: PublicKey, sign: Callable[[bytes], bytes]) -> str:
    """The text with one signature below it."""
    return f"{text}\n{_DASH}{key.name} {base64.b64encode(key.id + sign(text.encode())).decode()}\n"


def open_note(note: str, keys: Sequence[PublicKey], *, most: int = _MOST) -> str:
    """The text of a note, of at most so many characters, that one of the keys signed. Raises LedgerError."""
    text, blank, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not blank or len(note) > most or lines.pop() != "" or not lines:
        raise LedgerError("this is no signed note")
    text += "\n"
    for line in lines:
        name, _, encoded = line.removeprefix(_DASH).rpartition(" ")
        if not line.startswith(_DASH) or not name:
            raise LedgerError("this is no signed note: a line below the text is no signature")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise LedgerError("this is no signed note: a signature is not base64") from None
        if base64.b64encode(raw).decode() != encoded:
            raise LedgerError(
                "this is no signed note: a signature is not the base64 of anything"
            )  # its last bits are read by nobody
        for key in keys:
            if (key.name, key.id) == (name, raw[:_KEY_ID]) and key.signed(text.encode(), raw[_KEY_ID:]):
                return text
    raise LedgerError("no known key signed it", hint="the note was altered, or is another ledger's")


def read_checkpoint(note: str, keys: Sequence[PublicKey]) -> Checkpoint:
    """A signed checkpoint. Raises LedgerError where it is none, or none of the keys signed it."""
    lines = open_note(note, keys).split("\n")
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (ValueError, IndexError, binascii.Error):
        raise LedgerError("this is a signed note, and no checkpoint") from None
    found = Checkpoint(origin, size, root)
    if len(root) != HASH or size < 0 or not found.text.startswith("\n".join(lines[:3])):
        raise LedgerError("this is a signed note, and no checkpoint")
    return found


FIRST_KEY = "ledger-key"
NEXT_KEY = "ledger-key-rotated"


def rotation_text(origin: str, old: str, new: str) -> bytes:
    """What the old key signs to hand over to the new one."""
    return f"kilde ledger key rotation\n{origin}\n{old}\n{new}\n".encode()


def keys_of(records: Iterable[tuple[int, str, dict[str, object]]]) -> tuple[list[PublicKey], list[tuple[int, str]]]:
    """The keys that records (number, kind, body) introduce, oldest first, and what is wrong with which record.

    The first is believed (compare it with one you were given); each other one must be signed for by the one before.
    """
    keys: list[PublicKey] = []
    wrong: list[tuple[int, str]] = []
    for number, kind, body in records:
        if kind not in (FIRST_KEY, NEXT_KEY):
            continue
        try:
            key = read_key(str(body.get("key", "")))
            signature = base64.b64decode(str(body.get("signature", "")), validate=True)
        except (LedgerError, ValueError, binascii.Error):
            wrong.append((number, "the key it introduces cannot be read"))
            continue
        if keys:
            handed = rotation_text(key.name, str(keys[-1]), str(key))
            if kind != NEXT_KEY or key.name != keys[-1].name or not keys[-1].signed(handed, signature):
                wrong.append((number, "the key before did not sign for the key it introduces"))
                continue
        elif kind != FIRST_KEY:
            wrong.append((number, "no key comes before the key it introduces"))
            continue
        keys.append(key)
    return keys, wrong
