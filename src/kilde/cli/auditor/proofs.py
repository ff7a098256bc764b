"""RFC 9162 §2.1, and C2SP's signed notes and checkpoints, as a stand-alone verifier needs them: a second writing, apart from the core's."""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_hash(record_hash: str) -> bytes:
    return hashlib.sha256(b"\x00" + bytes.fromhex(record_hash)).digest()


def root_by_inclusion(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """§2.1.3.2."""
    if not 0 <= index < size:
        return None
    here, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if here & 1 or here == last:
            found = node_hash(step, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, step)
        here, last = here >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, path: list[bytes]) -> bool:
    """§2.1.4.2."""
    if old == size:
        return not path and old_root == root
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not 0 < old < size or not steps:
        return False
    here, last = old - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            after = node_hash(after, step)
        here, last = here >> 1, last >> 1
    return last == 0 and before == old_root and after == root


def read_key(text: str) -> tuple[str, bytes, bytes]:
    """A verifier key → name, key id, public key. Raises ValueError."""
    name, key_id, encoded = text.split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    right = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if raw[:1] != b"\x01" or len(raw) != 33 or right.hex() != key_id:
        raise ValueError("no Ed25519 verifier key")
    return name, right, raw[1:]


def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def open_note(note: str, keys: list[str]) -> list[str]:
    """The lines of a note that has exactly one signature, by one of the keys. Raises ValueError."""
    text, blank, tail = note.partition("\n\n")
    name, _, encoded = tail.removeprefix("— ").removesuffix("\n").rpartition(" ")
    raw = base64.b64decode(encoded, validate=True)
    for key in keys:
        known, key_id, public = read_key(key)
        line = f"{text}\n\n— {known} {base64.b64encode(key_id + raw[4:]).decode()}\n"
        if blank and line == note and name == known and signed(public, (text + "\n").encode(), raw[4:]):
            return text.split("\n")
    raise ValueError("no key of the ledger signed it")


def read_checkpoint(note: str, keys: list[str]) -> tuple[str, int, bytes]:
    """Origin, size and root of a signed checkpoint. Raises ValueError."""
    origin, size, root = open_note(note, keys)
    return origin, int(size), base64.b64decode(root, validate=True)
