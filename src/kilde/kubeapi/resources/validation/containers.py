"""Validation of a pod's containers."""

import re
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
from kilde.kubeapi.resources.validation.names import (
    config_key,
    dns_label,
    dns_subdomain,
    env_name,
    port_name,
    qualified_name,
)
from kilde.kubeapi.resources.validation.references import field_ref, resource_ref
from kilde.kubeapi.resources.validation.security import check_container_security
from kilde.kubeapi.resources.validation.volumes import safe_path

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
_PROPAGATION = ("Bidirectional", "HostToContainer", "None")
_SUPPORTED_RESTARTS = ("Always", "Never", "OnFailure")
_HTTP_HEADER = re.compile(r"[-A-Za-z0-9]+", re.ASCII)
_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


@dataclass(slots=True)
class PodParts:
    """What containers refer to or share: the pod's volumes, names and host ports."""

    volumes: frozenset[str]
    block: frozenset[str] = frozenset()
    host_network: bool = False
    is_pod: bool = False
    host_users: bool = True
    restart: str = ""
    grace: int | None = None
    names: set[str] = field(default_factory=set)
    host_ports: set[str] = field(default_factory=set)


def check_containers(containers: Json, parts: PodParts, at: str, *, init: bool = False) -> Iterator[Cause]:
    """What is wrong with a list of containers; their names join those of the pod."""
    for index, container in enumerate(containers or ()):
        where, name = f"{at}[{index}]", container.get("name") or ""
        yield from named(name, dns_label, f"{where}.name", needed=True)
        # Init containers run one after another: each may use a host port that another used.
        yield from _container(container, parts, where, set() if init else parts.host_ports)
        if name in parts.names:
            yield duplicate(f"{where}.name", name)
        parts.names.add(name)
        alone = init and container.get("restartPolicy") != "Always"
        yield from _lifecycle(container, parts, where, init=alone)
        yield from _probes(container, parts, where, init=alone)
        yield from _restart(container, where)


def _container(container: Object, parts: PodParts, at: str, host_ports: set[str]) -> Iterator[Cause]:
    image = container.get("image") or ""
    if not image:
        yield required(f"{at}.image")
    elif parts.is_pod and image != image.strip():
        yield invalid(f"{at}.image", image, "must not have leading or trailing whitespace")
    yield from one_of(
        container.get("terminationMessagePolicy"), _MESSAGE_POLICIES, f"{at}.terminationMessagePolicy", needed=True
    )
    yield from _ports(container, parts, at, host_ports)
    yield from _env(container, at)
    yield from _env_from(container, at)
    yield from _mounts(container, parts, at)
    yield from one_of(container.get("imagePullPolicy"), _PULL_POLICIES, f"{at}.imagePullPolicy", needed=True)
    yield from check_resources(container.get("resources"), f"{at}.resources")
    yield from _resize(container, parts, at)
    security = container.get("securityContext")
    yield from check_container_security(security, f"{at}.securityContext", host_users=parts.host_users)


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
            yield from resource_ref(one, where)
        elif kind in ("configMapKeyRef", "secretKeyRef"):
            name = one.get("name") or ""
            yield from (invalid(f"{where}.name", name, text) for text in dns_subdomain(name))
            yield from named(one.get("key"), config_key, f"{where}.key", needed=True)


def _env_from(container: Object, at: str) -> Iterator[Cause]:
    for index, one in items(container, "envFrom"):
        where = f"{at}.envFrom[{index}]"
        if one.get("prefix"):
            yield from (invalid(f"{where}.prefix", one["prefix"], text) for text in env_name(one["prefix"]))
        kinds = [key for key in ("configMapRef", "secretRef") if one.get(key) is not None]
        if not kinds:
            yield invalid(f"{at}.envFrom", "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(kinds) > 1:
            yield invalid(f"{at}.envFrom", "", "may not have more than one field specified at a time")
        for kind in kinds:
            yield from named(one[kind].get("name"), dns_subdomain, f"{where}.{kind}.name", needed=True)


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
        yield from _propagation(container, mount.get("mountPropagation"), f"{at}.volumeMounts.mountPropagation")
        if mount.get("subPath") and mount.get("subPathExpr"):
            yield invalid(
                f"{where}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive"
            )
    yield from _devices(container, parts, at)


def _propagation(container: Object, propagation: Json, at: str) -> Iterator[Cause]:
    """The real path has no index here."""
    if propagation is None:
        return
    if propagation not in _PROPAGATION:
        yield not_supported(at, propagation, _PROPAGATION)
    if propagation == "Bidirectional" and not get(container, "securityContext", "privileged"):
        yield forbidden(at, "Bidirectional mount propagation is available only to privileged containers")


def _devices(container: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    names: set[str] = set()
    paths: set[str] = set()
    mounts = {(one.get("name"), one.get("mountPath")) for _, one in items(container, "volumeMounts")}
    for index, device in items(container, "volumeDevices"):
        where, name, path = f"{at}.volumeDevices[{index}]", device.get("name") or "", device.get("devicePath") or ""
        yield from needed(name, f"{where}.name")
        if name in names:
            yield invalid(f"{where}.name", name, "must be unique")
        if name not in parts.volumes:
            yield not_found(f"{where}.name", name)
        elif name not in parts.block:
            words = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            yield invalid(f"{where}.name", name, words)
        yield from needed(path, f"{where}.devicePath")
        if path in paths:
            yield invalid(f"{where}.devicePath", path, "must be unique")
        if ".." in path.split("/"):
            yield invalid(f"{where}.devicePath", path, "can not contain backsteps ('..')")
        if any(name == mounted for mounted, _ in mounts):
            yield invalid(f"{where}.name", name, "must not already exist in volumeMounts")
        if any(path == mounted for _, mounted in mounts):
            yield invalid(f"{where}.devicePath", path, "must not already exist as a path in volumeMounts")
        names.add(name)
        paths.add(path)


def check_resources(resources: Json, at: str) -> Iterator[Cause]:
    """Requests and limits: of known resources, not negative, no request above its limit."""
    limits, requests = get(resources, "limits", default={}), get(resources, "requests", default={})
    for side, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            where = f"{at}.{side}[{name}]"
            yield from check_resource_name(name, where)
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


def check_resource_name(name: str, at: str) -> Iterator[Cause]:
    """A resource that a container may ask for."""
    problems = qualified_name(name)
    yield from (invalid(at, name, text) for text in problems)
    if not problems and "/" not in name and name not in _RESOURCES and not name.startswith("hugepages-"):
        yield invalid(at, name, "must be a standard resource type or fully qualified")
        yield invalid(at, name, "must be a standard resource for containers")


def _lifecycle(container: Object, parts: PodParts, at: str, *, init: bool) -> Iterator[Cause]:
    if init and container.get("lifecycle") is not None:
        yield forbidden(f"{at}.lifecycle", "may not be set for init containers without restartPolicy=Always")
        return
    for hook in ("postStart", "preStop"):
        handler = get(container, "lifecycle", hook)
        if handler is not None:
            yield from _handler(handler, parts, f"{at}.lifecycle.{hook}")


def _probes(container: Object, parts: PodParts, at: str, *, init: bool) -> Iterator[Cause]:
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is None:
            continue
        where = f"{at}.{name}"
        if init:
            yield forbidden(where, "may not be set for init containers without restartPolicy=Always")
            continue
        yield from _handler(probe, parts, where)
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


def _handler(handler: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    kinds = [kind for kind in _ACTIONS if handler.get(kind) is not None]
    if not kinds:
        yield required(at, "must specify a handler type")
    for extra in kinds[1:]:
        yield forbidden(f"{at}.{extra}", "may not specify more than 1 handler type")
    for kind in kinds[:1]:
        yield from _action(kind, handler[kind], parts, f"{at}.{kind}")


def _action(kind: str, action: Mapping[str, Any], parts: PodParts, at: str) -> Iterator[Cause]:
    if kind == "exec":
        yield from needed(action.get("command"), f"{at}.command")
    elif kind == "httpGet":
        yield from needed(action.get("path"), f"{at}.path")
        yield from port(action.get("port"), f"{at}.port")
        scheme = action.get("scheme") or ""
        if scheme not in ("HTTP", "HTTPS"):
            yield not_supported(f"{at}.scheme", scheme, ("HTTP", "HTTPS"))
        for header in action.get("httpHeaders") or ():
            name = header.get("name") or ""
            if not _HTTP_HEADER.fullmatch(name):
                words = (
                    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex"
                )
                yield invalid(f"{at}.httpHeaders", name, f"{words} used for validation is '[-A-Za-z0-9]+')")
    elif kind in ("tcpSocket", "grpc"):
        yield from port(action.get("port"), f"{at}.port")
    elif kind == "sleep":
        seconds, grace = action.get("seconds") or 0, parts.grace
        if grace is not None and not 0 <= seconds <= grace:
            yield invalid(at, seconds, f"must be non-negative and less than terminationGracePeriodSeconds ({grace})")


def _restart(container: Object, at: str) -> Iterator[Cause]:
    policy = container.get("restartPolicy")
    if policy is not None and policy not in _SUPPORTED_RESTARTS:
        yield not_supported(f"{at}.restartPolicy", policy, _SUPPORTED_RESTARTS)


def _resize(container: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, one in items(container, "resizePolicy"):
        where, name, policy = f"{at}.resizePolicy", one.get("resourceName") or "", one.get("restartPolicy") or ""
        if name in seen:
            yield duplicate(f"{where}[{index}]", name)
        seen.add(name)
        yield from one_of(name, ("cpu", "memory"), where, needed=True)
        yield from one_of(policy, ("NotRequired", "RestartContainer"), where, needed=True)
        if parts.restart == "Never" and policy != "NotRequired":
            yield invalid(where, policy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")
