"""Warnings: what the server accepts and yet advises against (Kubernetes' pkg/api/*/warnings.go)."""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects import quantity
from kilde.kubeapi.logic.failures import quoted

_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "deployments.apps": ("spec", "template"),
    "replicasets.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "replicationcontrollers": ("spec", "template"),
    "podtemplates": ("template",),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
_SURPRISING = "which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"
_IN_POD_NAMES = (
    "deployments.apps",
    "replicasets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "replicationcontrollers",
)


_STANDARD = ("kubernetes", "orphan", "foregroundDeletion")


def of_custom(obj: Object, old: Object | None = None) -> Iterator[str]:
    """What to warn of when a custom resource is written: finalizers without a domain, if they are new."""
    before = (old or {}).get("metadata", {}).get("finalizers") or ()
    for name in sorted({*(obj["metadata"].get("finalizers") or ())} - {*before}):
        if "/" not in name and name not in _STANDARD:
            path = " including a path (/)" if "." in name else ""
            words = f"prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer writers"
            yield f"metadata.finalizers: {quoted(name)}: {words}"


def warnings(storage: str, obj: Object, old: Object | None = None) -> Iterator[str]:
    """What to warn of when an object of a built-in kind is written. `storage` names the resource."""
    if old is None:
        yield from _names(storage, obj)
    if storage == "pods":
        if old is not None and not _redone(storage, obj, old):
            return
        yield from pod_spec(obj.get("spec") or {}, "spec")
    elif storage in _TEMPLATES:
        if old is not None and not _redone(storage, obj, old):
            return
        path = _TEMPLATES[storage]
        yield from pod_spec((_at(obj, path) or {}).get("spec") or {}, ".".join((*path, "spec")))
    elif storage in _OTHERS:
        yield from _OTHERS[storage](obj)


def _redone(storage: str, obj: Object, old: Object) -> bool:
    """Whether an update is one that templates are looked at again for."""
    if storage == "daemonsets.apps":
        return bool(_at(obj, ("spec", "template")) != _at(old, ("spec", "template")))
    return bool(obj["metadata"].get("generation") != old["metadata"].get("generation"))


def _at(obj: Object, path: tuple[str, ...]) -> Any:
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _names(storage: str, obj: Object) -> Iterator[str]:
    if "." not in str(obj["metadata"].get("name") or ""):
        return
    if storage == "pods":
        yield f"metadata.name: this is used in the Pod's hostname, {_SURPRISING}"
    elif storage in _IN_POD_NAMES:
        yield f"metadata.name: this is used in Pod names and hostnames, {_SURPRISING}"


def pod_spec(spec: Object, at: str) -> Iterator[str]:
    """Of a pod's spec, wherever it stands."""
    for label in spec.get("nodeSelector") or {}:
        if label in _NODE_LABELS:
            yield f"{at}.nodeSelector[{label}]: {_NODE_LABELS[label]}"
    seen: set[str] = set()
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        address = str(alias.get("ip") or "")
        if address in seen:
            yield f"{at}.hostAliases[{index}].ip: duplicate ip {quoted(address)}"
        seen.add(address)
    yield from _pull_secrets(spec, at)
    yield from _selectors(spec, at)
    yield from _volumes(spec, at)
    yield from _ports(spec, at)
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from _fractions(container.get("resources") or {}, f"{at}.{kind}[{index}].resources")
            yield from _env(container, f"{at}.{kind}[{index}]")
    if (
        spec.get("terminationGracePeriodSeconds", 0) is not None
        and int(spec.get("terminationGracePeriodSeconds") or 0) < 0
    ):
        yield f"{at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"


def _selectors(spec: Object, at: str) -> Iterator[str]:
    """Constraints and terms that select no pod."""
    none = "labelSelector: a null labelSelector results in matching no pod"
    for index, each in enumerate(spec.get("topologySpreadConstraints") or ()):
        if each.get("labelSelector") is None:
            yield f"{at}.topologySpreadConstraints[{index}].{none}"
    for kind in ("podAffinity", "podAntiAffinity"):
        found = (spec.get("affinity") or {}).get(kind) or {}
        for index, term in enumerate(found.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
            if term.get("labelSelector") is None:
                yield f"{at}.affinity.{kind}.requiredDuringSchedulingIgnoredDuringExecution[{index}].{none}"
        for index, term in enumerate(found.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
            if (term.get("podAffinityTerm") or {}).get("labelSelector") is None:
                where = f"{at}.affinity.{kind}.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
                yield f"{where}.podAffinityTerm.{none}"


def _fractions(resources: Object, at: str) -> Iterator[str]:
    for name in ("memory", "ephemeral-storage"):
        for side in ("limits", "requests"):
            amount = (resources.get(side) or {}).get(name)
            try:
                found = None if amount is None else quantity.parse(amount)
            except InvalidInput:
                continue  # validation tells
            if found is not None and found.value.denominator != 1:
                where = f"{at}.{side}[{name}]"
                yield f"{where}: fractional byte value {quoted(found.text)} is invalid, must be an integer"


def _pull_secrets(spec: Object, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        name = str(secret.get("name") or "")
        if not name:
            yield f'{at}.imagePullSecrets[{index}].name: invalid empty name ""'
        elif name in seen:
            yield f"{at}.imagePullSecrets[{index}].name: duplicate name {quoted(name)}"
        seen.add(name)


def _volumes(spec: Object, at: str) -> Iterator[str]:
    for index, volume in enumerate(spec.get("volumes") or ()):
        where = f"{at}.volumes[{index}]"
        if "gitRepo" in volume:
            yield f"{where}.gitRepo: deprecated in v1.11, and disabled by default in v1.33+"
        for kind, since in (("rbd", "v1.28"), ("cephfs", "v1.28"), ("storageos", "v1.22")):
            if kind in volume:
                yield f"{where}.{kind}: deprecated in {since}, non-functional in v1.31+"


def _ports(spec: Object, at: str) -> Iterator[str]:
    known: dict[tuple[Any, Any], str] = {}
    for kind in ("containers", "initContainers"):
        for outer, container in enumerate(spec.get(kind) or ()):
            for inner, port in enumerate(container.get("ports") or ()):
                where = f"{at}.{kind}[{outer}].ports[{inner}]"
                key = (port.get("containerPort"), port.get("protocol") or "TCP")
                if key in known:
                    yield f"{where}: duplicate port definition with {known[key]}"
                else:
                    known[key] = where


def _env(container: Object, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, variable in enumerate(container.get("env") or ()):
        name = str(variable.get("name") or "")
        value = str(variable.get("value") or "")
        if name in seen and f"$({name})" not in value:
            yield f"{at}.env[{index}]: hides previous definition of {quoted(name)}, which may be dropped when using apply"
        seen.add(name)


def _volume(obj: Object) -> Iterator[str]:
    if (obj.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Recycle":
        yield (
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach "
            "is to use dynamic provisioning."
        )


def _service(obj: Object) -> Iterator[str]:
    spec = obj.get("spec") or {}
    external, named = spec.get("externalIPs"), spec.get("type") == "ExternalName"
    headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"
    if headless:
        for key in ("loadBalancerIP", "externalIPs"):
            if spec.get(key):
                yield f"spec.{key} is ignored for headless services"
        if spec.get("sessionAffinity") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    elif external and not named:
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if named and external:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not named and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _slice(obj: Object) -> Iterator[str]:
    if obj.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"


def _secret(obj: Object) -> Iterator[str]:
    data = obj.get("data") or {}
    if obj.get("type") != "kubernetes.io/tls":
        return
    for key, words in (("tls.crt", "certificate"), ("tls.key", "key")):
        if b"-----BEGIN " not in base64.b64decode(data.get(key) or ""):
            yield f"tls: failed to find any PEM data in {words} input"
            return


_OTHERS: Mapping[str, Callable[[Object], Iterator[str]]] = {
    "secrets": _secret,
    "persistentvolumes": _volume,
    "services": _service,
    "endpointslices.discovery.k8s.io": _slice,
}
