"""ResourceQuotas: what a namespace uses of what it may (upstream: controller/resourcequota)."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.quantity import of
from kilde.kubeapi.controllers.metadata import deleting, name_of, namespace_of, with_status
from kilde.kubeapi.controllers.placing import amount
from kilde.kubeapi.controllers.pods import TERMINAL, phase, spec_of
from kilde.kubeapi.controllers.selecting import requires
from kilde.kubeapi.controllers.steps import NOTHING, Controller, Key, Moment, Step, Trigger, Update, View, itself
from kilde.kubeapi.resources.quota_names import COUNTED_OBJECTS

RESOURCE = "resourcequotas"
_COUNTED = (
    *COUNTED_OBJECTS,
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "jobs.batch",
    "cronjobs.batch",
)


def controller() -> Controller:
    """The quota controller, woken by whatever a quota counts."""
    triggers: dict[str, Trigger] = dict.fromkeys(_COUNTED, _of_namespace)
    return Controller("resourcequota-controller", _reduce, {**triggers, RESOURCE: itself})


def _of_namespace(obj: Object, view: View) -> list[Key]:
    return [Key(namespace_of(quota), name_of(quota)) for quota in view.every(RESOURCE, namespace_of(obj))]


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    quota = view.get(RESOURCE, *key)
    if quota is None or deleting(quota):
        return NOTHING
    hard: dict[str, Any] = (quota.get("spec") or {}).get("hard") or {}
    pods = [
        pod for pod in view.every("pods", key.namespace) if phase(pod) not in TERMINAL and _in_scope(quota["spec"], pod)
    ]
    used = {name: of(_used(name, key.namespace, pods, view), _like(name)) for name in hard}
    status = {"hard": hard, "used": used}
    return Step((Update(RESOURCE, with_status(quota, status), "status"),)) if status != quota.get("status") else NOTHING


def _like(name: str) -> str:
    return "binary" if "memory" in name or "storage" in name else "decimal"


def _used(name: str, namespace: str, pods: list[Object], view: View) -> Fraction:
    if name in ("pods", "count/pods"):
        return Fraction(len(pods))
    resource = name.removeprefix("count/")
    if resource in _COUNTED:
        return Fraction(len(list(view.every(resource, namespace))))
    if name.startswith("services."):
        return Fraction(sum(_service(service, name) for service in view.every("services", namespace)))
    if name == "requests.storage":
        claims = view.every("persistentvolumeclaims", namespace)
        asked = (((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0") for claim in claims)
        return sum((amount(quantity) for quantity in asked), Fraction(0))
    field, _, kind = name.rpartition(".")
    return sum((_asked(pod, "limits" if field == "limits" else "requests", kind) for pod in pods), Fraction(0))


def _service(service: Object, name: str) -> int:
    kind = service["spec"].get("type")
    if name == "services.loadbalancers":
        return int(kind == "LoadBalancer")
    ports = len(service["spec"].get("ports") or ())
    return ports if kind in ("NodePort", "LoadBalancer") else 0


def _asked(pod: Object, field: str, resource: str) -> Fraction:
    """What a pod requests of, or is limited to, in one resource: all containers together, or the largest init container."""

    def of_containers(containers: Iterable[dict[str, Any]]) -> Iterator[Fraction]:
        for container in containers:
            yield amount(((container.get("resources") or {}).get(field) or {}).get(resource, "0"))

    spec = spec_of(pod)
    together = sum(of_containers(spec.get("containers") or ()), Fraction(0))
    return max([together, *of_containers(spec.get("initContainers") or ())])


def _in_scope(spec: dict[str, Any], pod: Object) -> bool:
    """Whether the quota's scopes and scope selector take the pod in."""
    rules = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    rules += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(_meets(rule, pod) for rule in rules)


def _meets(rule: dict[str, Any], pod: Object) -> bool:
    best_effort = (pod.get("status") or {}).get("qosClass") == "BestEffort"
    limited = spec_of(pod).get("activeDeadlineSeconds") is not None
    match rule.get("scopeName"):
        case "BestEffort":
            return best_effort
        case "NotBestEffort":
            return not best_effort
        case "Terminating":
            return limited
        case "NotTerminating":
            return not limited
        case "PriorityClass":
            held = spec_of(pod).get("priorityClassName")
            return requires({**rule, "key": "class"}, {"class": held} if held else {})
        case _:
            return False
