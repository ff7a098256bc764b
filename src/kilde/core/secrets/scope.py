"""Scope: whom a sealed value is bound to, and the annotations that say so."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

GROUP = "bitnami.com"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "SealedSecret"

_PREFIX = "sealedsecrets.bitnami.com"
CLUSTER_WIDE = f"{_PREFIX}/cluster-wide"
NAMESPACE_WIDE = f"{_PREFIX}/namespace-wide"
MANAGED = f"{_PREFIX}/managed"
PATCH = f"{_PREFIX}/patch"
SKIP_OWNER = f"{_PREFIX}/skip-set-owner-references"
KEY_LABEL = f"{_PREFIX}/sealed-secrets-key"


class Scope(StrEnum):
    """Where a value opens: under its own name, anywhere in its namespace, or anywhere."""

    STRICT = "strict"
    NAMESPACE_WIDE = "namespace-wide"
    CLUSTER_WIDE = "cluster-wide"

    def label(self, namespace: str, name: str) -> bytes:
        """What the value is bound to: the label of RSA-OAEP."""
        if self is Scope.CLUSTER_WIDE:
            return b""
        return namespace.encode() if self is Scope.NAMESPACE_WIDE else f"{namespace}/{name}".encode()


def is_true(annotations: Any, name: str) -> bool:
    """Whether an annotation says exactly `true`."""
    return isinstance(annotations, Mapping) and annotations.get(name) == "true"


def scope_of(metadata: Mapping[str, Any]) -> Scope:
    """The scope that an object's own annotations say; cluster-wide wins."""
    annotations = metadata.get("annotations")
    if is_true(annotations, CLUSTER_WIDE):
        return Scope.CLUSTER_WIDE
    return Scope.NAMESPACE_WIDE if is_true(annotations, NAMESPACE_WIDE) else Scope.STRICT


def label_of(metadata: Mapping[str, Any]) -> bytes:
    """The label for an object with that name, namespace and annotations."""
    return scope_of(metadata).label(str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))


def with_scope(annotations: Mapping[str, str] | None, scope: Scope) -> dict[str, str]:
    """The annotations, with this scope and no other."""
    kept = {key: value for key, value in (annotations or {}).items() if key not in (CLUSTER_WIDE, NAMESPACE_WIDE)}
    if scope is not Scope.STRICT:
        kept[CLUSTER_WIDE if scope is Scope.CLUSTER_WIDE else NAMESPACE_WIDE] = "true"
    return kept
