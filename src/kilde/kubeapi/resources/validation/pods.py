"""Validation of pods and pod templates."""

from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.containers import PodParts, check_containers, check_resources
from kilde.kubeapi.resources.validation.fields import between, get, ip_address, items, named, one_of
from kilde.kubeapi.resources.validation.metadata import check_annotations, check_labels
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, qualified_name
from kilde.kubeapi.resources.validation.scheduling import check_scheduling
from kilde.kubeapi.resources.validation.volumes import check_volumes

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_SYSTEMS = ("linux", "windows")
_LARGEST = 2**31 - 1


def check_pod(pod: Object) -> Iterator[Cause]:
    """What is wrong with a pod that is created."""
    spec = pod.get("spec") or {}
    yield from check_pod_spec(spec, "spec")
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")


def check_template(template: Json, at: str) -> Iterator[Cause]:
    """What is wrong with a pod template; `at` is its field."""
    metadata, spec = get(template, "metadata", default={}), get(template, "spec", default={})
    yield from check_labels(metadata.get("labels"), f"{at}.metadata.labels")
    yield from check_annotations(metadata.get("annotations"), f"{at}.metadata.annotations")
    yield from check_pod_spec(spec, f"{at}.spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{at}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def check_pod_spec(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with a pod spec; `at` is its field."""
    yield from check_volumes(spec.get("volumes"), f"{at}.volumes")
    names = frozenset(str(one.get("name")) for one in spec.get("volumes") or ())
    parts = PodParts(names, host_network=bool(spec.get("hostNetwork")), is_pod=at == "spec")
    if not spec.get("containers"):
        yield required(f"{at}.containers")
    yield from check_containers(spec.get("containers"), parts, f"{at}.containers")
    yield from check_containers(spec.get("initContainers"), parts, f"{at}.initContainers", init=True)
    yield from one_of(spec.get("restartPolicy"), _RESTART_POLICIES, f"{at}.restartPolicy", needed=True)
    yield from _dns(spec, at)
    yield from _names(spec, at)
    yield from check_scheduling(spec, at)
    yield from _limits(spec, at)
    yield from _hosts(spec, at)


def _dns(spec: Object, at: str) -> Iterator[Cause]:
    policy = spec.get("dnsPolicy") or ""
    yield from one_of(policy, _DNS_POLICIES, f"{at}.dnsPolicy", needed=True)
    servers = get(spec, "dnsConfig", "nameservers", default=())
    if policy == "None" and spec.get("dnsConfig") is None:
        yield required(f"{at}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    elif policy == "None" and not servers:
        yield required(
            f"{at}.dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None"
        )
    for index, address in enumerate(servers):
        yield from ip_address(address, f"{at}.dnsConfig.nameservers[{index}]")


def _names(spec: Object, at: str) -> Iterator[Cause]:
    for key in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        yield from named(spec.get(key), dns_subdomain, f"{at}.{key}")
    for key in ("hostname", "subdomain"):
        yield from named(spec.get(key), dns_label, f"{at}.{key}")
    yield from one_of(spec.get("preemptionPolicy"), _PREEMPTION, f"{at}.preemptionPolicy")
    system = get(spec, "os", "name")
    if spec.get("os") is not None and not system:
        yield required(f"{at}.os.name")
    elif system and system not in _SYSTEMS:
        yield not_supported(f"{at}.os.name", system, _SYSTEMS)
    for index, gate in items(spec, "readinessGates"):
        kind = gate.get("conditionType") or ""
        yield from (invalid(f"{at}.readinessGates[{index}].conditionType", kind, text) for text in qualified_name(kind))
    for index, gate in items(spec, "schedulingGates"):
        name = gate.get("name") or ""
        yield from (invalid(f"{at}.schedulingGates[{index}].name", name, text) for text in qualified_name(name))


def _limits(spec: Object, at: str) -> Iterator[Cause]:
    yield from between(spec.get("activeDeadlineSeconds"), 1, _LARGEST, f"{at}.activeDeadlineSeconds")
    yield from check_resources(spec.get("resources"), f"{at}.resources")
    context = spec.get("securityContext") or {}
    for key in ("runAsUser", "runAsGroup", "fsGroup"):
        yield from between(context.get(key), 0, _LARGEST, f"{at}.securityContext.{key}")
    if context.get("hostPID") and context.get("shareProcessNamespace"):
        yield invalid(
            f"{at}.shareProcessNamespace", value=True, detail="ShareProcessNamespace and HostPID cannot both be enabled"
        )


def _hosts(spec: Object, at: str) -> Iterator[Cause]:
    for index, alias in items(spec, "hostAliases"):
        where = f"{at}.hostAliases[{index}]"
        if not alias.get("ip"):
            yield required(f"{where}.ip")
        else:
            yield from ip_address(alias["ip"], f"{where}.ip")
        for number, name in items(alias, "hostnames"):
            yield from named(name, dns_subdomain, f"{where}.hostnames[{number}]")


def check_pod_template(obj: Object) -> Iterator[Cause]:
    """What is wrong with a PodTemplate object."""
    yield from check_template(obj.get("template"), "template")
