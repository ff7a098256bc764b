"""apply: server-side apply, which creates what is not there."""

import re
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed.errors import ApplyConflict, BadApply
from kilde.core.objects.typed.go_decode import WrongType
from kilde.core.objects.typed.managed_fields import apply
from kilde.core.objects.typed.validation import printed
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import decode, failures, negotiate
from kilde.kubeapi.logic.metadata import check_name
from kilde.kubeapi.resources.reading import is_rewritten
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.verbs.admit import check_namespace, check_new_content, complain
from kilde.kubeapi.verbs.create import create_as
from kilde.kubeapi.verbs.update import may_create, replace
from kilde.kubeapi.world import World

_MAY_BE_WHOLE = re.compile(rb"\d\.0|\d[eE]|\d\.[\s,}\]]")
_WRITTEN_OUT = 1e21  # from here on Go writes numbers with an exponent


def read_apply(call: Call, raw: bytes) -> Object:
    """The configuration of an apply body, which is YAML; 400 if it is none."""
    try:
        body = _json_or_yaml(raw)
    except decode.Unreadable as error:
        what = error.what.removeprefix("yaml: ")
        raise failures.bad_request(f"error decoding YAML: error converting YAML to JSON: yaml: {what}") from error
    config = {} if body.value is None else body.value
    if not isinstance(config, dict):
        what = f"json: cannot unmarshal {_json_type(config)} into Go value of type map[string]interface {{}}"
        raise failures.bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {what}")
    complain(call, "error strict decoding YAML", body.duplicates)
    return _whole(config) if _MAY_BE_WHOLE.search(raw) else config


def _whole(value: Any) -> Any:
    """Numbers as they are after a real server has gone from YAML to JSON: 1.0 is 1."""
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _WRITTEN_OUT else value


def _json_type(value: Json) -> str:
    kinds = ((bool, "bool"), (str, "string"), (list, "array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "number")


def _json_or_yaml(raw: bytes) -> decode.Body:
    """JSON is YAML too, and read much faster."""
    if raw[:1] == b"{":
        try:
            return decode.read(raw, negotiate.JSON)
        except decode.Unreadable:
            pass
    return decode.read(raw, negotiate.YAML)


def applied(world: World, call: Call, config: Object) -> tuple[Record, bool]:
    """Server-side applies a configuration: (what is stored now, whether it was created)."""
    kind = call.kind
    resource = kind.resource
    if config.get("apiVersion") != resource.api_version or config.get("kind") != resource.kind:
        group, _, version = str(config.get("apiVersion") or "").rpartition("/")
        raise failures.bad_request(f"invalid object type: {group}/{version}, Kind={config.get('kind') or ''}")
    _check_metadata(call, config.get("metadata"))
    check_namespace(world, call)
    existing = world.find(kind, call.namespace, call.name)
    live = kind.held(existing) if existing else None
    if existing is None and call.subresource and not may_create(call, applied=True):
        raise failures.not_found(kind.about(call.name))
    made, changed = ownership(call, live, config, call.memory.once("now", world.now))
    named = {**made, "metadata": dict(made.get("metadata") or {})}
    rests = existing is not None and not changed and not is_rewritten(kind.storage, existing.data)
    put_back = _put_back(call, config) if existing else {}
    if put_back:
        _converted(call, None, {**named, **put_back}, config)
    if not rests:
        named = _converted(call, live, named, config)
    if not changed:  # what the configuration does not say of its name and place is as it is
        said = {key: value for key, value in (config.get("metadata") or {}).items() if value is not None}
        named["metadata"] |= {key: said[key] for key in ("name", "namespace") if key in said}
    check_name(named, call.name, call.namespace, namespaced=resource.namespaced)
    if rests and existing is not None:
        for text in kind.warnings_of(named, live) if not call.subresource else ():
            call.warn(text)
        return existing, False
    return _written(world, call, existing, named)


def _check_metadata(call: Call, said: Json) -> None:
    """500, as the typed merge says it, where metadata is no map: nothing of it can be read before."""
    if said is None or isinstance(said, dict):
        return
    found = f".metadata: expected map, got &{{{printed(said)}}}"
    raise failures.unexplained(f"failed to create typed patch object (/; {_go_kind(call)}): {found}")


def _go_kind(call: Call) -> str:
    resource = call.kind.resource
    version = resource.api_version if resource.group else f"/{resource.version}"
    return f"{version}, Kind={resource.kind}"


def ownership(call: Call, live: Object | None, config: Object, now: str) -> tuple[Object, bool]:
    """The live object with the configuration merged in, and whether anything changed."""
    kind = call.kind
    try:
        made = apply(
            live,
            config,
            node=kind.node,
            manager=call.manager,
            force=call.options.force,
            api_version=kind.resource.api_version,
            subresource=call.subresource,
            now=now,
            reset_fields=kind.reset_fields(call.subresource),
            versions=kind.elsewhere,
        )
    except ApplyConflict as error:
        raise ApiError(409, "Conflict", error.what, {"causes": list(error.causes)}) from error
    except BadApply as error:
        raise failures.bad_request(error.what) from error
    except InvalidInput as error:
        raise failures.unexplained(error.what) from error
    return made.object, made.changed


def _converted(call: Call, live: Object | None, made: Object, config: Object) -> Object:
    """The merged object by the types of its kind; 500 where it has none of them. The message names the configuration."""
    kind = call.kind
    if live is not None:
        kind.mark_unchanged(made, live)
    try:
        found = dict(kind.decoded(made).object)
    except WrongType as error:
        said, what = config.get("metadata") or {}, _go_kind(call)
        head = f"failed to convert new object ({said.get('namespace') or ''}/{said.get('name') or ''}; {what}) to proper version"
        raise failures.unexplained(
            f"{head}: unable to convert unstructured object to {what}: {error.restored}"
        ) from error
    return {**found, "metadata": dict(found["metadata"])}


def _put_back(call: Call, config: Object) -> Object:
    """What of a configuration this endpoint cannot change: it is read as well, before the object's own is put back."""
    if call.kind.resource.custom:
        return {}
    fields = (key.removeprefix("f:") for key in call.kind.reset_fields(call.subresource).trie)
    return {key: config[key] for key in fields if key != "metadata" and config.get(key) is not None}


def _written(world: World, call: Call, existing: Record | None, made: Object) -> tuple[Record, bool]:
    kind = call.kind
    if existing is not None:
        return replace(world, call, existing, made, own=False, exact=False), False
    if made["metadata"].get("uid"):
        what = f"the provided object specified uid {made['metadata']['uid']}, and no existing object was found"
        raise failures.conflict(kind.about(call.name), f"uid mismatch: {what}")
    made["metadata"].pop("resourceVersion", None)
    check_new_content(world, call, call.name)
    return create_as(world, call, made, own=False), True
