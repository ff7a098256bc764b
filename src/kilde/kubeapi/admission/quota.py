"""ResourceQuota: a namespace's new objects are charged to its quotas' status.used, or refused (plugin/pkg/admission/resourcequota)."""

from collections.abc import Iterator
from fractions import Fraction

from kilde.core.basics.values import Object
from kilde.core.objects import quantity
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.resources.quota_usage import Usage, in_scope, usage_of, written
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.verbs.admit import finished, owned
from kilde.kubeapi.world import World

_QUOTAS = "resourcequotas"
_ENFORCED = ("cpu", "memory")  # what each container has to ask for, once a quota limits it
_ZERO = Fraction(0)


def admit(world: World, call: Call, obj: Object, old: Object | None) -> None:
    """Charges what is new to every quota that concerns it; 403 if one would be exceeded, nothing is charged then."""
    if call.subresource or not call.kind.resource.namespaced:
        return
    quotas = list(world.store.all(_QUOTAS, call.namespace))
    if not quotas:
        return
    storage = call.kind.storage
    usage, before = usage_of(storage, obj), usage_of(storage, old) if old is not None else {}
    charged = {name: amount - before.get(name, _ZERO) for name, amount in usage.items()}
    due: list[tuple[Record, Object]] = []
    for record in quotas:
        quota = record.object()
        if storage == "pods" and not in_scope(quota.get("spec") or {}, obj):
            continue
        changed = _charge(call, quota, obj, charged, created=old is None)
        if changed is not None:
            due.append((record, changed))
    if not call.options.dry_run:
        for record, changed in due:
            world.store.put(record.key, _told(world, changed, record.object()))


def _told(world: World, changed: Object, old: Object) -> Object:
    """The quota with managedFields that say that the API server itself has charged it."""
    kind = world.kinds.named(_QUOTAS)
    if kind is None:
        raise LookupError(_QUOTAS)
    meta = changed["metadata"]
    call = Call(kind, meta["namespace"], meta["name"], "status", agent="kube-apiserver")
    return finished(owned(call, old, changed, world.now()))


def _charge(call: Call, quota: Object, obj: Object, charged: Usage, *, created: bool) -> Object | None:
    """The quota with its new usage; None if it is not concerned."""
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    about, name = call.kind.about(str(obj["metadata"].get("name") or "")), quota["metadata"]["name"]
    if created and call.kind.storage == "pods":
        missing = list(_unspecified(obj, hard))
        if missing:
            raise failures.forbidden(about, f"failed quota: {name}: must specify {'; '.join(missing)}")
    concerned = sorted(each for each in charged if each in hard and charged[each] > 0)
    over = [
        each
        for each in concerned
        if quantity.parse(used.get(each, "0")).value + charged[each] > quantity.parse(hard[each]).value
    ]
    if over:
        asked = ",".join(f"{each}={written(each, charged[each])}" for each in over)
        have = ",".join(f"{each}={used.get(each, '0')}" for each in over)
        limited = ",".join(f"{each}={hard[each]}" for each in over)
        raise failures.forbidden(about, f"exceeded quota: {name}, requested: {asked}, used: {have}, limited: {limited}")
    if not concerned:
        return None
    total = {each: written(each, quantity.parse(used.get(each, "0")).value + charged[each]) for each in concerned}
    return {**quota, "status": {**status, "used": {**used, **total}}}


def _unspecified(pod: Object, hard: Object) -> Iterator[str]:
    """`limits.memory for: a,b` for each compute resource of the quota that a container leaves open."""
    spec = pod.get("spec") or {}
    if spec.get("resources"):
        return  # the pod as a whole asks
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    for name in sorted(hard):
        field, _, resource = name.partition(".")
        if field in _ENFORCED:
            field, resource = "requests", field
        if field not in ("requests", "limits") or resource not in _ENFORCED:
            continue
        lacking = sorted(
            {
                str(each.get("name"))
                for each in containers
                if resource not in ((each.get("resources") or {}).get(field) or {})
            }
        )
        if lacking:
            yield f"{name} for: {','.join(lacking)}"
