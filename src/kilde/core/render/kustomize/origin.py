"""buildMetadata: where an object came from and what transformed it, as annotations."""

import posixpath
from typing import Any, NamedTuple

from kilde.core.objects.yaml_writer import write_document
from kilde.core.render.kustomize.resource import Resource

ORIGIN_ANNOTATION = "config.kubernetes.io/origin"
TRANSFORMER_ANNOTATION = "alpha.config.kubernetes.io/transformations"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"


class Origin(NamedTuple):
    """`path` is relative to the folder that is built."""

    path: str = ""
    configured_in: str = ""
    api_version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""

    def below(self, path: str) -> "Origin":
        joined = posixpath.normpath(posixpath.join(self.path, path))
        return self._replace(path="" if joined == "." else joined)

    def in_file(self, file: str) -> "Origin":
        return self.below(posixpath.basename(file))

    def of_builtin(self, kind: str, file: str) -> "Origin":
        return Origin(configured_in=self.in_file(file).path, api_version="builtin", kind=kind)

    def of_plugin(self, config: Resource) -> "Origin":
        path = (config.origin or {}).get("path", "")
        return Origin("", path, config.gvk.api_version, config.kind, config.name, config.namespace)

    def as_dict(self) -> dict[str, Any]:
        """Fields in the order kustomize writes them, empty ones left out."""
        by = {"apiVersion": self.api_version, "kind": self.kind, "name": self.name, "namespace": self.namespace}
        found: dict[str, Any] = {"path": self.path, "configuredIn": self.configured_in}
        found["configuredBy"] = {key: value for key, value in by.items() if value}
        return {key: value for key, value in found.items() if value}


def annotation(value: Any) -> str:
    """The annotation's text: YAML with the fields in their order."""
    return write_document(value, sort=False)
