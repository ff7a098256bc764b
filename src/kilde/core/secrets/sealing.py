"""Sealing: a Secret becomes a SealedSecret, as kubeseal makes it."""

from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.secrets import base64, documents, recipients
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
    """Seals to one certificate's key, as kubeseal does, or in our own format to several. `dice` gives so many random bytes."""

    def __init__(self, key: RSAPublicKey, dice: Dice, *, others: Sequence[RSAPublicKey] = ()) -> None:
        known = {recipients.key_id(each): each for each in (key, *others)}
        if len(known) > recipients.MOST:
            raise InvalidInput(f"{len(known)} certificates are too many: at most {recipients.MOST} for one Secret")
        self._key, self._dice, self.keys = key, dice, known

    def text(self, value: bytes, label: bytes) -> str:
        """One sealed value as it stands in `encryptedData`."""
        return base64.encode(seal(value, self._key, label, session_key=self._dice(SESSION_KEY)))

    def item(self, sealed: Object, item: str, value: bytes) -> str:
        """A value for an item of a typed SealedSecret, new or another than before, in the object's format. InvalidInput.

        A marked object is sealed to all keys of this Sealer; it has to have those that the object is sealed to.
        """
        if not recipients.is_marked(sealed["metadata"]):
            return self.text(value, label_of(sealed["metadata"]))
        bound, dice = recipients.context(sealed, item), self._dice
        keys = list(self.keys.values())
        content_key, nonce = dice(recipients.CONTENT_KEY), dice(recipients.NONCE)
        return base64.encode(recipients.seal(value, keys, bound, content_key=content_key, nonce=nonce))

    def anew(self, sealed: Object, item: str, value: bytes, by: RSAPrivateKey, *, keep: bool = False) -> str:
        """An item that `by` opened, for this Sealer's key instead of that one. In a marked object the other recipients stay.

        `keep`: there `by` stays a recipient, too.
        """
        if not recipients.is_marked(sealed["metadata"]):
            return self.text(value, label_of(sealed["metadata"]))
        blob, bound = base64.decode(sealed["spec"]["encryptedData"][item]), recipients.context(sealed, item)
        return base64.encode(recipients.rewrapped(blob, by, bound, to=self._key, keep=keep))

    def sealed(self, secret: Object, *, about: str) -> Object:
        """The SealedSecret of a Secret that `prepared` has made ready; of several recipients, it is marked. InvalidInput."""
        metadata = documents.metadata_of(secret, about=about)
        values = documents.secret_values(secret, about=about)
        template: Object = {"metadata": metadata}
        kind, immutable = secret.get("type"), secret.get("immutable")
        if kind:
            template["type"] = documents.typed(kind, str, "type", about)
        if immutable is not None:
            template["immutable"] = documents.typed(immutable, bool, "immutable", about)
        outer: Object = {key: metadata[key] for key in ("name", "namespace", "creationTimestamp") if key in metadata}
        annotations = with_scope(None, scope_of(metadata))
        if len(self.keys) > 1:
            annotations[recipients.MARK] = recipients.MARKED
        if annotations:
            outer["annotations"] = annotations
        spec: Object = {"template": template, "encryptedData": {}}
        made = {"kind": KIND, "apiVersion": API_VERSION, "metadata": outer, "spec": spec}
        typed = documents.sealed_secret(made, about=about)
        spec["encryptedData"] = {key: self.item(typed, key, value) for key, value in values.items()}
        return made


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
