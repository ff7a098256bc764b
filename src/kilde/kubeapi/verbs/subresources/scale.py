"""scale: how many replicas, of any kind that says where it keeps that number."""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.selector import label_selector
from kilde.core.objects.typed import managers, schema
from kilde.core.objects.typed.errors import ApplyConflict, BadApply
from kilde.core.objects.typed.managed_fields import apply
from kilde.core.objects.typed.managed_fields import update as with_ownership
from kilde.core.objects.typed.scale import parent_entries, scale_entries
from kilde.kubeapi.admission import policies, webhooks
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic import failures, negotiate
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.logic.metadata import check_name
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.verbs.admit import check_namespace
from kilde.kubeapi.verbs.apply import read_apply
from kilde.kubeapi.verbs.patch import as_told, change_document, read_patch, unfit
from kilde.kubeapi.verbs.subresources.handler import Handler
from kilde.kubeapi.verbs.update import replace
from kilde.kubeapi.world import World

_API_VERSION = "autoscaling/v1"


class Scale(Handler):
    """Reads and writes `.spec.replicas`, or what a CRD names instead."""

    def get(self, world: World, call: Call) -> Object:
        parent, path = call.kind.presented(_existing(world, call)), call.kind.scale_paths.spec
        if call.kind.resource.custom and _get(parent, path) is None:
            raise failures.internal(f'the spec replicas field ".{".".join(path)}" does not exist')
        return without_owners(scale_of(call.kind, parent))

    def put(self, world: World, call: Call, body: Object) -> Object:
        check_name(body, call.name, call.namespace, namespaced=True)
        if not call.namespace:
            raise failures.no_namespace()
        wrong = _wrong_type(_get(body, ("spec", "replicas")))
        if wrong:
            raise _undecodable(call, wrong)
        existing = _existing(world, call)
        return self._store(world, call, existing, body, apply_config=None)

    def patch(self, world: World, call: Call, media: str, raw: bytes) -> Object:
        check_namespace(world, call)
        existing = _existing(world, call)
        if media == negotiate.APPLY:
            return self._store(world, call, existing, {}, apply_config=read_apply(call, raw))
        wanted, old = read_patch(media, raw), scale_of(call.kind, call.kind.presented(existing))
        body = change_document(call, media, wanted, old, _node())
        wrong = _wrong_type(_get(body, ("spec", "replicas")))
        if wrong:
            raise unfit(as_told(call, media, wanted, old, _node()), wrong)
        check_name(body, call.name, call.namespace, namespaced=True)
        return self._store(world, call, existing, body, apply_config=None)

    def _store(
        self, world: World, call: Call, existing: Record, body: Object, *, apply_config: Object | None
    ) -> Object:
        """Puts the number into the parent, whose managedFields tell who scaled it."""
        kind, parent = call.kind, call.kind.presented(existing)
        old = scale_of(kind, parent)
        if apply_config is not None:
            new = _applied(world, call, old, apply_config)
            if kind.resource.custom:
                _check_applied(old, new, apply_config)
        else:
            body = _as_go({**body, "apiVersion": _API_VERSION, "kind": "Scale"})
            new = with_ownership(
                old,
                body,
                node=_node(),
                manager=call.manager,
                api_version=_API_VERSION,
                subresource="scale",
                now=call.memory.once("now", world.now),
            ).object
        replicas = (new.get("spec") or {}).get("replicas") or 0
        _check(call, replicas)
        new = _admitted(world, call, new, old)
        replicas = (new.get("spec") or {}).get("replicas") or 0
        path = kind.scale_paths.spec
        made = parent
        _put(made, path, int(replicas))
        meta = made["metadata"]
        entries = parent_entries(
            meta.get("managedFields"),
            new["metadata"].get("managedFields"),
            api_version=kind.resource.api_version,
            path=field_path(path),
            others=_others(kind),
        )
        meta["managedFields"] = entries if kind.resource.custom else managers.after_scale(entries)
        meta["resourceVersion"] = new["metadata"].get("resourceVersion") or meta["resourceVersion"]
        if new["metadata"].get("uid"):
            meta["uid"] = new["metadata"]["uid"]
        stored = replace(world, call, existing, made, own=False)
        if not kind.converts:
            return without_owners(scale_of(kind, stored.object()))
        return without_owners(
            scale_of(kind, {**made, "metadata": stored.object()["metadata"]})
        )  # what is written must not wait


def _admitted(world: World, call: Call, new: Object, old: Object) -> Object:
    """The Scale after policies and webhooks have seen it: with its managedFields, if it is a custom resource's."""
    owners = {key: new["metadata"][key] for key in ("managedFields",) if key in new["metadata"]}
    shown = {**old, "metadata": {**without_owners(old)["metadata"], **owners}, "spec": new.get("spec") or {}}
    if not call.kind.resource.custom:
        shown, old = without_owners(shown), without_owners(old)
    made = webhooks.mutate(world, call, shown, old) or shown
    policies.judge(world, call, made, old)
    webhooks.judge(world, call, made, old)
    return {**new, "spec": made.get("spec") or {}}


def unnamed_scale() -> ApiError:
    """400 for a Scale of a custom resource that does not decode, whatever is wrong with it: their servers have no name for its type."""
    return failures.bad_request('no kind is registered for the type v1.Scale in scheme "pkg/runtime/scheme.go:111"')


def _undecodable(call: Call, wrong: str) -> ApiError:
    """400 for a Scale that does not decode."""
    if call.kind.resource.custom:
        return unnamed_scale()
    return failures.bad_request(f'Scale in version "v1" cannot be handled as a Scale: {wrong}')


def _as_go(scale: Object) -> Object:
    """Go does not write a number of 0: who scales to none owns nothing."""
    spec = scale.get("spec")
    if not isinstance(spec, dict) or isinstance(spec.get("replicas"), bool) or spec.get("replicas"):
        return scale
    return {**scale, "spec": {key: value for key, value in spec.items() if key != "replicas"}}


def _existing(world: World, call: Call) -> Record:
    found = world.find(call.kind, call.namespace, call.name)
    if found is None:
        raise failures.not_found(call.kind.about(call.name))
    return found


def _applied(world: World, call: Call, old: Object, config: Object) -> Object:
    if config.get("apiVersion") != _API_VERSION or config.get("kind") != "Scale":
        group, _, version = str(config.get("apiVersion") or "").rpartition("/")
        raise failures.bad_request(f"invalid object type: {group}/{version}, Kind={config.get('kind') or ''}")
    try:
        return apply(
            old,
            config,
            node=_node(),
            manager=call.manager,
            force=call.options.force,
            api_version=_API_VERSION,
            subresource="scale",
            now=call.memory.once("now", world.now),
        ).object
    except ApplyConflict as error:
        raise ApiError(409, "Conflict", error.what, {"causes": list(error.causes)}) from error
    except BadApply as error:
        raise failures.bad_request(error.what) from error
    except InvalidInput as error:
        raise failures.unexplained(error.what) from error


def _check_applied(old: Object, new: Object, config: Object) -> None:
    """A real server cannot write a custom resource's scale that is applied: it looks for autoscaling/v1 among the resource's versions.

    It gets that far only if the number would change, or if nobody owned it.
    """
    why = "to proper version: request to convert CR to an invalid group/version: autoscaling/v1"
    if not old["metadata"].get("managedFields"):
        what = f"failed to convert live object (/; {_API_VERSION}, Kind=Scale) {why}"
        raise failures.unexplained(f"failed to create manager for existing fields: {what}")
    if (new.get("spec") or {}).get("replicas") != (old.get("spec") or {}).get("replicas"):
        meta = config.get("metadata") or {}
        about = f"{meta.get('namespace') or ''}/{meta.get('name') or ''}"
        raise failures.unexplained(f"failed to convert new object ({about}; {_API_VERSION}, Kind=Scale) {why}")


def _wrong_type(replicas: Json) -> str:
    """What Go's decoder says of a number of replicas that is none."""
    if replicas is None or (isinstance(replicas, int) and not isinstance(replicas, bool)):
        return ""
    kinds = {str: "string", float: f"number {replicas}", bool: "bool", list: "array", dict: "object"}
    kind = kinds[type(replicas)]
    return f"json: cannot unmarshal {kind} into Go struct field ScaleSpec.spec.replicas of type int32"


def _check(call: Call, replicas: Json) -> None:
    wrong = _wrong_type(replicas)
    if wrong or not isinstance(replicas, int):
        raise _undecodable(call, wrong)
    if replicas < 0 and not call.kind.resource.custom:  # of a custom resource the schema and the whole object tell
        cause = failures.cause(
            "FieldValueInvalid", f"Invalid value: {replicas}: must be greater than or equal to 0", "spec.replicas"
        )
        raise failures.invalid(Named("autoscaling", "Scale", call.name), [cause])


def scale_of(kind: Kind, parent: Object) -> Object:
    """The Scale object of a parent; its managedFields are the parent's as they concern the scale."""
    meta = parent["metadata"]
    paths = kind.scale_paths
    kept = {
        key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp") if key in meta
    }
    entries = scale_entries(meta.get("managedFields"), field_path(paths.spec), _others(kind))
    if entries:
        kept["managedFields"] = entries
    replicas = _get(parent, paths.spec)
    spec = {"replicas": replicas} if replicas else {}
    status: Object = {"replicas": _get(parent, paths.status) or 0}
    selector = _selector(_get(parent, paths.selector)) if paths.selector else ""
    if selector:
        status["selector"] = selector
    return {"kind": "Scale", "apiVersion": _API_VERSION, "metadata": kept, "spec": spec, "status": status}


def without_owners(scale: Object) -> Object:
    """The Scale as it is answered."""
    return {**scale, "metadata": {key: value for key, value in scale["metadata"].items() if key != "managedFields"}}


def _others(kind: Kind) -> Mapping[str, tuple[str, ...] | None]:
    return {version: path and field_path(path) for version, path in kind.replicas_elsewhere.items()}


def field_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """A path as managedFields write it."""
    return tuple(f"f:{step}" for step in path)


def _selector(value: Any) -> str:
    """A selector as one string; matchLabels first, as Go prints it, sorted."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return ""
    if (
        "matchLabels" not in value
        and "matchExpressions" not in value
        and all(isinstance(item, str) for item in value.values())
    ):
        value = {"matchLabels": value}
    return ",".join(_term(term.key, term.operator, term.values) for term in label_selector(value).requirements)


def _term(key: str, operator: str, values: tuple[str, ...]) -> str:
    if operator == "exists":
        return key
    if operator == "absent":
        return f"!{key}"
    if operator == "in" and len(values) == 1:
        return f"{key}={values[0]}"
    return f"{key} {operator} ({','.join(values)})"


def _get(obj: Object, path: tuple[str, ...]) -> Any:
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _put(obj: Object, path: tuple[str, ...], value: Json) -> None:
    for step in path[:-1]:
        obj = obj.setdefault(step, {})
    obj[path[-1]] = value


def _node() -> Any:
    return schema.builtin().node("autoscaling", "v1", "Scale")
