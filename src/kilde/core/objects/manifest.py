"""Manifest: one Kubernetes object as somebody wrote it, with where it was written."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kilde.core.basics.errors import Place
from kilde.core.basics.values import Object, digest
from kilde.core.objects.ref import ObjectRef, split_api_version


@dataclass(frozen=True)
class Manifest:
    """One object. `body` is never changed in place; `origin` is the file and line it came from (None: made here)."""

    body: Object
    origin: Place | None = field(default=None, compare=False)

    @property
    def api_version(self) -> str:
        return str(self.body.get("apiVersion", ""))

    @property
    def group(self) -> str:
        return split_api_version(self.api_version)[0]

    @property
    def version(self) -> str:
        return split_api_version(self.api_version)[1]

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))

    @property
    def metadata(self) -> dict[str, Any]:
        found = self.body.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name") or "")

    @property
    def namespace(self) -> str:
        return str(self.metadata.get("namespace") or "")

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.get("annotations") or {}

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.get("labels") or {}

    @cached_property
    def ref(self) -> ObjectRef:
        return ObjectRef(self.group, self.kind, self.namespace, self.name)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical body."""
        return digest(self.body)

    def __str__(self) -> str:
        return str(self.ref)
