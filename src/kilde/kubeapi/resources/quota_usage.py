"""What one object uses of what a quota may limit, and whether a quota's scopes take in a pod (upstream: pkg/quota/v1/evaluator/core)."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from kilde.core.basics.values import Json, Object
from kilde.core.objects import quantity
from kilde.kubeapi.resources.quota_names import COMPUTE, COUNTED_OBJECTS

Usage = dict[str, Fraction]
CLAIMS = "persistentvolumeclaims"
ENDED = ("Succeeded", "Failed")
_STORAGE, _BY_CLASS = "requests.storage", ".storageclass.storage.k8s.io/"
_ZERO = Fraction(0)
_OF_POD = ("cpu", "memory")  # and huge pages: what a pod as a whole may ask for
_TERMS = ("requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution")


def usage_of(storage: str, obj: Object) -> Usage:
    """What one object uses of each name a quota may limit. Events are not counted."""
    plural, _, group = storage.partition(".")
    if storage == "events":
        return {}
    found = {f"count/{storage}": Fraction(1)}
    if storage == "pods" and (obj.get("status") or {}).get("phase") in ENDED:
        return found
    if not group and plural in COUNTED_OBJECTS:
        found[plural] = Fraction(1)
    if storage == "pods":
        return found | _pod(obj)
    if storage == "services":
        return found | _service(obj.get("spec") or {})
    if storage == CLAIMS:
        return found | _claim(obj.get("spec") or {})
    return found


def storage_of(name: str) -> str:
    """Whose objects use what a quota calls so."""
    if name.startswith("count/"):
        return name.removeprefix("count/")
    if name in COUNTED_OBJECTS:
        return name
    if name.startswith("services."):
        return "services"
    return CLAIMS if name == _STORAGE or _BY_CLASS in name else "pods"


def written(name: str, amount: Fraction) -> str:
    """An amount as a quota's status prints it: memory and storage in powers of 1024."""
    return quantity.of(amount, "binary" if "memory" in name or "storage" in name else "decimal")


def _pod(pod: Object) -> Usage:
    spec = pod.get("spec") or {}
    found: Usage = {}
    for field in ("requests", "limits"):
        for name, amount in _together(spec, field).items():
            found[f"{field}.{name}"] = amount
            if field == "requests" and name in COMPUTE:
                found[name] = amount
    return found


def _together(spec: Object, field: str) -> Usage:
    """What the containers ask for at once: those that run, or one that prepares beside those that it runs with."""
    running = _sums(spec.get("containers") or (), field)
    beside: Usage = {}
    most: Usage = {}
    for container in spec.get("initContainers") or ():
        own = _sums((container,), field)
        if container.get("restartPolicy") == "Always":
            running, beside = _added(running, own), _added(beside, own)
            own = {}
        most = _most(most, _added(beside, own))
    asked = _most(running, most)
    whole = _numbers((spec.get("resources") or {}).get(field))
    asked |= {name: amount for name, amount in whole.items() if name in _OF_POD or name.startswith("hugepages-")}
    overhead = _numbers(spec.get("overhead"))
    if field == "limits":
        overhead = {name: amount for name, amount in overhead.items() if asked.get(name)}
    return _added(asked, overhead)


def _sums(containers: Iterable[Object], field: str) -> Usage:
    found: Usage = {}
    for container in containers:
        found = _added(found, _numbers((container.get("resources") or {}).get(field)))
    return found


def _numbers(amounts: Json) -> Usage:
    return {name: quantity.parse(amount).value for name, amount in (amounts or {}).items()}


def _added(one: Usage, other: Usage) -> Usage:
    return {name: one.get(name, _ZERO) + other.get(name, _ZERO) for name in {**one, **other}}


def _most(one: Usage, other: Usage) -> Usage:
    return {name: max(one.get(name, _ZERO), other.get(name, _ZERO)) for name in {**one, **other}}


def _service(spec: Object) -> Usage:
    ports = Fraction(len(spec.get("ports") or ()))
    if spec.get("type") == "NodePort":
        return {"services.nodeports": ports}
    if spec.get("type") == "LoadBalancer":
        given = spec.get("allocateLoadBalancerNodePorts") is not False
        return {"services.loadbalancers": Fraction(1), "services.nodeports": ports if given else _ZERO}
    return {}


def _claim(spec: Object) -> Usage:
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    amount = quantity.parse(asked).value if asked is not None else _ZERO
    found = {_STORAGE: amount}
    if spec.get("storageClassName"):
        of_class = f"{spec['storageClassName']}{_BY_CLASS}"
        found |= {f"{of_class}{_STORAGE}": amount, f"{of_class}{CLAIMS}": Fraction(1)}
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
        "CrossNamespacePodAffinity": any(map(_elsewhere, _terms(spec.get("affinity") or {}))),
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


def _terms(affinity: Object) -> Iterator[Object]:
    for kind in ("podAffinity", "podAntiAffinity"):
        for when in _TERMS:
            for term in (affinity.get(kind) or {}).get(when) or ():
                yield term.get("podAffinityTerm") or term


def _elsewhere(term: Object) -> bool:
    """Whether a term of affinity is about pods of other namespaces."""
    return bool(term.get("namespaces")) or term.get("namespaceSelector") is not None
