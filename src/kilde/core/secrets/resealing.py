"""Resealing: the values of a SealedSecret to another key; everything else of it stays as it is."""

from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kilde.core.basics.values import Object
from kilde.core.secrets.opening import DoesNotOpen, open_values
from kilde.core.secrets.sealing import Sealer

_OF_THE_SERVER = ("uid", "resourceVersion", "generation", "selfLink", "managedFields")


def resealed(sealed: Object, keys: Iterable[RSAPrivateKey], sealer: Sealer) -> Object:
    """A typed SealedSecret with every value sealed anew under the label it has. DoesNotOpen.

    Where the real controller drops the object's own labels and annotations and turns template texts into sealed values, this
    keeps them; the template is given name and namespace, as the real one does.
    """
    if sealed["spec"].get("data"):
        raise DoesNotOpen("the deprecated field 'data' cannot be re-encrypted; open it and seal it anew")
    metadata = {key: value for key, value in sealed["metadata"].items() if key not in _OF_THE_SERVER}
    metadata["creationTimestamp"] = None
    spec = sealed["spec"]
    named = {key: metadata[key] for key in ("name", "namespace") if metadata.get(key)}
    template = {**spec["template"], "metadata": {**named, **spec["template"]["metadata"], **named}}
    return {
        "metadata": metadata,
        "spec": {**spec, "template": template, "encryptedData": resealed_items(sealed, keys, sealer)},
    }


def resealed_items(sealed: Object, keys: Iterable[RSAPrivateKey], sealer: Sealer) -> dict[str, str]:
    """The items of a typed SealedSecret, sealed anew. DoesNotOpen."""
    opened = open_values(sealed, keys)
    return {item: sealer.anew(sealed, item, value, opened.opened_by[item]) for item, value in opened.values.items()}
