"""Schemas: how each kind merges. Built-in kinds from the packed data, custom ones from their CustomResourceDefinition."""

import msgspec

from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.schema import builtin, from_openapi
from kilde.ports.cluster import Cluster, Resource

_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
_decode = msgspec.json.Decoder(dict).decode


class Schemas:
    """Looks a kind's schema up, once. A kind without one merges by what its values look like."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._builtin = builtin()
        self._custom: dict[tuple[str, str, str], Node | None] = {}

    def node(self, group: str, version: str, kind: str) -> Node | None:
        """The schema as far as it is known without a request."""
        found = self._builtin.node(group, version, kind)
        return found if found is not None else self._custom.get((group, version, kind))

    async def learn(self, resource: Resource, version: str) -> None:
        """Reads the schema of a kind that is not built in; without the right to, its objects merge by their looks."""
        group, kind = resource.group, resource.kind
        key = (group, version, kind)
        if self._builtin.node(group, version, kind) is not None or key in self._custom:
            return
        try:
            raw = await self._cluster.get(_DEFINITIONS, "", f"{resource.plural}.{group}")
        except ClusterError:
            return
        spec = (_decode(raw) if raw else {}).get("spec") or {}
        for served in spec.get("versions") or ():
            schema = (served.get("schema") or {}).get("openAPIV3Schema")
            try:
                node = from_openapi(schema) if schema else None
            except InvalidInput:
                node = None
            self._custom[(group, str(served.get("name")), kind)] = node
        self._custom.setdefault(key, None)

    def forget(self) -> None:
        """Definitions changed: custom schemas are read anew."""
        self._custom.clear()
