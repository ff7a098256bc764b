"""Our own format: one value that any of several keys opens, bound to all of the object that decides what becomes of it.

    blob = FF FF 'K' 01 | n | n × (key id: 8 bytes | uint16 length of W | W) | nonce: 12 bytes | C
    W    = RSA-OAEP(content key; SHA-256, MGF1 SHA-256, label: the context)
    C    = AES-256-GCM(content key, nonce, value; associated data: the context) with its tag

The context is scope, namespace and name as far as the scope has them, the item's key, type, immutable and template. A reader of the
common format takes FF FF for the length of a wrapped key that is longer than any key: it fails there and opens nothing wrong.
Objects are marked by an annotation: a marked one holds no value of the common format, an unmarked one none of ours.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kilde.core.basics.values import Object, canonical
from kilde.core.secrets import base64
from kilde.core.secrets.keys import fingerprint
from kilde.core.secrets.scope import Scope, scope_of
from kilde.core.secrets.sealed_value import CannotOpen

MARK, MARKED = "kilde.dev/sealed-format", "recipients/v1"
MOST = 64  # recipients of one value
CONTENT_KEY, NONCE = 32, 12  # bytes
_MAGIC = b"\xff\xffK\x01"
_ID, _LENGTH, _TAG = 8, 2, 16
_SET_BY_OPENING = ("name", "namespace", "creationTimestamp")


class CannotOpenBound(CannotOpen):
    """As CannotOpen; says as well what a value of this format is bound to, as nobody can tell which of all it was."""

    def __init__(self) -> None:
        ValueError.__init__(
            self, "no key could decrypt secret, or name, scope, item, type or template are not as they were sealed"
        )


@dataclass(frozen=True, slots=True)
class _Parts:
    wrapped: Mapping[bytes, bytes]  # key id → W
    rest: bytes  # nonce and C


def is_marked(metadata: Mapping[str, object]) -> bool:
    """Whether an object says that its values have several recipients."""
    annotations = metadata.get("annotations")
    return isinstance(annotations, Mapping) and annotations.get(MARK) == MARKED


def context(sealed: Object, item: str) -> bytes:
    """What a value of a typed SealedSecret is bound to."""
    metadata, template = sealed["metadata"], sealed["spec"]["template"]
    scope = scope_of(metadata)
    kept = {key: value for key, value in template["metadata"].items() if key not in _SET_BY_OPENING and value}
    return canonical(
        {
            "format": MARKED,
            "scope": str(scope),
            "namespace": "" if scope is Scope.CLUSTER_WIDE else str(metadata.get("namespace") or ""),
            "name": str(metadata.get("name") or "") if scope is Scope.STRICT else "",
            "item": item,
            "template": {**template, "metadata": kept},
        }
    )


def seal(value: bytes, keys: Sequence[RSAPublicKey], bound: bytes, *, content_key: bytes, nonce: bytes) -> bytes:
    """The blob of a value for 1 to MOST keys. `content_key` and `nonce`: fresh random bytes, for this value alone."""
    wrapped = {key_id(key): key.encrypt(content_key, _oaep(bound)) for key in keys}
    return _blob(_Parts(wrapped, nonce + AESGCM(content_key).encrypt(nonce, value, bound)))


def open_blob(blob: bytes, keys: Iterable[RSAPrivateKey], bound: bytes) -> tuple[bytes, RSAPrivateKey]:
    """The value, and the key that opened it. CannotOpen if none of the keys does."""
    parts = _parts(blob)
    for key in keys:
        content_key = _content_key(parts, key, bound)
        if content_key is None:
            continue
        try:
            return AESGCM(content_key).decrypt(parts.rest[:NONCE], parts.rest[NONCE:], bound), key
        except InvalidTag:
            continue
    raise CannotOpenBound


def recipients(blob: bytes) -> tuple[bytes, ...]:
    """The ids of the keys that open it, in order. CannotOpen for what is no such blob."""
    return tuple(_parts(blob).wrapped)


def recipients_of_text(text: str) -> tuple[bytes, ...]:
    """The same of an item's text; nothing for what is spoilt: nobody opens it."""
    try:
        return recipients(base64.decode(text))
    except (base64.IllegalBase64, CannotOpen):
        return ()


def rewrapped(blob: bytes, by: RSAPrivateKey, bound: bytes, *, to: RSAPublicKey, keep: bool = False) -> bytes:
    """The blob with one recipient more, `to`, and without `by` unless it is to be kept. CannotOpen.

    The value and its content key stay as they are: the other recipients notice nothing.
    """
    open_blob(blob, [by], bound)
    parts = _parts(blob)
    content_key = _content_key(parts, by, bound)
    assert content_key is not None, "it has just opened"
    mine, new = key_id(by.public_key()), key_id(to)
    entry = {new: parts.wrapped.get(new) or to.encrypt(content_key, _oaep(bound))}
    wrapped: dict[bytes, bytes] = {}
    for each, text in parts.wrapped.items():
        wrapped |= entry if each == mine and not keep else {each: text}
    return _blob(_Parts(wrapped | entry, parts.rest))


def key_id(key: RSAPublicKey) -> bytes:
    """The first eight bytes of the key's fingerprint: says whose a wrapped key is; nothing rests on it."""
    return bytes.fromhex(fingerprint(key))[:_ID]


def _content_key(parts: _Parts, key: RSAPrivateKey, bound: bytes) -> bytes | None:
    wrapped = parts.wrapped.get(key_id(key.public_key()))
    if wrapped is None or len(wrapped) * 8 != key.key_size:
        return None
    try:
        found = key.decrypt(wrapped, _oaep(bound))
    except ValueError:
        return None
    return found if len(found) == CONTENT_KEY else None


def _blob(parts: _Parts) -> bytes:
    entries = b"".join(each + len(text).to_bytes(_LENGTH) + text for each, text in parts.wrapped.items())
    return _MAGIC + bytes([len(parts.wrapped)]) + entries + parts.rest


def _parts(blob: bytes) -> _Parts:
    at = len(_MAGIC) + 1
    if not blob.startswith(_MAGIC) or len(blob) < at or not 1 <= blob[at - 1] <= MOST:
        raise CannotOpenBound
    wrapped: dict[bytes, bytes] = {}
    for _ in range(blob[at - 1]):
        begin = at + _ID + _LENGTH
        size = int.from_bytes(blob[at + _ID : begin])
        wrapped[blob[at : at + _ID]] = blob[begin : begin + size]
        at = begin + size
    rest = blob[at:]
    if len(rest) < NONCE + _TAG or len(wrapped) != blob[len(_MAGIC)]:
        raise CannotOpenBound
    return _Parts(wrapped, rest)


def _oaep(bound: bytes) -> padding.OAEP:
    sha256 = hashes.SHA256()
    return padding.OAEP(mgf=padding.MGF1(sha256), algorithm=sha256, label=bound)
