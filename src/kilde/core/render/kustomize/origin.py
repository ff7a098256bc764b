"""buildMetadata: where an object came from and what transformed it, as annotations."""

import posixpath
from typing import Any, NamedTuple

from kilde.core.objects.yaml_writer import write_document
from kilde.core.render.kustomize.remote import parse_remote
from kilde.core.render.kustomize.resource import Resource

ORIGIN_ANNOTATION = "config.kubernetes.io/origin"
TRANSFORMER_ANNOTATION = "alpha.config.kubernetes.io/transformations"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"


class Origin(NamedTuple):
    """`path` is relative to the folder that is built, or to the root of the remote repository `repo` at `ref`."""

    path: str = ""
    repo: str = ""
    ref: str = ""
    configured_in: str = ""
    api_version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""

    def below(self, path: str) -> "Origin":
        remote = parse_remote(path)
        if remote is not None:
            return self._replace(path=remote.origin_path, repo=remote.clone_url, ref=remote.ref)
        joined = posixpath.normpath(posixpath.join(self.path, path))
        return self._replace(path="" if joined == "." else joined)

    def in_file(self, file: str) -> "Origin":
        return self.below(posixpath.basename(file))

    def of_builtin(self, kind: str, file: str) -> "Origin":
        found = self._replace(path="", configured_in=self.in_file(file).path)
        return found._replace(api_version="builtin", kind=kind, name="", namespace="")

    def of_plugin(self, config: Resource) -> "Origin":
        origin = config.origin or {}
        return Origin(
            "",
            origin.get("repo", ""),
            origin.get("ref", ""),
            origin.get("path", ""),
            config.gvk.api_version,
            config.kind,
            config.name,
            config.namespace,
        )

    def as_dict(self) -> dict[str, Any]:
        """Fields in the order kustomize writes them, empty ones left out."""
        by = {"apiVersion": self.api_version, "kind": self.kind, "name": self.name, "namespace": self.namespace}
        found: dict[str, Any] = {
            "path": self.path,
            "repo": self.repo,
            "ref": self.ref,
            "configuredIn": self.configured_in,
        }
        found["configuredBy"] = {key: value for key, value in by.items() if value}
        return {key: value for key, value in found.items() if value}


def annotation(value: Any) -> str:
    """The annotation's text: YAML with the fields in their order."""
    return write_document(value, sort=False)
