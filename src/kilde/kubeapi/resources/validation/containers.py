"""Validation of a pod's containers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, duplicate, forbidden, invalid, not_found, not_supported, required
from kilde.kubeapi.resources.validation.fields import (
    between,
    get,
    items,
    named,
    needed,
    not_negative,
    one_of,
    port,
    quantity,
)
from kilde.kubeapi.resources.validation.names import config_key, dns_label, env_name, port_name, qualified_name
from kilde.kubeapi.resources.validation.volumes import field_ref, safe_path

PROTOCOLS = ("SCTP", "TCP", "UDP")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESOURCES = ("cpu", "ephemeral-storage", "memory")
_ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_ENV_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


@dataclass(slots=True)
class PodParts:
    """What containers refer to or share: the pod's volumes, names and host ports."""

    volumes: frozenset[str]
    host_network: bool = False
    names: set[str] = field(default_factory=set)
    host_ports: set[str] = field(default_factory=set)


def check_containers(containers: Json, parts: PodParts, at: str, *, init: bool = False) -> Iterator[Cause]:
    """What is wrong with a list of containers; their names join those of the pod."""
    for index, container in enumerate(containers or ()):
        where, name = f"{at}[{index}]", container.get("name") or ""
        # Init containers run one after another: each may use a host port that another used.
        yield from _common(container, parts, where, set() if init else parts.host_ports)
        if name in parts.names and (name or not init):
            yield duplicate(f"{where}.name", name)
        parts.names.add(name)
        alone = init and container.get("restartPolicy") != "Always"
        yield from _lifecycle(container, where, init=alone)
        yield from _probes(container, where, init=alone)


def _common(container: Object, parts: PodParts, at: str, host_ports: set[str]) -> Iterator[Cause]:
    yield from named(container.get("name"), dns_label, f"{at}.name", needed=True)
    yield from needed(container.get("image"), f"{at}.image")
    yield from one_of(
        container.get("terminationMessagePolicy"), _MESSAGE_POLICIES, f"{at}.terminationMessagePolicy", needed=True
    )
    yield from _ports(container, parts, at, host_ports)
    yield from _env(container, at)
    yield from _env_from(container, at)
    yield from _mounts(container, parts, at)
    yield from one_of(container.get("imagePullPolicy"), _PULL_POLICIES, f"{at}.imagePullPolicy", needed=True)
    yield from check_resources(container.get("resources"), f"{at}.resources")
    yield from _security(container.get("securityContext"), f"{at}.securityContext")


def check_images(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with the images of a pod, and of a pod only: spaces around them."""
    for key in ("containers", "initContainers"):
        for index, container in items(spec, key):
            image = container.get("image") or ""
            if image != image.strip():
                yield invalid(f"{at}.{key}[{index}].image", image, "must not have leading or trailing whitespace")


def _ports(container: Object, parts: PodParts, at: str, host_ports: set[str]) -> Iterator[Cause]:
    names: set[str] = set()
    for index, one in items(container, "ports"):
        where, name, number = f"{at}.ports[{index}]", one.get("name") or "", one.get("containerPort") or 0
        if name:
            problems = port_name(name)
            yield from (invalid(f"{where}.name", name, text) for text in problems)
            if not problems and name in names:
                yield duplicate(f"{where}.name", name)
            names.add(name)
        if not number:
            yield required(f"{where}.containerPort")
        else:
            yield from between(number, 1, 65535, f"{where}.containerPort")
        yield from one_of(one.get("protocol"), PROTOCOLS, f"{where}.protocol", needed=True)
        yield from _host_port(one, number, parts, where, host_ports)


def _host_port(one: Object, number: int, parts: PodParts, at: str, taken: set[str]) -> Iterator[Cause]:
    host_port = one.get("hostPort") or 0
    if not host_port:
        return
    yield from between(host_port, 1, 65535, f"{at}.hostPort")
    if parts.host_network and host_port != number:
        yield invalid(f"{at}.hostPort", host_port, "must match `containerPort` when `hostNetwork` is true")
    claim = f"{one.get('protocol', 'TCP')}/{one.get('hostIP') or ''}/{host_port}"
    if claim in taken:
        yield duplicate(f"{at}.hostPort", claim)
    taken.add(claim)


def _env(container: Object, at: str) -> Iterator[Cause]:
    for index, one in items(container, "env"):
        where = f"{at}.env[{index}]"
        yield from named(one.get("name"), env_name, f"{where}.name", needed=True)
        source = one.get("valueFrom")
        if source is None:
            continue
        yield from _env_source(source, f"{where}.valueFrom", has_value=bool(one.get("value")))


def _env_source(source: Object, at: str, *, has_value: bool) -> Iterator[Cause]:
    kinds = [key for key, value in source.items() if value is not None]
    if not kinds:
        yield invalid(
            at,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        )
        return
    if has_value:
        yield invalid(at, "", "may not be specified when `value` is not empty")
    elif len(kinds) > 1:
        yield invalid(at, "", "may not have more than one field specified at a time")
    for kind in kinds:
        where, one = f"{at}.{kind}", source[kind]
        if kind == "fieldRef":
            yield from field_ref(one, _ENV_FIELDS, where)
        elif kind == "resourceFieldRef":
            yield from _resource_ref(one, where)
        elif kind in ("configMapKeyRef", "secretKeyRef"):
            yield from needed(one.get("name"), f"{where}.name")
            yield from named(one.get("key"), config_key, f"{where}.key", needed=True)


def _resource_ref(source: Object, at: str) -> Iterator[Cause]:
    resource = source.get("resource") or ""
    if not resource:
        yield required(f"{at}.resource")
    elif resource not in _ENV_RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield not_supported(f"{at}.resource", resource, _ENV_RESOURCES)


def _env_from(container: Object, at: str) -> Iterator[Cause]:
    for index, one in items(container, "envFrom"):
        where = f"{at}.envFrom[{index}]"
        if one.get("prefix"):
            yield from (invalid(f"{where}.prefix", one["prefix"], text) for text in env_name(one["prefix"]))
        kinds = [key for key in ("configMapRef", "secretRef") if one.get(key) is not None]
        if not kinds:
            yield invalid(where, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(kinds) > 1:
            yield invalid(where, "", "may not have more than one field specified at a time")
        for kind in kinds:
            yield from needed(one[kind].get("name"), f"{where}.{kind}.name")


def _mounts(container: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, mount in items(container, "volumeMounts"):
        where, name, path = f"{at}.volumeMounts[{index}]", mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{where}.name")
        if name not in parts.volumes:
            yield not_found(f"{where}.name", name)
        if not path:
            yield required(f"{where}.mountPath")
        if path in seen:
            yield invalid(f"{where}.mountPath", path, "must be unique")
        seen.add(path)
        for key in ("subPath", "subPathExpr"):
            if mount.get(key):
                yield from safe_path(mount[key], f"{at}.volumeMounts.{key}")  # the real path has no index here
        if mount.get("subPath") and mount.get("subPathExpr"):
            yield invalid(
                f"{where}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive"
            )
    yield from _devices(container, parts, at)


def _devices(container: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    for index, device in items(container, "volumeDevices"):
        where, name, path = f"{at}.volumeDevices[{index}]", device.get("name") or "", device.get("devicePath") or ""
        yield from needed(name, f"{where}.name")
        yield from needed(path, f"{where}.devicePath")
        if name and name not in parts.volumes:
            yield not_found(f"{where}.name", name)


def check_resources(resources: Json, at: str) -> Iterator[Cause]:
    """Requests and limits: of known resources, not negative, no request above its limit."""
    limits, requests = get(resources, "limits", default={}), get(resources, "requests", default={})
    for side, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            where = f"{at}.{side}[{name}]"
            yield from _resource_name(name, where)
            found = quantity(amount)
            if found is not None and found.value < 0:
                yield invalid(where, found.text, "must be greater than or equal to 0")
            if found is not None and name.partition("/")[1] and found.value.denominator != 1:
                yield invalid(where, found.text, "must be an integer")
    for name, amount in requests.items():
        asked, most = quantity(amount), quantity(limits[name]) if name in limits else None
        if asked is None or most is None:
            continue
        if "/" in name and asked.value != most.value:
            yield invalid(f"{at}.requests", asked.text, f"must be equal to {name} limit of {most.text}")
        elif asked.value > most.value:
            yield invalid(f"{at}.requests", asked.text, f"must be less than or equal to {name} limit of {most.text}")


def _resource_name(name: str, at: str) -> Iterator[Cause]:
    problems = qualified_name(name)
    yield from (invalid(at, name, text) for text in problems)
    if not problems and "/" not in name and name not in _RESOURCES and not name.startswith("hugepages-"):
        yield invalid(at, name, "must be a standard resource type or fully qualified")
        yield invalid(at, name, "must be a standard resource for containers")


def _lifecycle(container: Object, at: str, *, init: bool) -> Iterator[Cause]:
    if init and container.get("lifecycle") is not None:
        yield forbidden(f"{at}.lifecycle", "may not be set for init containers without restartPolicy=Always")
        return
    for hook in ("postStart", "preStop"):
        handler = get(container, "lifecycle", hook)
        if handler is not None:
            yield from _handler(handler, f"{at}.lifecycle.{hook}")


def _probes(container: Object, at: str, *, init: bool) -> Iterator[Cause]:
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is None:
            continue
        where = f"{at}.{name}"
        if init:
            yield forbidden(where, "may not be set for init containers without restartPolicy=Always")
            continue
        yield from _handler(probe, where)
        for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
            yield from not_negative(probe.get(key), f"{where}.{key}")
        grace = probe.get("terminationGracePeriodSeconds")
        if name == "readinessProbe":
            if grace is not None:
                yield invalid(f"{where}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes")
            continue
        if grace is not None and grace <= 0:
            yield invalid(f"{where}.terminationGracePeriodSeconds", grace, "must be greater than 0")
        threshold = probe.get("successThreshold", 1)
        if threshold != 1:
            yield invalid(f"{where}.successThreshold", threshold, "must be 1")


def _handler(handler: Object, at: str) -> Iterator[Cause]:
    kinds = [kind for kind in _ACTIONS if handler.get(kind) is not None]
    if not kinds:
        yield required(at, "must specify a handler type")
    for extra in kinds[1:]:
        yield forbidden(f"{at}.{extra}", "may not specify more than 1 handler type")
    for kind in kinds[:1]:
        yield from _action(kind, handler[kind], f"{at}.{kind}")


def _action(kind: str, action: Mapping[str, Any], at: str) -> Iterator[Cause]:
    if kind == "exec":
        yield from needed(action.get("command"), f"{at}.command")
    elif kind == "httpGet":
        yield from needed(action.get("path"), f"{at}.path")
        yield from port(action.get("port"), f"{at}.port")
        yield from one_of(action.get("scheme"), ("HTTP", "HTTPS"), f"{at}.scheme")
        for header in action.get("httpHeaders") or ():
            yield from needed(header.get("name"), f"{at}.httpHeaders")
    elif kind in ("tcpSocket", "grpc"):
        yield from port(action.get("port"), f"{at}.port")
    elif kind == "sleep":
        yield from not_negative(action.get("seconds"), f"{at}.seconds")


def _security(context: Json, at: str) -> Iterator[Cause]:
    for key in ("runAsUser", "runAsGroup"):
        value = get(context, key)
        if value is not None and not 0 <= value <= 2**31 - 1:
            yield invalid(f"{at}.{key}", value, "must be between 0 and 2147483647, inclusive")
    if get(context, "allowPrivilegeEscalation") is False and get(context, "privileged"):
        words = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        yield invalid(at, dict(context), words)
