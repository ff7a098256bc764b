"""Validation of amounts of resources: what a container or a pod asks for and may use, and names of claims."""

from collections.abc import Collection, Iterator

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.quantity import Quantity, of, parse
from kilde.kubeapi.resources.causes import (
    Cause,
    Struct,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from kilde.kubeapi.resources.quota_names import COMPUTE, COUNTED, STANDARD
from kilde.kubeapi.resources.validation.fields import get, items, quantity
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, qualified_name

_OF_PODS = ("cpu", "memory")
_QUALITY = ("cpu", "memory")  # without one of them nothing is known of how a pod is to be treated
_HUGE = "hugepages-"
_NOT_WHOLE = "must be an integer"


def check_resources(resources: Json, at: str, claims: Collection[str] = (), *, pod: bool = False) -> Iterator[Cause]:
    """Requests and limits: of known resources, not negative, no request above its limit. `claims` are those of the pod."""
    limits, requests = get(resources, "limits", default={}), get(resources, "requests", default={})
    for name, amount in limits.items():
        yield from _amount(name, quantity(amount), f"{at}.limits[{name}]", pod=pod)
    for name, amount in requests.items():
        found = quantity(amount)
        yield from _amount(name, found, f"{at}.requests[{name}]", pod=pod)
        yield from _within(name, found, quantity(limits[name]) if name in limits else None, at)
    names = {*limits, *requests}
    if any(name.startswith(_HUGE) for name in names) and not names & {*_QUALITY}:
        yield forbidden(at, "HugePages require cpu or memory")
    yield from _claims(resources, sorted(claims), f"{at}.claims")


def _amount(name: str, found: Quantity | None, at: str, *, pod: bool) -> Iterator[Cause]:
    yield from _pod_resource(name, at) if pod else check_resource_name(name, at)
    if found is None:
        return
    if found.value < 0:
        yield invalid(at, found.text, "must be greater than or equal to 0")
    if is_counted(name) and found.value.denominator != 1:
        yield invalid(at, found.text, _NOT_WHOLE)
    if name.startswith(_HUGE) and not _whole_pages(name, found):
        yield invalid(at, found.text, f"{found.text} is not positive integer multiple of {name}")


def _whole_pages(name: str, found: Quantity) -> bool:
    """Whether it is a number of pages of the size that the name tells; a size that cannot be read is none."""
    try:
        size = parse(name.removeprefix(_HUGE)).value
    except InvalidInput:
        return False
    return size > 0 and found.value >= 0 and (found.value / size).denominator == 1


def _within(name: str, asked: Quantity | None, most: Quantity | None, at: str) -> Iterator[Cause]:
    shared = can_be_promised(name)
    if most is None:
        if not shared:
            yield required(f"{at}.limits", "Limit must be set for non overcommitable resources")
    elif asked is not None and asked.value != most.value and not shared:
        yield invalid(f"{at}.requests", asked.text, f"must be equal to {name} limit of {most.text}")
    elif asked is not None and asked.value > most.value:
        yield invalid(f"{at}.requests", asked.text, f"must be less than or equal to {name} limit of {most.text}")


def is_counted(name: str) -> bool:
    """Whether amounts of a resource are whole numbers."""
    return name in COUNTED or _is_extended(name)


def can_be_promised(name: str) -> bool:
    """Whether more of a resource can be promised than there is."""
    return ("/" not in name or "kubernetes.io/" in name) and not name.startswith(_HUGE)


def _is_extended(name: str) -> bool:
    """Whether it is a resource that nodes offer besides Kubernetes' own."""
    if "/" not in name or "kubernetes.io/" in name or name.startswith("requests."):
        return False
    return not qualified_name(f"requests.{name}")


def check_any_resource_name(name: str, at: str) -> Iterator[Cause]:
    """A resource that Kubernetes knows, or one of another's domain."""
    problems = qualified_name(name)
    yield from (invalid(at, name, text) for text in problems)
    if not problems and "/" not in name and name not in STANDARD and not name.startswith((_HUGE, f"requests.{_HUGE}")):
        yield invalid(at, name, "must be a standard resource type or fully qualified")


def check_resource_name(name: str, at: str) -> Iterator[Cause]:
    """A resource that a container may ask for."""
    yield from check_any_resource_name(name, at)
    if "/" not in name:
        if name not in COMPUTE and not name.startswith(_HUGE):
            yield invalid(at, name, "must be a standard resource for containers")
    elif "kubernetes.io/" not in name and not _is_extended(name):
        yield invalid(at, name, "doesn't follow extended resource name standard")


def _pod_resource(name: str, at: str) -> Iterator[Cause]:
    problems = list(check_any_resource_name(name, at))
    yield from problems
    if not problems and name not in _OF_PODS and not name.startswith(_HUGE):
        yield not_supported(at, name, sorted((*_OF_PODS, _HUGE)))


def _claims(resources: Json, known: list[str], at: str) -> Iterator[Cause]:
    """Each refers to a claim of the pod, as a whole or to one request of it, and to nothing twice."""
    seen: set[str] = set()
    for index, one in items(resources, "claims"):
        where, name, request = f"{at}[{index}]", one.get("name") or "", one.get("request") or ""
        if not name:
            yield required(where)
            continue
        if name in seen:
            yield duplicate(where, name)
        else:
            key = f"{name}/{request}" if request else name
            yield from (invalid(f"{where}.request", request, text) for text in (dns_label(request) if request else ()))
            overlaps = [key] if key in seen else [name for each in seen if not request and each.startswith(f"{name}/")]
            yield from (duplicate(where, each) for each in overlaps)
            seen.add(key)
        if name not in known:
            listed = f": {', '.join(known)}" if known else " which is empty"
            yield not_found(where, name, f"must be one of the names in pod.spec.resourceClaims{listed}")


def check_shares(spec: Object, at: str) -> Iterator[Cause]:
    """What a pod asks for as a whole is enough for its containers, of which none may use more than it may."""
    requests, limits = (get(spec, "resources", side, default={}) for side in ("requests", "limits"))
    for side, whole in (("requests", requests), ("limits", limits)):
        for name, needed in _together(spec, side).items():
            found = quantity(whole[name]) if name in whole else None
            if found is not None and needed.value > found.value and (side == "requests" or name.startswith(_HUGE)):
                words = f"must be greater than or equal to aggregate container {side} of {needed.text}"
                yield invalid(f"{at}.{side}[{name}]", found.text, words)
    for index, container in items(spec, "containers"):
        for name, amount in get(container, "resources", "limits", default={}).items():
            own, most = quantity(amount), quantity(limits[name]) if name in limits else None
            if own is not None and most is not None and own.value > most.value:
                words = f"must be less than or equal to pod limits of {most.text}"
                yield invalid(f"{at}.containers[{index}][{name}].limits", own.text, words)


def _together(spec: Object, side: str) -> dict[str, Quantity]:
    """What all containers need at the time when they need most: init containers run one by one, those that stay beside all after them."""
    staying: dict[str, Quantity] = {}
    most: dict[str, Quantity] = {}
    for _, container in items(spec, "initContainers"):
        own = _sum({}, container, side)
        if container.get("restartPolicy") == "Always":
            staying = _sum(staying, container, side)
            now = staying
        else:
            now = {name: _plus(staying.get(name), amount) for name, amount in own.items()}
        most = _greater(most, now)
    running = staying
    for _, container in items(spec, "containers"):
        running = _sum(running, container, side)
    return _greater(running, most)


def _sum(amounts: dict[str, Quantity], container: Object, side: str) -> dict[str, Quantity]:
    made = dict(amounts)
    for name, amount in get(container, "resources", side, default={}).items():
        found = quantity(amount)
        if found is not None:
            made[name] = _plus(made.get(name), found)
    return made


def _plus(one: Quantity | None, other: Quantity) -> Quantity:
    """Two amounts together, printed as the first is."""
    if one is None or not one.value:
        return other
    return parse(of(one.value + other.value, "binary" if one.text.endswith("i") else "decimal"))


def _greater(one: dict[str, Quantity], other: dict[str, Quantity]) -> dict[str, Quantity]:
    return {**one, **{name: found for name, found in other.items() if name not in one or found.value > one[name].value}}


def check_pod_claims(claims: Json, at: str) -> Iterator[Cause]:
    """What is wrong with the claims of a pod: each has a name of its own and says of which claim or template it is."""
    seen: set[str] = set()
    for index, one in enumerate(claims or ()):
        yield from _pod_claim(one, seen, f"{at}[{index}]")


def _pod_claim(one: Object, seen: set[str], at: str) -> Iterator[Cause]:
    name = one.get("name") or ""
    if not name:
        yield required(f"{at}.name")
    elif name in seen:
        yield duplicate(f"{at}.name", name)
    else:
        yield from (invalid(f"{at}.name", name, text) for text in dns_label(name))
        seen.add(name)
    ways = {key: one.get(key) for key in ("resourceClaimName", "resourceClaimTemplateName")}
    held = Struct({"Name": name, **{f"{key[0].upper()}{key[1:]}": value for key, value in ways.items()}})
    given = [key for key, value in ways.items() if value is not None]
    if len(given) > 1:
        words = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
        yield invalid(at, held, words)
    if not given:
        yield invalid(at, held, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
    for key in given:
        yield from (invalid(f"{at}.{key}", one[key], text) for text in dns_subdomain(one[key]))
