"""SOPS: whether an application's files are decrypted, and with which keys: those of its project, in labelled Secrets beside it."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable

import msgspec

from kilde.core.apps.application import Application
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import canonical
from kilde.core.secrets.sops import Unwrap
from kilde.core.secrets.sops_tree import Decrypter
from kilde.ports.cluster import Cluster, Resource

SOPS = "kilde.dev/sops"
KEYS_LABEL = "kilde.dev/sops-keys"  # its value is the project whose applications may use them
_SECRETS = Resource("", "v1", "Secret", "secrets", True)
Unwrapper = Callable[[Iterable[str]], Unwrap]  # key files → what unwraps with them


def no_age(texts: Iterable[str]) -> Unwrap:
    """Where nobody gave an Unwrapper."""
    del texts
    raise InvalidInput("SOPS files cannot be decrypted here")


async def decrypter(cluster: Cluster, app: Application, unwrapper: Unwrapper) -> Decrypter | None:
    """What decrypts the application's files; None where it does not ask for it. InvalidInput, ClusterError."""
    asked = app.annotations.get(SOPS)
    if asked is None:
        return None
    if asked != "age":
        raise InvalidInput(f"its annotation {SOPS} says neither 'age' nor nothing", about=str(app))
    raw = await cluster.list(_SECRETS, app.namespace, label_selector=f"{KEYS_LABEL}={app.project}")
    texts = [text for each in raw for text in _texts(each)]
    if not texts:
        hint = f"label a Secret of namespace {app.namespace} that holds age identities: {KEYS_LABEL}={app.project}"
        raise InvalidInput(f"there are no SOPS keys for project {app.project}", about=str(app), hint=hint)
    keys = hashlib.blake2b(canonical(texts), digest_size=16).hexdigest()
    return Decrypter(unwrapper(texts), keys)


def _texts(raw: bytes) -> list[str]:
    data = msgspec.json.decode(raw).get("data") or {}
    try:
        return [base64.b64decode(data[key]).decode("utf-8", "replace") for key in sorted(data)]
    except (binascii.Error, TypeError):
        return []
