"""One item of a SealedSecret, opened and sealed in the format that its object is marked with."""

from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kilde.core.basics.values import Object
from kilde.core.secrets import base64, recipients, sealed_value
from kilde.core.secrets.scope import label_of

__all__ = ["open_item"]


def open_item(sealed: Object, item: str, keys: Iterable[RSAPrivateKey]) -> tuple[bytes, RSAPrivateKey]:
    """The value of an item of a typed SealedSecret, and the key that opened it. CannotOpen, IllegalBase64."""
    blob = base64.decode(sealed["spec"]["encryptedData"][item])
    if recipients.is_marked(sealed["metadata"]):
        return recipients.open_blob(blob, keys, recipients.context(sealed, item))
    return sealed_value.open_blob(blob, keys, label_of(sealed["metadata"]))
