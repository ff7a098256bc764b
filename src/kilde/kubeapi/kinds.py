"""Kind: all that the verbs need to know of one served resource: its type, where it is kept, what is made of what a client sends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import msgspec

from kilde.core.basics.values import Object
from kilde.core.objects.defaults import apply_defaults
from kilde.core.objects.defaults.storing import kept_in_protobuf
from kilde.core.objects.typed import go_decode, schema
from kilde.core.objects.typed.field_set import FieldSet
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.ownership import Version
from kilde.core.objects.typed.unknown import declared_only
from kilde.core.objects.unchanged import mark_unchanged
from kilde.kubeapi.logic import warnings
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.logic.fields import SELECTABLE_BY_GROUP, Read
from kilde.kubeapi.logic.metadata import ordered
from kilde.kubeapi.resources import older, reading, tables, validation
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.resources.conversions import CONVERSIONS, Conversion
from kilde.kubeapi.resources.kinds import WITHOUT_GENERATION, Resource
from kilde.kubeapi.resources.openapi import Schemas
from kilde.kubeapi.resources.policies.whole_schemas import Served
from kilde.kubeapi.resources.printers.column import Printer
from kilde.kubeapi.resources.release import Release
from kilde.kubeapi.resources.release import release as newest
from kilde.kubeapi.storage.records import Record

_TAKE_STATUS = frozenset(("nodes", "componentstatuses", "csistoragecapacities.storage.k8s.io"))
COMPONENTS = "componentstatuses"
_DEPRECATED = {
    COMPONENTS: "v1 ComponentStatus is deprecated in v1.19+",
    "endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
# What etcd's keys call some resources (pkg/kubeapiserver/default_storage_factory_builder.go and the registries).
_REGISTRIES = {
    "nodes": "minions",
    "replicationcontrollers": "controllers",
    "services": "services/specs",
    "endpoints": "services/endpoints",
    "ingresses.networking.k8s.io": "ingress",
    "customresourcedefinitions.apiextensions.k8s.io": "apiextensions.k8s.io/customresourcedefinitions",
    "apiservices.apiregistration.k8s.io": "apiregistration.k8s.io/apiservices",
}
_NOTHING = FieldSet()
_encode = msgspec.json.Encoder().encode
_STATUS = FieldSet.of(("f:status",))
_SPEC = FieldSet.of(("f:spec",))
_BOTH = FieldSet.of(("f:spec",), ("f:status",))
_SPEC_AND_METADATA = FieldSet.of(("f:spec",), ("f:metadata",))
# What a write to the status of these resources does not own, besides the spec.
_RESET_BY_STATUS: Mapping[str, FieldSet] = {
    "deployments.apps": FieldSet.of(("f:spec",), ("f:metadata", "f:labels")),
    "flowschemas.flowcontrol.apiserver.k8s.io": _SPEC_AND_METADATA,
    "pods": FieldSet.of(("f:spec",), ("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:ownerReferences")),
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _SPEC_AND_METADATA,
    "resourceclaims.resource.k8s.io": _SPEC_AND_METADATA,
    "servicecidrs.networking.k8s.io": _SPEC_AND_METADATA,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _SPEC_AND_METADATA,
    "volumeattachments.storage.k8s.io": _SPEC_AND_METADATA,
}


class ScalePaths(NamedTuple):
    """Where a kind keeps what its scale sub-resource shows; `selector` may be ()."""

    spec: tuple[str, ...] = ("spec", "replicas")
    status: tuple[str, ...] = ("status", "replicas")
    selector: tuple[str, ...] = ("spec", "selector")


@dataclass(frozen=True)
class Kind:
    """One resource in one version, with its rules. The base class has the rules of built-in kinds."""

    resource: Resource
    node: Node
    selectable: Mapping[str, Read] | None = field(default=None)
    scale_paths: ScalePaths = field(default=ScalePaths())
    since: int = 0  # objects stored up to this resourceVersion were shaped by an older definition
    begun: int = field(default=0, kw_only=True)  # the resourceVersion at which this server began to serve it
    # The minor of an older release: its type may not know all that defaults give, and it says some things otherwise.
    older: int | None = field(default=None, kw_only=True)

    @cached_property
    def storage(self) -> str:
        """The name under which the store keeps these objects, whatever version they were sent in."""
        return self.resource.kept_as

    @property
    def registry(self) -> str:
        """The part of etcd's key that a real server keeps these under: conflicts quote it."""
        resource = self.resource
        if resource.custom:
            return f"apiextensions.kubernetes.io/{resource.group}/{resource.plural}"
        return _REGISTRIES.get(self.storage, resource.plural)

    @property
    def names_last(self) -> bool:
        """Whether a missing name is told only once nothing else is wrong."""
        return (self.resource.group, self.resource.kind) in validation.METADATA_LAST

    @cached_property
    def conversion(self) -> Conversion | None:
        """How it is converted; None where every version has the same shape."""
        return CONVERSIONS.get((self.resource.api_version, self.resource.kind))

    @property
    def has_status(self) -> bool:
        return self.resource.sub_resource("status") is not None

    @property
    def takes_status(self) -> bool:
        """Whether a new object keeps the status it was sent with."""
        return self.storage in _TAKE_STATUS

    @property
    def has_generation(self) -> bool:
        return (self.resource.group, self.resource.kind) not in WITHOUT_GENERATION

    def about(self, name: str) -> Named:
        """What 404 and 409 name: the plural."""
        return Named(self.resource.group, self.resource.plural, name)

    def about_kind(self, name: str) -> Named:
        """What 422 names: the kind."""
        group = "" if self.storage == "events" else self.resource.group
        return Named(group, self.resource.kind, name)

    def reset_fields(self, subresource: str) -> FieldSet:
        """What a write to this sub-resource ("" the main one) cannot change."""
        if self.storage == "certificatesigningrequests.certificates.k8s.io" and not subresource:
            return _BOTH
        if subresource == "status":
            return _RESET_BY_STATUS.get(self.storage, _SPEC)
        return _STATUS if self.has_status and not subresource else _NOTHING

    def decoded(self, obj: Object) -> go_decode.Decoded:
        """What a typed decoder makes of the object. Raises go_decode.WrongType."""
        return go_decode.decode(self.node, obj)

    def mark_unchanged(self, new: Object, old: Object) -> None:
        """Marks what need not be worked out again; not of kinds whose rules may have changed since, or that are kept in another shape."""
        if not self.resource.custom and self.conversion is None:
            mark_unchanged(new, old)

    @property
    def warning(self) -> str:
        """What every request for this kind is warned of."""
        return _DEPRECATED.get(self.storage, "")

    def to_stored(self, obj: Object) -> Object:
        """The object in the version in which it is kept, as storage gives it back."""
        made = self.conversion.to_stored(obj) if self.conversion else obj
        return kept_in_protobuf(made if made is obj else apply_defaults(made))

    def converted(self, obj: Object, other: "Kind") -> Object:
        """An object of this version in another version or group that shows the same resource."""
        if self.conversion is None or other.conversion is None:
            return {**obj, "apiVersion": other.resource.api_version}
        return other.conversion.from_stored(self.conversion.to_stored(obj))

    def elsewhere(self, api_version: str) -> Version | None:
        """Another version of this kind, if its shape is another."""
        resource = self.resource
        conversion = CONVERSIONS.get((api_version, resource.kind))
        if self.conversion is None or conversion is None or api_version == resource.api_version:
            return None
        node = schema.builtin().node(resource.group, api_version.rpartition("/")[2], resource.kind)
        return None if node is None else Version(node, lambda obj: conversion.from_stored(self.to_stored(obj)))

    @property
    def replicas_elsewhere(self) -> Mapping[str, tuple[str, ...] | None]:
        """apiVersion → where another version keeps what its scale shows; None where it has no scale."""
        return {}

    @property
    def converts(self) -> bool:
        """Whether a webhook may have to be asked for what is kept in another version."""
        return False

    def shows_as_kept(self, record: Record) -> bool:
        """Whether a stored object is shown, in whatever version, as it is kept: a write that changes nothing is no write then."""
        return not reading.is_rewritten(self.storage, record.data)

    def uncompleted(self, obj: Object) -> Object:
        """An object as it is kept that has not been given its defaults."""
        return obj

    def shown(self, records: Sequence[Record]) -> list[Record]:
        """Stored records as this version shows them, where only a webhook knows. Waits."""
        return list(records)

    def written(self, record: Record, subresource: str = "") -> bytes:
        """The stored object's bytes in this version, as they are answered to who asked for it or for a sub-resource."""
        version = self.resource.api_version
        if reading.is_rewritten(self.storage, record.data):
            return _encode(self.presented(record, subresource))
        if self.conversion is None or (
            self.conversion.kept == version and record.data.startswith(b'{"apiVersion":"%b"' % version.encode())
        ):
            return record.data
        return _encode(self.presented(record))

    def presented(self, record: Record, subresource: str = "") -> Object:
        """The stored object in this version, as it is shown; to who asked for a sub-resource nothing is hidden."""
        held = self.held(record)
        return held if subresource else reading.as_shown(self.storage, held)

    def held(self, record: Record) -> Object:
        """The stored object in this version, as writes start from it."""
        obj = reading.as_read(self.storage, record.object())
        return self.asked(self.conversion.to_stored(obj)) if self.conversion else obj

    def asked(self, obj: Object) -> Object:
        """An object in the version in which it is kept, in this one."""
        return ordered(self.conversion.from_stored(obj)) if self.conversion else obj

    def printer(self, subresource: str = "") -> Printer:
        """How a Table shows it."""
        found = older.printer(self.older, self.storage) if self.older and not subresource else None
        return found or tables.printer_of(self.resource, subresource)

    def defaulted(self, obj: Object, *, nulls: bool = False) -> Object:
        """The object with what the server adds by itself; empty fields are as Go writes them. `nulls`: see custom.defaulted."""
        made = self.conversion.defaulted(obj) if self.conversion else apply_defaults(obj)
        return declared_only(made, self.node) if self.older else made

    def settled(self, obj: Object) -> Object:
        """The object as it will be read once it is stored: what its owners are asked about."""
        return self.conversion.from_stored(self.to_stored(obj)) if self.conversion else obj

    def tabled(self, record: Record, subresource: str = "") -> Object:
        """The stored object as a Table is made of it, which is of no version."""
        return self.conversion.to_stored(record.object()) if self.conversion else self.presented(record, subresource)

    def _judged(self, obj: Object) -> Object:
        return self.conversion.to_stored(obj) if self.conversion and self.conversion.judged else obj

    def warnings_of(self, new: Object, old: Object | None) -> Iterator[str]:
        """What whoever writes this over `old` (None: creates it) is warned of."""
        found = warnings.warnings(self.storage, new, old)
        return found if self.older is None else (one for one in found if older.is_warned(self.older, one))

    def problems_of_new(self, obj: Object) -> list[Cause]:
        """Why an object may not be created."""
        found = validation.validate_create(self._judged(obj))
        if self.older is None:
            return found
        return [*older.problems(self.older, self.storage, obj), *(older.worded(self.older, one) for one in found)]

    def problems_of_change(self, new: Object, old: Object, subresource: str) -> list[Cause]:
        """Why an object may not become another."""
        return validation.validate_update(self._judged(new), self._judged(old), subresource)


class Kinds:
    """The kinds served at one moment."""

    def __init__(
        self,
        catalog: Catalog,
        custom: Mapping[tuple[str, str, str], Kind],
        schemas: Schemas | None = None,
        release: Release | None = None,
    ) -> None:
        """`custom` are the CRDs' kinds by (group, version, plural); `schemas` their OpenAPI schemas by (group, version, kind)."""
        self.catalog = catalog
        self.schemas: Schemas = schemas or {}
        self._made: dict[tuple[str, str, str], Kind] = dict(custom)
        self.release = release or newest()
        self._types = self.release.types

    @property
    def served(self) -> Served:
        """What they are made of."""
        return Served(self.catalog, self.schemas, self._types)

    def at(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind a path; None if nothing is served there."""
        found = self._made.get((group, version, plural))
        if found is None:
            resource = self.catalog.at(group, version, plural)
            if resource is None or resource.custom:
                return None
            node = self._types.node(group, version, resource.kind)
            if node is None:
                return None
            found = self._made[group, version, plural] = Kind(
                resource,
                node,
                SELECTABLE_BY_GROUP.get(group),
                older=None if self.release.is_newest else self.release.number,
            )
        return found

    def named(self, qualified: str) -> Kind | None:
        """The kind named `plural.group`, in the group's preferred version that has it."""
        plural, _, group = qualified.partition(".")
        for version in self.catalog.versions(group) or ("v1",):
            found = self.at(group, version, plural)
            if found is not None:
                return found
        return None
