"""Warnings of a pod's spec, wherever it stands (Kubernetes' pkg/api/pod/warnings.go)."""

from collections.abc import Iterator
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.logic.failures import quoted
from kilde.kubeapi.logic.warnings.addresses import address
from kilde.kubeapi.logic.warnings.nodes import deprecated_label, node_selector_term
from kilde.kubeapi.logic.warnings.paths import overlapping
from kilde.kubeapi.resources.validation.fields import get, items, quantity

_OLD_SYSCTLS = 'non-functional in v1.11+; use the "sysctls" field instead'
_OLD_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": _OLD_SYSCTLS,
    "security.alpha.kubernetes.io/unsafe-sysctls": _OLD_SYSCTLS,
}
_OLD_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_NO_SELECTOR = "a null labelSelector results in matching no pod"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_KINDS = ("initContainers", "containers", "ephemeralContainers")


def pod_warnings(pod: Object, at: str) -> Iterator[str]:
    """`pod` has metadata and spec; `at` is its path with a dot behind, "" for a pod itself."""
    spec, where = pod.get("spec") or {}, f"{at}spec"
    annotations = get(pod, "metadata", "annotations", default={})
    yield from _placement(spec, where)
    for key, words in _OLD_ANNOTATIONS.items():
        if key in annotations:
            yield f"{at}metadata.annotations[{key}]: {words}"
    yield from _volumes(spec, where)
    yield from _names(spec, where)
    yield from _fractions(spec.get("overhead"), f"{where}.overhead")
    if get(spec, "securityContext", "seccompProfile") is None and _SECCOMP_POD in annotations:
        yield f'{at}metadata.annotations[{_SECCOMP_POD}]: non-functional in v1.27+; use the "seccompProfile" field instead'
    for path, container in _containers(spec, where):
        yield from _container(container, path, annotations, at)
    yield from _ports(spec, where)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield f"{where}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
    for index, server in items(spec, "dnsConfig", "nameservers"):
        yield from address(str(server), f"{where}.dnsConfig.nameservers[{index}]")
    for index, alias in items(spec, "hostAliases"):
        yield from address(str(alias.get("ip") or ""), f"{where}.hostAliases[{index}].ip")


def claim_warnings(spec: Object, at: str) -> Iterator[str]:
    """Of the spec of a claim: storage comes in whole bytes."""
    for side in ("requests", "limits"):
        yield from _fraction(get(spec, "resources", side, "storage"), f"{at}.resources.{side}[storage]")


def _containers(spec: Object, at: str) -> Iterator[tuple[str, Object]]:
    for kind in _KINDS:
        for index, container in items(spec, kind):
            yield f"{at}.{kind}[{index}]", container


def _placement(spec: Object, at: str) -> Iterator[str]:
    for label in spec.get("nodeSelector") or {}:
        words = deprecated_label(label)
        if words:
            yield f"{at}.nodeSelector[{label}]: {words}"
    affinity = f"{at}.affinity"
    needed, wished = _REQUIRED, _PREFERRED
    for index, term in items(spec, "affinity", "nodeAffinity", needed, "nodeSelectorTerms"):
        yield from node_selector_term(term, f"{affinity}.nodeAffinity.{needed}.nodeSelectorTerms[{index}]")
    for index, term in items(spec, "affinity", "nodeAffinity", wished):
        path = f"{affinity}.nodeAffinity.{wished}[{index}].preference"
        yield from node_selector_term(term.get("preference") or {}, path, values=True)
    for index, one in items(spec, "topologySpreadConstraints"):
        path, key = f"{at}.topologySpreadConstraints[{index}]", str(one.get("topologyKey") or "")
        if deprecated_label(key):
            yield f"{path}.topologyKey: {key} is {deprecated_label(key)}"
        if one.get("labelSelector") is None:
            yield f"{path}.labelSelector: {_NO_SELECTOR}"
    yield from _neighbours(spec, affinity)


def _neighbours(spec: Object, affinity: str) -> Iterator[str]:
    """A pod's affinity to others needs a selector to have any effect."""
    needed, wished = _REQUIRED, _PREFERRED
    for kind in ("podAffinity", "podAntiAffinity"):
        for index, term in items(spec, "affinity", kind, needed):
            if term.get("labelSelector") is None:
                yield f"{affinity}.{kind}.{needed}[{index}].labelSelector: {_NO_SELECTOR}"
        for index, term in items(spec, "affinity", kind, wished):
            if get(term, "podAffinityTerm", "labelSelector") is None:
                yield f"{affinity}.{kind}.{wished}[{index}].podAffinityTerm.labelSelector: {_NO_SELECTOR}"


def _volumes(spec: Object, at: str) -> Iterator[str]:
    for index, volume in items(spec, "volumes"):
        for kind, words in _OLD_VOLUMES.items():
            if volume.get(kind) is not None:
                yield f"{at}.volumes[{index}].{kind if kind != 'storageos' else 'storageOS'}: {words}"
        template = get(volume, "ephemeral", "volumeClaimTemplate")
        if template is not None:
            yield from claim_warnings(
                template.get("spec") or {}, f"{at}.volumes[{index}].ephemeral.volumeClaimTemplate.spec"
            )
    yield from overlapping(spec.get("volumes") or [])


def _names(spec: Object, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, alias in items(spec, "hostAliases"):
        ip = str(alias.get("ip") or "")
        if ip in seen:
            yield f"{at}.hostAliases[{index}].ip: duplicate ip {quoted(ip)}"
        seen.add(ip)
    seen = set()
    for index, secret in items(spec, "imagePullSecrets"):
        name = str(secret.get("name") or "")
        if name in seen:
            yield f"{at}.imagePullSecrets[{index}].name: duplicate name {quoted(name)}"
        if not name:
            yield f'{at}.imagePullSecrets[{index}].name: invalid empty name ""'
        seen.add(name)


def _container(container: Object, path: str, annotations: Object, at: str) -> Iterator[str]:
    name, head = container.get("name") or "", f"{at}metadata.annotations"
    key = f"{_SECCOMP_CONTAINER}{name}"
    if get(container, "securityContext", "seccompProfile") is None and key in annotations:
        yield f'{head}[{key}]: non-functional in v1.27+; use the "seccompProfile" field instead'
    key = f"{_APP_ARMOR}{name}"
    if at and get(container, "securityContext", "appArmorProfile") is None and key in annotations:
        yield f'{head}[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'
    for resource in _BYTES:
        for side in ("limits", "requests"):
            amount = get(container, "resources", side, resource)
            yield from _fraction(amount, f"{path}.resources.{side}[{resource}]")
    seen: set[str] = set()
    for index, variable in items(container, "env"):
        name = str(variable.get("name") or "")
        reference, value = f"$({name})", str(variable.get("value") or "")
        hides = variable.get("valueFrom") is not None or value == reference or reference not in value
        if name in seen and hides:
            yield f"{path}.env[{index}]: hides previous definition of {quoted(name)}, which may be dropped when using apply"
        seen.add(name)


_BYTES = ("memory", "ephemeral-storage")


def _fractions(amounts: Any, at: str) -> Iterator[str]:
    for name in _BYTES:
        yield from _fraction(get(amounts, name), f"{at}[{name}]")


def _fraction(amount: Any, at: str) -> Iterator[str]:
    found = None if amount is None else quantity(amount)
    if found is not None and found.value.denominator != 1:
        yield f"{at}: fractional byte value {quoted(found.text)} is invalid, must be an integer"


def _ports(spec: Object, at: str) -> Iterator[str]:
    known: dict[tuple[Any, Any], list[tuple[str, Object]]] = {}
    names: dict[str, str] = {}
    for path, container in _containers(spec, at):
        for index, port in items(container, "ports"):
            where = f"{path}.ports[{index}]"
            if port.get("hostIP") and not port.get("hostPort"):
                yield f"{where}: hostIP set without hostPort: {_go_port(port)}"
            others = known.setdefault((port.get("containerPort"), port.get("protocol") or "TCP"), [])
            for there, other in others:
                words = _clash(port, other)
                if words:
                    yield f"{where}: {words} port definition with {there}"
            others.append((where, port))
            name = port.get("name")
            if name and name in names:
                first = names[name]
                yield (
                    f"{where}: duplicate port name {quoted(name)} with {first}, "
                    f"services and probes that select ports by name will use {first}"
                )
            elif name:
                names[name] = where


def _clash(port: Object, other: Object) -> str:
    ip, other_ip = port.get("hostIP") or "", other.get("hostIP") or ""
    number, other_number = port.get("hostPort") or 0, other.get("hostPort") or 0
    if (ip, number) == (other_ip, other_number):
        return "duplicate"
    if not number or not other_number:
        return "overlapping"
    return "dangerously ambiguous" if number == other_number and bool(ip) != bool(other_ip) else ""


def _go_port(port: Object) -> str:
    """A port as Go prints the struct."""
    fields = {
        "Name": "name",
        "HostPort": "hostPort",
        "ContainerPort": "containerPort",
        "Protocol": "protocol",
        "HostIP": "hostIP",
    }
    shown = (f"{name}:{port.get(key) or (0 if 'Port' in name else '')}" for name, key in fields.items())
    return "{" + " ".join(shown) + "}"
