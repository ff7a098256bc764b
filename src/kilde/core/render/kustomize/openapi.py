"""How lists merge: Kubernetes' built-in types, or a schema that the kustomization brings."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.render.kustomize import schema_1_21
from kilde.core.render.kustomize.schema_scope import MORE_CLUSTER_SCOPED

BUILT_IN_VERSIONS = ("v1.21.2",)
_MAX_REFERENCES = 50
_GVK = "x-kubernetes-group-version-kind"


class TypeNode(Protocol):
    """The type of one value."""

    @property
    def merge_keys(self) -> tuple[str, ...] | None:
        """The keys by which a list merges (none: a set of scalars); None where a patch's list replaces."""
        ...

    def field(self, name: str) -> "TypeNode | None": ...

    def element(self) -> "TypeNode | None": ...


class Schema(Protocol):
    """The types of kinds."""

    def of_kind(self, api_version: str, kind: str) -> TypeNode | None: ...

    def of_comment(self, raw: Mapping[str, Any]) -> TypeNode:
        """The type that a comment states; it may refer to the definitions that are there."""
        ...


class _BuiltInNode:
    __slots__ = ("merge_keys", "type")

    def __init__(self, type_name: str, merge_keys: tuple[str, ...] | None) -> None:
        self.type, self.merge_keys = type_name, merge_keys

    def field(self, name: str) -> "TypeNode | None":
        return _types()[self.type].get(name) if self.type else None

    def element(self) -> "TypeNode | None":
        return _BuiltInNode(self.type, None) if self.type else None


class BuiltInSchema:
    """Kubernetes 1.21.2."""

    def of_kind(self, api_version: str, kind: str) -> TypeNode | None:
        name = _kinds().get(f"{api_version}/{kind}")
        return _BuiltInNode(name, None) if name else None

    def of_comment(self, raw: Mapping[str, Any]) -> TypeNode:
        return _stated(raw, {}, built_in=True)


@cache
def _types() -> dict[str, dict[str, _BuiltInNode]]:
    return {name: dict(map(_field, fields)) for name, fields in _rows(schema_1_21.TYPES)}


@cache
def _kinds() -> dict[str, str]:
    return {kind: name for name, kinds in _rows(schema_1_21.KINDS) for kind in kinds}


def _rows(text: str) -> list[tuple[str, list[str]]]:
    lines = text.strip("\n").replace("\n  ", " ").split("\n")
    return [(words[0], words[1:]) for words in map(str.split, lines)]


def _field(text: str) -> tuple[str, _BuiltInNode]:
    name, _, rest = text.partition(":")
    type_name, bracket, keys = rest.partition("[")
    merge = tuple(key for key in keys.removesuffix("]").split(",") if key) if bracket else None
    return name, _BuiltInNode(type_name, merge)


@cache
def _alike() -> dict[str, str]:
    return {other: name for name, others in _rows(schema_1_21.ALIKE) for other in others}


def _built_in(definition: str) -> TypeNode | None:
    """The built-in type with a name like `io.k8s.api.core.v1.PodSpec`."""
    name = definition.removeprefix("io.k8s.")
    for prefix in ("api.", "apimachinery.pkg.apis.", "apiextensions-apiserver.pkg.apis.", "kube-aggregator.pkg.apis."):
        name = name.removeprefix(prefix)
    name = _alike().get(name, name)
    return _BuiltInNode(name, None) if name in _types() else None


class _DocumentNode:
    __slots__ = ("built_in", "definitions", "schema")

    def __init__(self, schema: Mapping[str, Any], definitions: Mapping[str, Any], *, built_in: bool) -> None:
        self.schema, self.definitions, self.built_in = schema, definitions, built_in

    @property
    def merge_keys(self) -> tuple[str, ...] | None:
        strategy = self.schema.get("x-kubernetes-patch-strategy")
        if not isinstance(strategy, str) or "merge" not in strategy.split(","):
            return None
        keys = self.schema.get("x-kubernetes-list-map-keys")
        if isinstance(keys, list):
            return tuple(str(key) for key in keys)
        key = self.schema.get("x-kubernetes-patch-merge-key")
        return (str(key),) if key is not None else ()

    def field(self, name: str) -> "TypeNode | None":
        found = (self.schema.get("properties") or {}).get(name)
        if found is None:
            found = self.schema.get("additionalProperties")
        return self.refers_to(found)

    def element(self) -> "TypeNode | None":
        return self.refers_to(self.schema.get("items"))

    def refers_to(self, found: Any) -> "TypeNode | None":
        for _ in range(_MAX_REFERENCES):
            if not isinstance(found, Mapping):
                return None
            if not found.get("$ref"):
                return _DocumentNode(found, self.definitions, built_in=self.built_in)
            name = str(found["$ref"]).rpartition("/")[2]
            if name not in self.definitions and self.built_in:
                return _built_in(name)
            found = self.definitions.get(name)
        return None


def forget_scopes() -> None:
    """Forgets the kinds without a namespace that another build's document named."""
    MORE_CLUSTER_SCOPED.set(frozenset())


def _type_of(gvk: Mapping[str, Any]) -> tuple[str, str]:
    group, version = gvk.get("group") or "", gvk.get("version") or ""
    return f"{group}/{version}" if group else version, gvk.get("kind") or ""


def _cluster_scoped(document: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The kinds that can be got from no path with a namespace in it."""
    found: dict[tuple[str, str], bool] = {}
    paths = document.get("paths")
    for path, methods in (paths if isinstance(paths, dict) else {}).items():
        get = methods.get("get") if isinstance(methods, dict) else None
        gvk = get.get(_GVK) if isinstance(get, dict) else None
        if isinstance(gvk, dict):
            kind = _type_of(gvk)
            found[kind] = found.get(kind, False) or "namespaces/{namespace}" in str(path)
    return frozenset(kind for kind, namespaced in found.items() if not namespaced)


class DocumentSchema:
    """An OpenAPI v2 document: it takes the place of the built-in types, or goes before them (`built_in`)."""

    def __init__(self, document: Any, place: Place, *, built_in: bool) -> None:
        self._built_in = built_in
        definitions = (document.get("definitions") or {}) if isinstance(document, dict) else None
        if not isinstance(definitions, dict):
            raise RenderFailed("is no OpenAPI document: its definitions are no map", about="openapi", place=place)
        self._definitions = definitions
        self._kinds: dict[tuple[str, str], Mapping[str, Any]] = {}
        for schema in definitions.values():
            gvks = schema.get(_GVK) if isinstance(schema, dict) else None
            for gvk in gvks if isinstance(gvks, list) else []:
                if isinstance(gvk, dict):
                    self._kinds[_type_of(gvk)] = schema
        MORE_CLUSTER_SCOPED.set(MORE_CLUSTER_SCOPED.get() | _cluster_scoped(document))

    def of_kind(self, api_version: str, kind: str) -> TypeNode | None:
        found = self._kinds.get((api_version, kind))
        if found is not None:
            return _DocumentNode(found, self._definitions, built_in=self._built_in)
        return BuiltInSchema().of_kind(api_version, kind) if self._built_in else None

    def of_comment(self, raw: Mapping[str, Any]) -> TypeNode:
        return _stated(raw, self._definitions, built_in=self._built_in)


def _stated(raw: Mapping[str, Any], definitions: Mapping[str, Any], *, built_in: bool) -> TypeNode:
    nothing = _DocumentNode({}, definitions, built_in=built_in)
    return nothing.refers_to(raw) or nothing
