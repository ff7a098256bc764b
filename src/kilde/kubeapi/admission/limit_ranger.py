"""LimitRanger: defaults and bounds of resources in a namespace (plugin/pkg/admission/limitranger)."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects import quantity
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.world import World

_ANNOTATION = "kubernetes.io/limit-ranger"
_ZERO = Fraction(0)


def fill(world: World, call: Call, obj: Object) -> None:
    """Fills in a new pod's defaults."""
    if call.kind.storage == "pods" and not call.subresource:
        for record in world.store.all("limitranges", call.namespace):
            _fill(obj, (record.object().get("spec") or {}).get("limits") or [])


def judge(world: World, call: Call, obj: Object, old: Object | None) -> None:
    """Judges new pods, resized ones, and claims. 403 with all that is out of bounds."""
    resized = call.subresource == "resize"
    if call.kind.storage == "pods" and (resized or (old is None and not call.subresource)):
        problems_of: Callable[[Object, list[Object]], Iterator[str]] = _pod_problems
    elif call.kind.storage == "persistentvolumeclaims" and not call.subresource:
        problems_of = _claim_problems
    else:
        return
    for record in world.store.all("limitranges", call.namespace):
        limits = (record.object().get("spec") or {}).get("limits") or []
        problems = list(dict.fromkeys(problems_of(obj, limits)))  # what is wrong with two containers alike is told once
        if problems:
            why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
            raise failures.forbidden(call.kind.about(str(obj["metadata"].get("name") or "")), why)


def _fill(pod: Object, limits: list[Object]) -> None:
    """Requests and limits of containers that leave them out; what was set is told in an annotation."""
    default, request = _defaults(limits, "default"), _defaults(limits, "defaultRequest")
    if not default and not request:
        return
    told: list[str] = []
    for kind, word in (("containers", "container"), ("initContainers", "init container")):
        filled = []
        for container in pod["spec"].get(kind) or []:
            resources = dict(container.get("resources") or {})
            for field, wanted, name in (("requests", request, "request"), ("limits", default, "limit")):
                have = dict(resources.get(field) or {})
                missing = {key: each for key, each in wanted.items() if key not in have}
                if missing:
                    resources[field] = {**have, **missing}
                    told.append(f"{', '.join(sorted(missing))} {name} for {word} {container.get('name')}")
            filled.append({**container, "resources": resources})
        if filled:
            pod["spec"][kind] = filled
    if told:
        meta = pod["metadata"]
        text = "LimitRanger plugin set: " + "; ".join(told)
        meta["annotations"] = {**(meta.get("annotations") or {}), _ANNOTATION: text}


def _defaults(limits: list[Object], field: str) -> Object:
    return {
        name: each
        for item in limits
        if item.get("type") == "Container"
        for name, each in (item.get(field) or {}).items()
    }


def _pod_problems(pod: Object, limits: list[Object]) -> Iterator[str]:
    spec = pod["spec"]
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    for item in limits:
        if item.get("type") == "Container":
            for container in containers:
                resources = container.get("resources") or {}
                yield from _bounds(item, resources.get("requests") or {}, resources.get("limits") or {}, "Container")
        elif item.get("type") == "Pod":
            yield from _bounds(item, _sum(spec, "requests"), _sum(spec, "limits"), "Pod")


def _claim_problems(claim: Object, limits: list[Object]) -> Iterator[str]:
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    for item in limits:
        if item.get("type") == "PersistentVolumeClaim":
            told = _bounds(item, requests, requests, "PersistentVolumeClaim")
            yield from (text.replace("but limit is", "but request is") for text in told)  # a claim has no limits


def _sum(spec: Object, field: str) -> Object:
    """What all containers of a pod ask for together."""
    found: dict[str, Fraction] = {}
    for container in spec.get("containers") or ():
        for name, each in ((container.get("resources") or {}).get(field) or {}).items():
            found[name] = found.get(name, _ZERO) + quantity.parse(each).value
    return {name: quantity.of(amount, "binary" if name == "memory" else "decimal") for name, amount in found.items()}


def _bounds(item: Object, requests: Object, limits: Object, kind: str) -> Iterator[str]:
    for name, least in sorted((item.get("min") or {}).items()):
        if name not in requests:
            yield f"minimum {name} usage per {kind} is {least}.  No request is specified"
        elif quantity.parse(requests[name]).value < quantity.parse(least).value:
            yield f"minimum {name} usage per {kind} is {least}, but request is {requests[name]}"
        elif name in limits and quantity.parse(limits[name]).value < quantity.parse(least).value:
            yield f"minimum {name} usage per {kind} is {least}, but limit is {limits[name]}"
    for name, most in sorted((item.get("max") or {}).items()):
        if name not in limits:
            yield f"maximum {name} usage per {kind} is {most}.  No limit is specified"
        elif quantity.parse(limits[name]).value > quantity.parse(most).value:
            yield f"maximum {name} usage per {kind} is {most}, but limit is {limits[name]}"
        elif name in requests and quantity.parse(requests[name]).value > quantity.parse(most).value:
            yield f"maximum {name} usage per {kind} is {most}, but request is {requests[name]}"
    yield from _ratios(item, requests, limits, kind)


def _ratios(item: Object, requests: Object, limits: Object, kind: str) -> Iterator[str]:
    for name, most in sorted((item.get("maxLimitRequestRatio") or {}).items()):
        asked, limit = _amount(requests, name), _amount(limits, name)
        head = f"{name} max limit to request ratio per {kind} is {most}, but"
        if not asked:
            yield f"{head} no request is specified or request is 0"
        elif not limit:
            yield f"{head} no limit is specified or limit is 0"
        elif limit / asked > quantity.parse(most).value:
            yield f"{head} provided ratio is {float(limit / asked):.6f}"


def _amount(resources: Object, name: str) -> Any:
    return quantity.parse(resources[name]).value if name in resources else _ZERO
