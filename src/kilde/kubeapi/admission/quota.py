"""ResourceQuota: a namespace's new objects are charged to its quotas' status.used, or refused (plugin/pkg/admission/resourcequota)."""

from collections.abc import Iterator
from fractions import Fraction

from kilde.core.basics.values import Object
from kilde.core.objects import quantity
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.resources.quota_names import COMPUTE, COUNTED_OBJECTS
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.world import World

_QUOTAS = "resourcequotas"
_STORAGE = "requests.storage"
_BY_CLASS = ".storageclass.storage.k8s.io/"
_ZERO = Fraction(0)
_Usage = dict[str, Fraction]


def admit(world: World, call: Call, obj: Object, old: Object | None) -> None:
    """Charges what is new to every quota that concerns it; 403 if one would be exceeded, nothing is charged then."""
    if call.subresource or not call.kind.resource.namespaced or call.kind.storage == _QUOTAS:
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
            world.store.put(record.key, changed)


def _charge(call: Call, quota: Object, obj: Object, charged: _Usage, *, created: bool) -> Object | None:
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
        asked = ",".join(f"{each}={_written(each, charged[each])}" for each in over)
        have = ",".join(f"{each}={used.get(each, '0')}" for each in over)
        limited = ",".join(f"{each}={hard[each]}" for each in over)
        raise failures.forbidden(about, f"exceeded quota: {name}, requested: {asked}, used: {have}, limited: {limited}")
    if not concerned:
        return None
    total = {each: _written(each, quantity.parse(used.get(each, "0")).value + charged[each]) for each in concerned}
    return {**quota, "status": {**status, "used": {**used, **total}}}


def _unspecified(pod: Object, hard: Object) -> Iterator[str]:
    """`limits.memory for: a,b` for each compute resource of the quota that a container leaves open."""
    spec = pod.get("spec") or {}
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    for name in sorted(hard):
        field, _, resource = name.partition(".")
        if field in COMPUTE:
            field, resource = "requests", field
        if field not in ("requests", "limits") or resource not in COMPUTE:
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


def usage_of(storage: str, obj: Object) -> _Usage:
    """What one object uses of each name a quota may limit."""
    plural, _, group = storage.partition(".")
    found = {f"count/{storage}": Fraction(1)}
    if not group and plural in COUNTED_OBJECTS:
        found[plural] = Fraction(1)
    if storage == "pods":
        return found | _pod(obj) if not _ended(obj) else {}
    if storage == "services":
        return found | _service(obj.get("spec") or {})
    if storage == "persistentvolumeclaims":
        return found | _claim(obj.get("spec") or {})
    return found


def _ended(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _pod(pod: Object) -> _Usage:
    spec = pod.get("spec") or {}
    found: _Usage = {}
    for field in ("requests", "limits"):
        running = _sums(spec.get("containers") or [], field)
        for container in spec.get("initContainers") or []:
            for name, amount in _sums([container], field).items():
                running[name] = max(running.get(name, _ZERO), amount)
        for name, amount in running.items():
            found[f"{field}.{name}"] = amount
            if field == "requests" and name in COMPUTE:
                found[name] = amount
    return found


def _sums(containers: list[Object], field: str) -> _Usage:
    found: _Usage = {}
    for container in containers:
        for name, amount in ((container.get("resources") or {}).get(field) or {}).items():
            found[name] = found.get(name, _ZERO) + quantity.parse(amount).value
    return found


def _service(spec: Object) -> _Usage:
    ports = Fraction(len(spec.get("ports") or ()))
    if spec.get("type") == "NodePort":
        return {"services.nodeports": ports}
    if spec.get("type") == "LoadBalancer":
        given = spec.get("allocateLoadBalancerNodePorts") is not False
        return {"services.loadbalancers": Fraction(1), "services.nodeports": ports if given else _ZERO}
    return {}


def _claim(spec: Object) -> _Usage:
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    amount = quantity.parse(asked).value if asked is not None else _ZERO
    found = {_STORAGE: amount}
    if spec.get("storageClassName"):
        of_class = f"{spec['storageClassName']}{_BY_CLASS}"
        found |= {f"{of_class}{_STORAGE}": amount, f"{of_class}persistentvolumeclaims": Fraction(1)}
    return found


def in_scope(spec: Object, pod: Object) -> bool:
    """Whether a quota's scopes take in a pod."""
    rules = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    rules += (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    return all(_meets(rule, pod) for rule in rules)


def _meets(rule: Object, pod: Object) -> bool:
    name, spec = rule.get("scopeName"), pod.get("spec") or {}
    best_effort = (pod.get("status") or {}).get("qosClass") == "BestEffort"
    terminating = spec.get("activeDeadlineSeconds") is not None
    plain = {
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "Terminating": terminating,
        "NotTerminating": not terminating,
    }
    if name in plain:
        return plain[str(name)]
    if name != "PriorityClass":
        return True
    own, values = spec.get("priorityClassName") or "", rule.get("values") or ()
    operator = rule.get("operator")
    if operator in ("In", "NotIn"):
        listed: bool = own in values
        return listed is bool(operator == "In")
    return bool(own) == (operator == "Exists")


def _written(name: str, amount: Fraction) -> str:
    """An amount as a quota's status prints it: memory and storage in powers of 1024."""
    return quantity.of(amount, "binary" if "memory" in name or "storage" in name else "decimal")
