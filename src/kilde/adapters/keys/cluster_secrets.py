"""ClusterSecretKeys: ports.keys.KeyStore in labelled Secrets of the cluster, as the real controller keeps them."""

import base64
import binascii
from collections.abc import AsyncIterator, Mapping

import msgspec

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.secrets.scope import KEY_LABEL
from kilde.ports.cluster import Cluster, EventType, Resource
from kilde.ports.keys import StoredKey

_SECRETS = Resource("", "v1", "Secret", "secrets", True)
_ACTIVE = "active"
RETIRED = "retired"


class ClusterSecretKeys:
    """The keys of one namespace: Secrets labelled as active, and the one that is named exactly like the prefix."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        *,
        prefix: str = "sealed-secrets-key",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        self._cluster, self._namespace, self._prefix = cluster, namespace, prefix
        self._labels, self._annotations = dict(labels or {}), dict(annotations or {})

    async def load(self) -> list[StoredKey]:
        """Every active key. ClusterError."""
        found = await self._cluster.list(_SECRETS, self._namespace, label_selector=f"{KEY_LABEL}={_ACTIVE}")
        secrets = [_decode(raw) for raw in found]
        if all(secret["metadata"]["name"] != self._prefix for secret in secrets):
            oldest = await self._cluster.get(_SECRETS, self._namespace, self._prefix)
            secrets += [_decode(oldest)] if oldest is not None else []
        return [_stored(secret) for secret in secrets]

    async def add(self, private: bytes, certificate: bytes) -> str:
        """Stores a key in a Secret of its own; gives the Secret's name. ClusterError."""
        data = {"tls.crt": certificate, "tls.key": private}
        metadata: Object = {
            "generateName": self._prefix,
            "namespace": self._namespace,
            "labels": {**self._labels, KEY_LABEL: _ACTIVE},
        }
        if self._annotations:
            metadata["annotations"] = self._annotations
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "kubernetes.io/tls",
            "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
        }
        applied = await self._cluster.create(_SECRETS, body, manager="kilde")
        return str(_decode(applied.raw)["metadata"]["name"])

    async def retire(self, name: str) -> None:
        """Relabels a key: neither this controller nor the real one uses it any more; relabelled `active`, it opens again. ClusterError."""
        if name == self._prefix:
            raise ClusterError(f"Secret '{name}' is used whatever its label says", hint="back it up and delete it")
        await self._label(name, RETIRED)

    async def revive(self, name: str) -> None:
        """Labels a retired key as active again. ClusterError."""
        await self._label(name, _ACTIVE)

    async def _label(self, name: str, state: str) -> None:
        labels = {"metadata": {"labels": {KEY_LABEL: state}}}
        await self._cluster.patch(_SECRETS, self._namespace, name, labels, manager="kilde")

    async def changes(self) -> AsyncIterator[None]:
        """Whenever a key Secret is added, changed, relabelled or removed."""
        async for event in self._cluster.watch(_SECRETS, self._namespace, label_selector=KEY_LABEL):
            if event.type not in (EventType.LISTED, EventType.BROKEN):
                yield None


def _decode(raw: bytes) -> Object:
    try:
        found: Object = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        raise ClusterError("a key Secret is not JSON", reason="Invalid") from None
    return found


def _stored(secret: Object) -> StoredKey:
    data = secret.get("data") or {}
    return StoredKey(str(secret["metadata"]["name"]), _bytes(data.get("tls.key")), _bytes(data.get("tls.crt")))


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(text) if isinstance(text, str) else b""
    except binascii.Error:
        return b""
