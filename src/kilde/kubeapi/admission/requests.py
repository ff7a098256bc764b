"""What policies and webhooks are told of a write."""

from kilde.core.basics.values import Object
from kilde.core.objects.unchanged import unmarked
from kilde.kubeapi.call import Call
from kilde.kubeapi.resources.policies import Request
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.world import World

# Sub-resources whose body is of a kind of its own: (group, version, kind).
_BODIES = {
    "scale": ("autoscaling", "v1", "Scale"),
    "binding": ("", "v1", "Binding"),
    "eviction": ("policy", "v1", "Eviction"),
}
_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


def request_of(world: World, call: Call, obj: Object | None, old: Object | None) -> Request:
    """The request to write `obj` (None: a DELETE) over `old` (None: a CREATE)."""
    namespace = world.store.get(Key("namespaces", "", call.namespace)) if call.namespace else None
    meta = (obj or old or {}).get("metadata") or {}
    operation = "DELETE" if obj is None else "CREATE" if old is None else "UPDATE"
    return Request(
        operation=operation,
        resource=call.kind.resource,
        name=call.name or str(meta.get("name") or ""),
        object=None if obj is None else unmarked(obj),
        old=old,
        namespace=namespace.object() if namespace else None,
        sub_resource=call.subresource,
        user=call.user.name,
        uid=call.user.uid,
        groups=call.user.groups,
        extra={key: list(values) for key, values in call.user.extra},
        options=_options(call, operation),
        dry_run=call.options.dry_run,
        kind=_BODIES.get(call.subresource),
    )


def _options(call: Call, operation: str) -> Object:
    chosen = call.options
    found: Object = {"kind": chosen.kind or _OPTIONS[operation], "apiVersion": "meta.k8s.io/v1"}
    if chosen.dry_run:
        found["dryRun"] = ["All"]
    if chosen.force:
        found["force"] = True
    if chosen.manager:
        found["fieldManager"] = chosen.manager
    if chosen.validation:
        found["fieldValidation"] = chosen.validation
    return found
