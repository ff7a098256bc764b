"""Definition: a CustomResourceDefinition read once, for everything the server asks of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.typed.node import DEDUCED, Node
from kilde.core.objects.typed.schema import from_openapi
from kilde.kubeapi.resources.catalog import version_priority
from kilde.kubeapi.resources.jsonpath import JsonPath, compiled
from kilde.kubeapi.resources.kinds import Resource, SubResource, scale, status
from kilde.kubeapi.resources.printers.column import Printer
from kilde.kubeapi.resources.tables import custom_printer

Schema = Mapping[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a custom resource keeps what a Scale shows; `selector` is "" where it keeps none."""

    replicas: str
    status_replicas: str
    selector: str = ""


@dataclass(frozen=True)
class Version:
    """One version of a definition. `schema` is None where the CRD has none: then everything is kept and nothing checked."""

    name: str
    served: bool
    storage: bool
    schema: Schema | None
    status: bool
    scale: ScalePaths | None
    deprecation: str  # the warning of a deprecated version, "" otherwise
    columns: tuple[Object, ...] = field(repr=False)
    selectable: tuple[str, ...] = ()

    @cached_property
    def node(self) -> Node:
        """The type, for server-side apply."""
        return DEDUCED if self.schema is None else from_openapi(dict(self.schema))

    @cached_property
    def has_rules(self) -> bool:
        """Whether the schema has CEL rules anywhere."""
        return self.schema is not None and any("x-kubernetes-validations" in one for one in _within(self.schema))

    @cached_property
    def printer(self) -> Printer:
        """How `kubectl get` shows it."""
        return custom_printer(self.columns)

    @cached_property
    def selectable_paths(self) -> Mapping[str, JsonPath]:
        """Field selector word (`spec.name`) → path, besides metadata.name and metadata.namespace."""
        return {path.removeprefix("."): compiled(path) for path in self.selectable}

    @property
    def sub_resources(self) -> tuple[str, ...]:
        """The names of the sub-resources there are."""
        return (("status",) if self.status else ()) + (("scale",) if self.scale else ())


@dataclass(frozen=True)
class Definition:
    """A custom resource: its names, scope and versions, as `spec` says (the server's defaults filled in)."""

    name: str
    group: str
    kind: str
    plural: str
    singular: str
    list_kind: str
    short_names: tuple[str, ...]
    categories: tuple[str, ...]
    namespaced: bool
    versions: tuple[Version, ...]

    @classmethod
    def of(cls, crd: Object) -> "Definition":
        """Reads a CRD that has passed validation."""
        spec = crd["spec"]
        names = spec["names"]
        return cls(
            name=crd["metadata"]["name"],
            group=spec["group"],
            kind=names["kind"],
            plural=names["plural"],
            singular=names.get("singular") or names["kind"].lower(),
            list_kind=names.get("listKind") or f"{names['kind']}List",
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            namespaced=spec["scope"] == "Namespaced",
            versions=tuple(_version(one, spec) for one in spec["versions"]),
        )

    def version(self, name: str) -> Version | None:
        """The version of that name; None if there is none."""
        return next((one for one in self.versions if one.name == name), None)

    @property
    def storage_version(self) -> str:
        """The version objects are kept in."""
        return next(one.name for one in self.versions if one.storage)

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """What discovery says of it: one resource for each served version."""
        return tuple(self._resource(one) for one in self.versions if one.served)

    def _resource(self, version: Version) -> Resource:
        subs: list[SubResource] = []
        if version.status:
            subs.append(status(self.kind))
        if version.scale:
            subs.append(scale())
        return Resource(
            self.group,
            version.name,
            self.plural,
            self.singular,
            self.kind,
            self.namespaced,
            short_names=self.short_names,
            categories=self.categories,
            sub_resources=tuple(subs),
            list_kind=self.list_kind,
            custom=True,
            storage_version=self.storage_version,
        )


def _version(raw: Object, spec: Object) -> Version:
    schema = (raw.get("schema") or {}).get("openAPIV3Schema")
    subs = raw.get("subresources") or {}
    paths = subs.get("scale")
    return Version(
        name=raw["name"],
        served=bool(raw.get("served")),
        storage=bool(raw.get("storage")),
        schema=schema,
        status=subs.get("status") is not None,
        scale=None if paths is None else _scale(paths),
        deprecation=_deprecation(raw, spec),
        columns=tuple(raw.get("additionalPrinterColumns") or ()),
        selectable=tuple(one["jsonPath"] for one in raw.get("selectableFields") or ()),
    )


def _scale(paths: Object) -> ScalePaths:
    return ScalePaths(paths["specReplicasPath"], paths["statusReplicasPath"], paths.get("labelSelectorPath") or "")


def _deprecation(raw: Object, spec: Object) -> str:
    """What a real server warns of: the CRD's own words, or which version to use instead."""
    if not raw.get("deprecated"):
        return ""
    if raw.get("deprecationWarning"):
        return str(raw["deprecationWarning"])
    group, kind = spec["group"], spec["names"]["kind"]
    current = [one["name"] for one in spec["versions"] if one.get("served") and not one.get("deprecated")]
    instead = f"; use {group}/{_preferred(current)} {kind}" if current else ""
    return f"{group}/{raw['name']} {kind} is deprecated{instead}"


def _preferred(versions: list[str]) -> str:
    return min(versions, key=version_priority)


def _within(schema: Schema) -> Iterator[Schema]:
    """The schema and all schemas within it (not those in allOf, anyOf, oneOf and not)."""
    waiting: list[Any] = [schema]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend((one.get("properties") or {}).values())
        waiting.extend(
            child for child in (one.get("items"), one.get("additionalProperties")) if isinstance(child, Mapping)
        )
