"""Sealing: a Secret becomes a SealedSecret, as kubeseal makes it."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.secrets import base64, documents
from kilde.core.secrets.scope import API_VERSION, KIND, Scope, label_of, scope_of, with_scope
from kilde.core.secrets.sealed_value import SESSION_KEY, seal

_OF_THE_SERVER = (
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
)
_LAST_APPLIED = (  # tools keep the whole object in them, plain values and all
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubecfg.ksonnet.io/last-applied-configuration",
)

Dice = Callable[[int], bytes]


class Sealer:
    """Seals to one certificate's key. `dice` gives so many random bytes."""

    def __init__(self, key: RSAPublicKey, dice: Dice) -> None:
        self._key, self._dice = key, dice

    def text(self, value: bytes, label: bytes) -> str:
        """One sealed value as it stands in `encryptedData`."""
        return base64.encode(seal(value, self._key, label, session_key=self._dice(SESSION_KEY)))

    def sealed(self, secret: Object, *, about: str) -> Object:
        """The SealedSecret of a Secret that `prepared` has made ready. InvalidInput."""
        metadata = documents.metadata_of(secret, about=about)
        label = label_of(metadata)
        values = documents.secret_values(secret, about=about)
        template: Object = {"metadata": metadata}
        kind, immutable = secret.get("type"), secret.get("immutable")
        if kind:
            template["type"] = documents.typed(kind, str, "type", about)
        if immutable is not None:
            template["immutable"] = documents.typed(immutable, bool, "immutable", about)
        outer: Object = {key: metadata[key] for key in ("name", "namespace", "creationTimestamp") if key in metadata}
        if annotations := with_scope(None, scope_of(metadata)):
            outer["annotations"] = annotations
        encrypted = {key: self.text(value, label) for key, value in values.items()}
        spec = {"template": template, "encryptedData": encrypted}
        return {"kind": KIND, "apiVersion": API_VERSION, "metadata": outer, "spec": spec}


def prepared(
    secret: Object,
    *,
    about: str,
    name: str = "",
    namespace: Callable[[], str],
    scope: Scope | None = None,
    allow_empty: bool = False,
) -> Object:
    """The Secret as it is sealed: named, placed, scoped, and without what only a server knows. InvalidInput.

    `name` wins over the Secret's; `namespace` is asked only where the Secret has none and its scope needs one;
    `scope` None leaves the Secret's annotations to decide.
    """
    documents.expect(secret, "Secret", "v1", about=about)
    if not secret.get("data") and not secret.get("stringData") and not allow_empty:
        raise InvalidInput(
            "secret.data is empty in input Secret, assuming this is an error and aborting. "
            "To work with empty data, --allow-empty-data can be used"
        )
    metadata = {
        key: value for key, value in documents.metadata_of(secret, about=about).items() if key not in _OF_THE_SERVER
    }
    metadata["creationTimestamp"] = None
    if name:
        metadata["name"] = name
    if not metadata.get("name"):
        raise InvalidInput("missing metadata.name in input Secret")
    kept = {key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _LAST_APPLIED}
    if scope is not None and scope is not Scope.STRICT:
        kept = with_scope(kept, scope)
    metadata["annotations"] = kept
    if scope_of(metadata) is not Scope.CLUSTER_WIDE and not metadata.get("namespace"):
        metadata["namespace"] = namespace()
    return {**secret, "metadata": metadata}


def merged(into: Object, update: Object) -> Object:
    """A SealedSecret with the items, and the template's labels, annotations and data, of another one over its own."""
    spec, added = into["spec"], update["spec"]
    template = dict(spec["template"])
    metadata = dict(template["metadata"])
    for field in ("labels", "annotations"):
        _merge(metadata, field, added["template"]["metadata"].get(field))
    template["metadata"] = {**metadata}
    _merge(template, "data", added["template"].get("data"))
    encrypted = dict(sorted({**spec["encryptedData"], **added["encryptedData"]}.items()))
    return {**into, "spec": {**spec, "template": template, "encryptedData": encrypted}}


def _merge(into: Object, field: str, added: Any) -> None:
    if added:
        into[field] = dict(sorted({**(into.get(field) or {}), **added}.items()))
