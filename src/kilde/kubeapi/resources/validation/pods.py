"""Validation of pods and pod templates."""

import re
from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, duplicate, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.containers import PodParts, check_containers, check_images, check_resources
from kilde.kubeapi.resources.validation.fields import between, get, ip_address, items, named, one_of
from kilde.kubeapi.resources.validation.metadata import check_annotations, check_labels
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, qualified_name
from kilde.kubeapi.resources.validation.scheduling import check_affinity, check_spread, check_tolerations
from kilde.kubeapi.resources.validation.volumes import check_volumes

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_SYSTEMS = ("linux", "windows")
_LARGEST = 2**31 - 1
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL_TEXT = f"^({_SEGMENT}[\\./])*{_SEGMENT}$"
_SYSCTL = re.compile(_SYSCTL_TEXT, re.ASCII)


def check_pod(pod: Object) -> Iterator[Cause]:
    """What is wrong with a pod that is created."""
    spec = pod.get("spec") or {}
    yield from check_pod_spec(spec, "spec")
    yield from check_images(spec, "spec")
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")


def check_template(template: Json, at: str) -> Iterator[Cause]:
    """What is wrong with a pod template; `at` is its field."""
    metadata, spec = get(template, "metadata", default={}), get(template, "spec", default={})
    yield from check_labels(metadata.get("labels"), f"{at}.labels")
    yield from check_annotations(metadata.get("annotations"), f"{at}.annotations")
    yield from check_pod_spec(spec, f"{at}.spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{at}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def check_pod_spec(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with a pod spec; `at` is its field."""
    wrong = list(check_volumes(spec.get("volumes"), f"{at}.volumes"))
    yield from wrong
    # a volume that is wrong is not there for those who mount it
    broken = {cause.field[len(at) + 9 :].partition("]")[0] for cause in wrong}
    names = frozenset(str(one.get("name")) for index, one in items(spec, "volumes") if str(index) not in broken)
    parts = PodParts(names, host_network=bool(spec.get("hostNetwork")))
    if not spec.get("containers"):
        yield required(f"{at}.containers")
    yield from check_containers(spec.get("containers"), parts, f"{at}.containers")
    yield from check_containers(spec.get("initContainers"), parts, f"{at}.initContainers", init=True)
    yield from check_resources(spec.get("resources"), f"{at}.resources")
    yield from one_of(spec.get("restartPolicy"), _RESTART_POLICIES, f"{at}.restartPolicy", needed=True)
    yield from one_of(spec.get("dnsPolicy"), _DNS_POLICIES, f"{at}.dnsPolicy", needed=True)
    yield from check_labels(spec.get("nodeSelector"), f"{at}.nodeSelector")
    yield from _security(spec.get("securityContext") or {}, f"{at}.securityContext")
    yield from check_affinity(spec.get("affinity"), f"{at}.affinity")
    yield from _dns_config(spec, at)
    yield from _gates(spec, at)
    yield from check_spread(spec.get("topologySpreadConstraints"), f"{at}.topologySpreadConstraints")
    yield from _identity(spec, at)
    yield from check_tolerations(spec.get("tolerations"), f"{at}.tolerations")
    yield from _hosts(spec, at)
    for key in ("priorityClassName", "runtimeClassName"):
        yield from named(spec.get(key), dns_subdomain, f"{at}.{key}")
    yield from one_of(spec.get("preemptionPolicy"), _PREEMPTION, f"{at}.preemptionPolicy")
    yield from _system(spec, at)


def _dns_config(spec: Object, at: str) -> Iterator[Cause]:
    policy, servers = spec.get("dnsPolicy"), get(spec, "dnsConfig", "nameservers", default=())
    if policy == "None" and spec.get("dnsConfig") is None:
        yield required(f"{at}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    elif policy == "None" and not servers:
        words = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{at}.dnsConfig.nameservers", words)
    for index, address in enumerate(servers):
        yield from ip_address(address, f"{at}.dnsConfig.nameservers[{index}]")


def _gates(spec: Object, at: str) -> Iterator[Cause]:
    for index, gate in items(spec, "readinessGates"):
        kind = gate.get("conditionType") or ""
        yield from (invalid(f"{at}.readinessGates[{index}].conditionType", kind, text) for text in qualified_name(kind))
    seen: set[str] = set()
    for index, gate in items(spec, "schedulingGates"):
        name = gate.get("name") or ""
        yield from (invalid(f"{at}.schedulingGates[{index}]", name, text) for text in qualified_name(name))
        if name in seen:
            yield duplicate(f"{at}.schedulingGates[{index}]", name)
        seen.add(name)


def _identity(spec: Object, at: str) -> Iterator[Cause]:
    for key in ("serviceAccountName", "nodeName"):
        yield from named(spec.get(key), dns_subdomain, f"{at}.{key}")
    yield from between(spec.get("activeDeadlineSeconds"), 1, _LARGEST, f"{at}.activeDeadlineSeconds")
    for key in ("hostname", "subdomain"):
        yield from named(spec.get(key), dns_label, f"{at}.{key}")


def _system(spec: Object, at: str) -> Iterator[Cause]:
    system = get(spec, "os", "name")
    if spec.get("os") is not None and not system:
        yield required(f"{at}.os.name")
    elif system and system not in _SYSTEMS:
        yield not_supported(f"{at}.os.name", system, _SYSTEMS)


def _security(context: Object, at: str) -> Iterator[Cause]:
    for key in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from between(context.get(key), 0, _LARGEST, f"{at}.{key}")
    for index, group in items(context, "supplementalGroups"):
        yield from between(group, 0, _LARGEST, f"{at}.supplementalGroups[{index}]")
    if context.get("hostPID") and context.get("shareProcessNamespace"):
        yield invalid(
            f"{at}.shareProcessNamespace", value=True, detail="ShareProcessNamespace and HostPID cannot both be enabled"
        )
    names: set[str] = set()
    for index, one in items(context, "sysctls"):
        where, name = f"{at}.sysctls[{index}].name", one.get("name") or ""
        if not name:
            yield required(where)
        elif len(name) > 253 or not _SYSCTL.fullmatch(name):
            yield invalid(where, name, f"must have at most 253 characters and match regex {_SYSCTL_TEXT}")
        elif name in names:
            yield duplicate(where, name)
        names.add(name)


def _hosts(spec: Object, at: str) -> Iterator[Cause]:
    for index, alias in items(spec, "hostAliases"):
        where = f"{at}.hostAliases[{index}]"
        yield from ip_address(alias.get("ip") or "", f"{where}.ip")
        for number, name in items(alias, "hostnames"):
            yield from named(name, dns_subdomain, f"{where}.hostnames[{number}]")


def check_pod_template(obj: Object) -> Iterator[Cause]:
    """What is wrong with a PodTemplate object."""
    yield from check_template(obj.get("template"), "template")
