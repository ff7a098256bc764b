"""What a server accepts with a warning (the header `299 - "…"`): `warnings_of(obj)` for a write, `deprecation(…)` for any request."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.objects.ref import split_api_version

_DEPRECATED: Mapping[tuple[str, str, str], str] = {
    ("", "v1", "ComponentStatus"): "v1 ComponentStatus is deprecated in v1.19+",
    ("", "v1", "Endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
_OLD_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
}
_OLD_SOURCES = {
    "gitRepo": "deprecated in v1.11",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageOS": "deprecated in v1.22, non-functional in v1.25+",
}
# kind → where its pod template is, and whether pods take their names from its name
_TEMPLATES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "Job"): ("spec", "template"),
}
_DOTS = "a DNS label is recommended: [must not contain dots]"


def deprecation(group: str, version: str, kind: str) -> str:
    """What any request for a built-in kind is warned of; "" if nothing."""
    return _DEPRECATED.get((group, version, kind), "")


def warnings_of(obj: Object) -> list[str]:
    """What a write of this object, accepted as it is, should be warned of; each once, in order."""
    group, _ = split_api_version(str(obj.get("apiVersion", "")))
    return list(dict.fromkeys(_warnings(group, str(obj.get("kind", "")), obj)))


def _warnings(group: str, kind: str, obj: Object) -> Iterator[str]:
    name = str(_at(obj, "metadata", "name") or "")
    if (group, kind) == ("", "Pod"):
        if "." in name:
            yield f"metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; {_DOTS}"
        yield from _pod(obj.get("spec") or {}, "spec")
    path = _TEMPLATES.get((group, kind))
    if path is not None:
        if "." in name and kind not in ("PodTemplate", "StatefulSet"):
            yield f"metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; {_DOTS}"
        yield from _pod(_at(obj, *path, "spec") or {}, ".".join((*path, "spec")))
    more = _KINDS.get((group, kind))
    if more is not None:
        yield from more(obj)


def _at(value: Json, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _pod(spec: Object, at: str) -> Iterator[str]:
    for key in sorted(spec.get("nodeSelector") or {}):
        if key in _OLD_NODE_LABELS:
            yield f"{at}.nodeSelector[{key}]: {_OLD_NODE_LABELS[key]}"
    yield from _aliases(spec.get("hostAliases") or (), f"{at}.hostAliases")
    yield from _secrets(spec.get("imagePullSecrets") or (), f"{at}.imagePullSecrets")
    for index, volume in enumerate(spec.get("volumes") or ()):
        for source, words in _OLD_SOURCES.items():
            if volume.get(source) is not None:
                yield f"{at}.volumes[{index}].{source}: {words}"
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield f"{at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
    for key in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(key) or ()):
            yield from _container(container, f"{at}.{key}[{index}]")


def _aliases(aliases: Sequence[Object], at: str) -> Iterator[str]:
    seen: set[Json] = set()
    for index, alias in enumerate(aliases):
        if alias.get("ip") in seen:
            yield f'{at}[{index}].ip: duplicate ip "{alias.get("ip")}"'
        seen.add(alias.get("ip"))


def _secrets(secrets: Sequence[Object], at: str) -> Iterator[str]:
    seen: set[Json] = set()
    for index, secret in enumerate(secrets):
        name = secret.get("name") or ""
        if not name:
            yield f'{at}[{index}].name: invalid empty name ""'
        elif name in seen:
            yield f'{at}[{index}].name: duplicate name "{name}"'
        seen.add(name)


def _container(container: Object, at: str) -> Iterator[str]:
    names: dict[str, Object] = {}
    for index, one in enumerate(container.get("env") or ()):
        name = str(one.get("name", ""))
        if name in names:
            yield f'{at}.env[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
        names[name] = one
    ports: dict[Json, int] = {}
    for index, one in enumerate(container.get("ports") or ()):
        key = (one.get("containerPort"), one.get("protocol", "TCP"), one.get("hostPort"), one.get("hostIP"))
        if key in ports:
            yield f"{at}.ports[{index}]: duplicate port definition with {at}.ports[{ports[key]}]"
        ports.setdefault(key, index)
    yield from _fractions(container.get("resources") or {}, f"{at}.resources")


def _fractions(resources: Object, at: str) -> Iterator[str]:
    """Bytes in thousandths: somebody wrote `m` and meant mega."""
    for side in ("limits", "requests"):
        for name in ("memory", "ephemeral-storage"):
            amount = _at(resources, side, name)
            if isinstance(amount, str) and amount.endswith("m"):
                yield f'{at}.{side}[{name}]: fractional byte value "{amount}" is invalid, must be an integer'


def _service(obj: Object) -> Iterator[str]:
    kind = _at(obj, "spec", "type")
    if _at(obj, "spec", "loadBalancerIP") and kind != "LoadBalancer":
        yield 'spec.loadBalancerIP is ignored when spec.type is not "LoadBalancer"'
    if _at(obj, "spec", "clusterIP") == "None" and _at(obj, "spec", "sessionAffinity") == "ClientIP":
        yield "spec.SessionAffinity is ignored for headless services"
    if _at(obj, "spec", "externalName") and kind != "ExternalName":
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'


def _account(obj: Object) -> Iterator[str]:
    if _at(obj, "metadata", "annotations", "kubernetes.io/enforce-mountable-secrets") is not None:
        yield (
            "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate"
            " access to mounted secrets"
        )


def _job(obj: Object) -> Iterator[str]:
    parallel, completions = _at(obj, "spec", "parallelism") or 0, _at(obj, "spec", "completions") or 0
    if _at(obj, "spec", "completionMode") == "Indexed" and completions > 100_000 and parallel > 10_000:
        yield (
            "spec.parallelism: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes"
            " might not be able to track completedIndexes when a big number of indexes fail"
        )


_KINDS: Mapping[tuple[str, str], Callable[[Object], Iterator[str]]] = {
    ("", "Service"): _service,
    ("", "ServiceAccount"): _account,
    ("batch", "Job"): _job,
}
