"""CustomKind: one version of a CRD as a Kind; CustomKinds keeps the served ones in step with the CRDs that are stored."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from kilde.core.basics.values import Object, canonical
from kilde.core.objects.typed import go_decode
from kilde.core.objects.typed.field_set import FieldSet
from kilde.core.objects.typed.go_decode import Decoded
from kilde.core.objects.typed.ownership import Version as Ownership
from kilde.core.objects.typed.validation import check
from kilde.kubeapi.aside import Aside
from kilde.kubeapi.kinds import Kind, Kinds, ScalePaths
from kilde.kubeapi.logic import warnings
from kilde.kubeapi.logic.deletion import CRDS
from kilde.kubeapi.logic.metadata import ordered
from kilde.kubeapi.resources import custom
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.resources.custom import Definition, Version
from kilde.kubeapi.resources.openapi_schemas import SELECTABLE
from kilde.kubeapi.resources.patience import Patience
from kilde.kubeapi.resources.printers.column import Printer
from kilde.kubeapi.storage.records import Change, Record
from kilde.kubeapi.storage.records import record as record_of
from kilde.kubeapi.upkeep.definitions import Endings, register, told
from kilde.kubeapi.webhooks.clients import locator
from kilde.kubeapi.webhooks.conversion import Converter
from kilde.kubeapi.world import World

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_FIRST = b'{"apiVersion":'  # of what has its defaults; `kind` comes first where they are yet to come
_OMITTED = frozenset(("labels", "annotations", "finalizers", "ownerReferences"))  # where they are empty
_OBJECT = FieldSet.of(("f:status",))


class Shown(Record):
    """A record as one version shows it, which may not be the one that is kept."""

    __slots__ = ()


@dataclass(frozen=True)
class CustomKind(Kind):
    """A custom resource in one version. With a `converter` (strategy Webhook) what needs another version may raise Waits."""

    definition: Definition | None = None
    version: Version | None = None
    converter: Converter | None = None
    aside: Aside | None = field(default=None, compare=False)

    @property
    def _definition(self) -> Definition:
        assert self.definition is not None
        return self.definition

    @property
    def _version(self) -> Version:
        assert self.version is not None
        return self.version

    @property
    def storage(self) -> str:
        return self.resource.qualified

    @property
    def has_generation(self) -> bool:
        return True

    @property
    def warning(self) -> str:
        return self._version.deprecation

    def reset_fields(self, subresource: str) -> FieldSet:
        if subresource == "status":
            return FieldSet.of(("f:spec",), ("f:metadata",))
        return _OBJECT if self.has_status and not subresource else FieldSet()

    def decoded(self, obj: Object) -> Decoded:
        meta_node = self.node.child("metadata")
        if obj.get("metadata") is not None and not isinstance(obj["metadata"], dict):
            kind = (
                "array"
                if isinstance(obj["metadata"], list)
                else "string"
                if isinstance(obj["metadata"], str)
                else "bool"
                if isinstance(obj["metadata"], bool)
                else "number"
            )
            raise go_decode.WrongType(f"json: cannot unmarshal {kind} into Go value of type v1.ObjectMeta")
        unknown: list[str] = []
        if meta_node is not None and isinstance(obj.get("metadata"), dict):
            try:
                found = go_decode.decode(meta_node, obj["metadata"])
                in_order = len(found.unknown) < 2
            except go_decode.WrongType:
                in_order = False
            if not in_order:  # a real server tells faults in the order of names: it writes the map anew
                found = go_decode.decode(meta_node, _decode(canonical(obj["metadata"])))
            unknown += [f"metadata.{path}" for path in found.unknown]
            full = {key: value for key, value in found.object.items() if value or key not in _OMITTED}
            obj = {**obj, "metadata": full}
        kept, dropped = custom.pruned(obj, self._version.schema)
        return Decoded(kept, (*unknown, *sorted(dropped)))

    def defaulted(self, obj: Object, *, nulls: bool = False) -> Object:
        return custom.defaulted(obj, self._version.schema, nulls=nulls)

    @property
    def replicas_elsewhere(self) -> Mapping[str, tuple[str, ...] | None]:
        versions = self._definition.versions
        return {f"{self.resource.group}/{one.name}": _paths(one).spec if one.scale else None for one in versions}

    @property
    def converts(self) -> bool:
        return self.converter is not None

    def shown(self, records: Sequence[Record]) -> list[Record]:
        if self.converter is None:
            return list(records)
        made = {at: self._at_rest(one) for at, one in enumerate(records) if not self._same(one)}
        wanted = self.resource.api_version
        others = [at for at, obj in made.items() if obj.get("apiVersion") != wanted]
        converted = self.converter.converted([_encode(made[at]) for at in others], wanted)
        for at, raw in zip(others, converted, strict=True):
            made[at] = custom.pruned(_decode(raw), self._version.schema)[0]
        return [
            record_of(one.key, one.version, _encode(ordered(made[at])), Shown) if at in made else one
            for at, one in enumerate(records)
        ]

    def shows_as_kept(self, record: Record) -> bool:
        return self.converter is None and record.version > self.since and record.data.startswith(_FIRST)

    def uncompleted(self, obj: Object) -> Object:
        return obj if self.defaulted(obj) == obj else {"kind": obj["kind"], **obj}

    def written(self, record: Record, subresource: str = "") -> bytes:
        if self._same(record):
            return record.data
        return _encode(self.presented(record))

    def held(self, record: Record) -> Object:
        if self.converter is not None:
            return self.shown((record,))[0].object()
        if self._same(record):
            return record.object()
        found, wanted = self._at_rest(record), self.resource.api_version
        if found.get("apiVersion") == wanted:
            return found
        return custom.pruned({**found, "apiVersion": wanted}, self._version.schema)[0]

    def _at_rest(self, record: Record) -> Object:
        """The stored object, shaped by the version it is kept in."""
        found = record.object()
        kept = self._definition.version(str(found.get("apiVersion") or "").rpartition("/")[2])
        schema = kept.schema if kept else None
        return custom.defaulted(custom.pruned(found, schema)[0], schema)

    def _same(self, record: Record) -> bool:
        """Whether the bytes can be sent as they are: kept in this version, by this definition, with its defaults."""
        return type(record) is Shown or (
            record.version > self.since
            and record.data.startswith(b'{"apiVersion":"%b"' % self.resource.api_version.encode())
        )

    def converted(self, obj: Object, other: Kind) -> Object:
        return self._in_version(obj, other.resource.api_version)

    def _in_version(self, obj: Object, api_version: str) -> Object:
        if self.converter is None or obj.get("apiVersion") == api_version:
            return {**obj, "apiVersion": api_version}
        found: Object = _decode(self.converter.converted((_encode(obj),), api_version)[0])
        return found

    def elsewhere(self, api_version: str) -> Ownership | None:
        group, _, name = api_version.rpartition("/")
        found = self._definition.version(name) if group == self.resource.group else None
        if found is None or found is self.version or (self.converter is None and found.schema == self._version.schema):
            return None
        node = found.node

        def convert(obj: Object) -> Object:
            made = self._in_version(obj, api_version)
            check(node, made, duplicates=True)  # what the version does not know, nobody can own
            return made

        return Ownership(node, convert)

    def to_stored(self, obj: Object) -> Object:
        wanted = f"{self.resource.group}/{self.resource.stored_version}"
        if obj.get("apiVersion") == wanted:
            return obj
        kept = self._definition.version(self.resource.stored_version)
        schema = kept.schema if kept else None
        made = custom.pruned(self._in_version(obj, wanted), schema)[0]
        return (
            custom.defaulted(made, schema) if self.converts else made
        )  # as it will be read; others are read as they are kept

    def printer(self, subresource: str = "") -> Printer:
        return super().printer(subresource) if subresource == "scale" else self._version.printer

    def warnings_of(self, new: Object, old: Object | None) -> Iterator[str]:
        return warnings.of_custom(new, old)

    def problems_of_new(self, obj: Object) -> list[Cause]:
        return self._problems(obj, None, status=False)

    def problems_of_change(self, new: Object, old: Object, subresource: str) -> list[Cause]:
        return self._problems(new, old, status=subresource == "status")

    def _problems(self, obj: Object, old: Object | None, *, status: bool) -> list[Cause]:
        """What is wrong; rules that cost much are worked out aside. Waits."""

        def judged(patience: Patience) -> list[Cause]:
            return custom.validate(obj, self._definition, self._version, old, status=status, patience=patience)

        if self.aside is None:
            return judged(Patience())
        return self.aside.worked_out(lambda: canonical([obj, old, status]), judged)


def _paths(version: Version) -> ScalePaths:
    if version.scale is None:
        return ScalePaths()
    replicas, status, selector = version.scale.replicas, version.scale.status_replicas, version.scale.selector
    return ScalePaths(_steps(replicas), _steps(status), _steps(selector) if selector else ())


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix(".").split("."))


def _selectable(version: Version) -> Mapping[str, Callable[[Object], str]]:
    return {word: _reader(path) for word, path in version.selectable_paths.items()}


def _published(version: Version) -> Any:
    """The schema as OpenAPI tells it: with the fields that selectors may name."""
    fields = [{"fieldPath": path} for path in version.selectable_paths]
    return {**version.schema, SELECTABLE: fields} if fields and version.schema else version.schema


def _reader(path: Any) -> Callable[[Object], str]:
    def read(obj: Object) -> str:
        value = path.first(obj)
        return ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)

    return read


class _Parsed(NamedTuple):
    """A definition, the resourceVersions since when it has held and its kinds are served, and who converts its objects (None: they
    are all of one shape)."""

    definition: Definition
    since: int
    begun: int
    converter: Converter | None


class CustomKinds:
    """Watches the CRDs: accepts their names, serves what is Established, and clears away what a deleted one leaves."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._definitions: dict[str, tuple[bytes, _Parsed]] = {}
        self._stop = world.store.listen(CRDS, self._changed)
        self._waiting = False
        self._endings = Endings(world)
        self._awaited: dict[str, Callable[[], None]] = {}
        self.refresh()

    def stop(self) -> None:
        """Looks no more."""
        self._stop()
        for stop in self._awaited.values():
            stop()

    def _changed(self, change: Change) -> None:
        """Acts after the write that is being told: it must come first in every watch."""
        if not self._waiting:
            self._waiting = True
            asyncio.get_running_loop().call_soon(self.refresh)

    def refresh(self) -> None:
        """Brings names, kinds and content up to the stored CRDs."""
        self._waiting = False
        self._name()
        self._serve()
        register(self._world)
        self._clear()

    def _name(self) -> None:
        records = list(self._world.store.all(CRDS))
        crds = [record.object() for record in records]
        for record, crd in zip(records, crds, strict=True):
            status = custom.named_status(crd, crds, self._world.now())
            if status != crd.get("status"):
                self._world.store.put(record.key, told({**crd, "status": status}, crd, self._world))

    def _serve(self) -> None:
        stored = [(record, record.object()) for record in self._world.store.all(CRDS)]
        served = [(record, crd) for record, crd in stored if custom.is_served(crd)]
        for name in self._definitions.keys() - {record.key.name for record, _ in served}:
            del self._definitions[name]  # one that is made anew begins anew
        parsed = [self._definition(record, crd) for record, crd in served]
        kinds: dict[tuple[str, str, str], Kind] = {}
        schemas: dict[tuple[str, str, str], Any] = {}
        resources = []
        for definition, since, begun, converter in parsed:
            for resource in definition.resources:
                version = definition.version(resource.version)
                if version is None:
                    continue
                resources.append(resource)
                schemas[resource.group, resource.version, resource.kind] = _published(version)
                kinds[resource.group, resource.version, resource.plural] = CustomKind(
                    resource,
                    version.node,
                    _selectable(version),
                    _paths(version),
                    since,
                    definition,
                    version,
                    converter,
                    aside=Aside(),
                    begun=begun,
                )
        release = self._world.release
        self._world.kinds = Kinds(Catalog(resources, release.resources), kinds, schemas, release)

    def _clear(self) -> None:
        """What is being deleted goes, and looks again when one of its last objects is gone."""
        for left in self._endings.attend():
            self._await(left)

    def _await(self, resource: str) -> None:
        """Looks again when one of these objects is gone."""
        if resource in self._awaited:
            return

        def gone(change: Change) -> None:
            if change.after is None:
                self._changed(change)

        self._awaited[resource] = self._world.store.listen(resource, gone)

    def _definition(self, record: Record, crd: Object) -> _Parsed:
        """The parsed definition, kept for as long as the spec is the same."""
        spec = _encode(crd["spec"])
        found = self._definitions.get(record.key.name)
        if found is None or found[0] != spec:
            made = Definition.of(crd)
            since, begun = (record.version, found[1].begun) if found else (0, self._world.store.version)
            parsed = _Parsed(made, since, begun, self._converter(made, crd["spec"]))
            found = self._definitions[record.key.name] = (spec, parsed)
        return found[1]

    def _converter(self, definition: Definition, spec: Object) -> Converter | None:
        conversion = spec.get("conversion") or {}
        if conversion.get("strategy") != "Webhook":
            return None
        versions = frozenset(f"{definition.group}/{one.name}" for one in definition.versions)
        return Converter(conversion.get("webhook") or {}, versions, locator(self._world.store))
