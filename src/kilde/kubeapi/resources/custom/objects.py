"""What a custom resource must satisfy as a whole: its kind, metadata, values, scale paths."""

from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import NO_FIELD, Cause, invalid
from kilde.kubeapi.resources.custom.broken import broken_rules
from kilde.kubeapi.resources.custom.definition import Definition, Version
from kilde.kubeapi.resources.custom.embedded import check_embedded
from kilde.kubeapi.resources.custom.values import check, type_name
from kilde.kubeapi.resources.jsonpath import compiled
from kilde.kubeapi.resources.patience import Patience
from kilde.kubeapi.resources.validation.metadata import check_common, check_metadata, check_metadata_update

_UNCHECKED = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
_LARGEST_REPLICAS = 2**31 - 1
_MISSING = object()


def validate(
    obj: Object,
    definition: Definition,
    version: Version,
    old: Object | None = None,
    *,
    status: bool = False,
    patience: Patience | None = None,
) -> list[Cause]:
    """What is wrong with a custom resource that is created, or updated from `old` (both in this version, pruned and defaulted).

    `status`: only its status was written to. TooLong where its rules cost more than there is `patience`.
    """
    causes = list(_status_causes(obj, version, old or {}) if status else _causes(obj, definition, version, old))
    if version.schema is None or not version.has_rules:
        return causes
    if any(cause.blocks_rules for cause in causes):
        return [*causes, Cause(NO_FIELD, "FieldValueInvalid", f"Invalid value: null: {_UNCHECKED}")]
    return [*causes, *broken_rules(_body(obj), version.schema, None if old is None else _body(old), patience)]


def _status_causes(obj: Object, version: Version, old: Object) -> Iterator[Cause]:
    """The status alone is judged, and named as if it were the whole; what else there is was right once."""
    yield from check_metadata_update(obj.get("metadata") or {}, old.get("metadata") or {}, namespaced=True)
    schema = ((version.schema or {}).get("properties") or {}).get("status")
    if schema is not None and "status" in obj:
        before = [old["status"]] if "status" in old else []
        yield from check(obj["status"], schema, "status", *before, root="status")
    if version.scale is not None:
        yield from _scale_value(obj, version.scale.status_replicas)
        yield from _scale_selector(obj, version.scale.selector)


def _causes(obj: Object, definition: Definition, version: Version, old: Object | None) -> Iterator[Cause]:
    if obj.get("kind") != definition.kind:
        yield invalid("kind", obj.get("kind", ""), f"must be {definition.kind}")
    if obj.get("apiVersion") != f"{definition.group}/{version.name}":
        yield invalid("apiVersion", obj.get("apiVersion", ""), f"must be {definition.group}/{version.name}")
    metadata = obj.get("metadata") or {}
    if old is None:
        yield from check_metadata(metadata, namespaced=definition.namespaced)
    else:
        # A real server judges metadata three times on update, and names each cause as often.
        yield from check_common(metadata)
        for _ in range(2):
            yield from check_metadata_update(metadata, old.get("metadata") or {}, namespaced=definition.namespaced)
    if version.schema is not None:
        yield from (
            check(_body(obj), version.schema) if old is None else check(_body(obj), version.schema, "", _body(old))
        )
    yield from _scale(obj, version)
    if version.schema is not None:
        yield from check_embedded(obj, version.schema, "")


def _body(obj: Object) -> Object:
    """The object as its schema describes it; metadata is checked apart, of it the schema may restrict the name."""
    metadata = obj.get("metadata") or {}
    named = {key: metadata[key] for key in ("name", "generateName") if metadata.get(key)}
    return {**obj, "metadata": named}


def _scale(obj: Object, version: Version) -> Iterator[Cause]:
    """The values a Scale is made of must be of their types, and replicas not negative."""
    if version.scale is None:
        return
    for path in (version.scale.replicas, version.scale.status_replicas):
        yield from _scale_value(obj, path)
    yield from _scale_selector(obj, version.scale.selector)


def _scale_value(obj: Object, path: str) -> Iterator[Cause]:
    reached, holder = _holder(obj, path)
    if holder is not None and not isinstance(holder, dict):
        told = f"{_go(holder)} is of the type {_go_type(holder)}, expected map[string]interface{{}}"
        yield invalid(path, 0, f"{reached} accessor error: {told}")
        return
    value = compiled(path).first(obj, _MISSING)
    if value is _MISSING:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        yield invalid(path, 0, f"{path} accessor error: {_go(value)} is of the type {_go_type(value)}, expected int64")
    elif value < 0:
        yield invalid(path, value, "should be a non-negative integer")
    elif value > _LARGEST_REPLICAS:
        yield invalid(path, value, f"should be less than or equal to {_LARGEST_REPLICAS}")


def _scale_selector(obj: Object, selector: str) -> Iterator[Cause]:
    value = compiled(selector).first(obj, _MISSING) if selector else _MISSING
    if value is not _MISSING and not isinstance(value, str):
        yield invalid(
            selector, "", f"{selector} accessor error: {_go(value)} is of the type {_go_type(value)}, expected string"
        )


def _holder(obj: Object, path: str) -> tuple[str, Json]:
    """(the path up to the field that cannot be reached, what stands in its place); the last map of the path where it can."""
    found: Json = obj
    steps = path.removeprefix(".").split(".")
    for index, step in enumerate(steps):
        if not isinstance(found, dict):
            return "." + ".".join(steps[: index + 1]), found
        if index < len(steps) - 1:
            found = found.get(step)
    return path, found


def _go(value: Json) -> str:
    """A value as Go's %v prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{' '.join(_go(one) for one in value)}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go(value[key])}' for key in sorted(value))}]"
    return str(value)


def _go_type(value: Json) -> str:
    if value is None:
        return "<nil>"
    names = {
        "array": "[]interface {}",
        "object": "map[string]interface {}",
        "boolean": "bool",
        "integer": "int64",
        "number": "float64",
    }
    return names.get(type_name(value), "string")
