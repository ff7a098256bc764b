"""Validation of pods and pod templates."""

from collections.abc import Iterable, Iterator

from kilde.core.basics.values import Json, Object
from kilde.core.objects.unchanged import Unchanged
from kilde.kubeapi.resources.causes import Cause, duplicate, forbidden, invalid, not_supported, required, too_long
from kilde.kubeapi.resources.validation.amounts import check_pod_claims, check_resources, check_shares
from kilde.kubeapi.resources.validation.containers import (
    check_containers,
    check_ephemeral_containers,
    check_host_network,
    check_images,
    check_init_containers,
)
from kilde.kubeapi.resources.validation.environment import check_file_keys
from kilde.kubeapi.resources.validation.fields import between, get, ip_address, items, named, one_of
from kilde.kubeapi.resources.validation.metadata import check_annotations, check_labels
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, qualified_name, underscored_subdomain
from kilde.kubeapi.resources.validation.pod_annotations import check_pod_annotations, check_profiles_match
from kilde.kubeapi.resources.validation.pod_parts import PodParts
from kilde.kubeapi.resources.validation.scheduling import check_affinity, check_spread, check_tolerations
from kilde.kubeapi.resources.validation.security import (
    check_host_processes,
    check_linux,
    check_own_users,
    check_pod_security,
    check_windows,
)
from kilde.kubeapi.resources.validation.volumes import check_volumes

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_SYSTEMS = ("linux", "windows")
_LARGEST = 2**31 - 1
_LONGEST_HOSTNAME = 64
_NAMESERVERS, _SEARCHES, _SEARCH_LETTERS = 3, 32, 2048


def check_pod(pod: Object) -> Iterator[Cause]:
    """What is wrong with a pod that is created."""
    spec, annotations = pod.get("spec") or {}, get(pod, "metadata", "annotations")
    yield from check_pod_annotations(annotations, spec, "metadata.annotations")
    yield from check_pod_spec(spec, "spec", pod.get("metadata"))
    yield from check_only_of_pods(spec)
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")
    yield from check_profiles_match(annotations, spec, "spec")


def check_only_of_pods(spec: Object) -> Iterator[Cause]:
    """What is asked of pods and not of templates: images without spaces, and tokens only of a ServiceAccount that is named."""
    for index, volume in items(spec, "volumes") if not spec.get("serviceAccountName") else ():
        for number, source in items(volume, "projected", "sources"):
            if source.get("serviceAccountToken") is not None:
                at = f"spec.volumes[{index}].projected.sources[{number}].serviceAccountToken"
                yield forbidden(at, "must not be specified when serviceAccountName is not set")
    for kind in ("containers", "initContainers"):
        yield from check_images(spec.get(kind), f"spec.{kind}")


def check_template(template: Json, at: str) -> Iterator[Cause]:
    """What is wrong with a pod template; `at` is its field."""
    if type(template) is Unchanged:
        return
    metadata, spec = get(template, "metadata", default={}), get(template, "spec", default={})
    yield from check_template_metadata(template, at)
    yield from check_pod_spec(spec, f"{at}.spec")
    yield from check_profiles_match(metadata.get("annotations"), spec, f"{at}.spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{at}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def check_template_metadata(template: Json, at: str) -> Iterator[Cause]:
    """What is wrong with the labels and annotations of a pod template; the real paths leave `metadata` out."""
    metadata = get(template, "metadata", default={})
    yield from check_labels(metadata.get("labels"), f"{at}.labels")
    yield from check_annotations(metadata.get("annotations"), f"{at}.annotations")
    yield from check_pod_annotations(
        metadata.get("annotations"), get(template, "spec", default={}), f"{at}.annotations"
    )


def check_pod_spec(spec: Object, at: str, metadata: Json = None) -> Iterator[Cause]:
    """What is wrong with a pod spec, check by check in the order of Kubernetes' own; `at` is its field, `metadata` a pod's own."""
    if spec.get("terminationGracePeriodSeconds") is None:
        yield required(f"{at}.terminationGracePeriodSeconds")
    good: set[str] = set()
    yield from check_volumes(spec.get("volumes"), f"{at}.volumes", good, str(get(metadata, "name", default="")))
    yield from check_pod_claims(spec.get("resourceClaims"), f"{at}.resourceClaims")
    parts = parts_of(spec, good)
    yield from check_containers(spec.get("containers"), parts, f"{at}.containers")
    yield from check_init_containers(spec.get("initContainers"), spec.get("containers"), parts, f"{at}.initContainers")
    yield from check_ephemeral_containers(spec, parts, f"{at}.ephemeralContainers")
    yield from _pod_resources(spec, parts, f"{at}.resources")
    yield from check_host_network(spec, at, is_pod=at == "spec")
    yield from one_of(spec.get("restartPolicy"), _RESTART_POLICIES, f"{at}.restartPolicy", needed=True)
    yield from one_of(spec.get("dnsPolicy"), _DNS_POLICIES, f"{at}.dnsPolicy", needed=True)
    yield from check_labels(spec.get("nodeSelector"), f"{at}.nodeSelector")
    yield from check_pod_security(spec, at)
    yield from check_affinity(spec.get("affinity"), f"{at}.affinity")
    yield from _dns(spec, f"{at}.dnsConfig")
    yield from _gates(spec, at)
    yield from check_spread(spec.get("topologySpreadConstraints"), f"{at}.topologySpreadConstraints")
    yield from check_host_processes(spec, at)
    yield from check_own_users(spec, at)
    yield from _override(spec, f"{at}.hostnameOverride")
    yield from _names(spec, at)
    yield from _system(spec, at)
    yield from check_file_keys(spec, at)


def parts_of(spec: Object, volumes: Iterable[str]) -> PodParts:
    """What containers may refer to, if these volumes of the pod can be mounted."""
    block = {one["name"] for _, one in items(spec, "volumes") if _block(one) and one.get("name")}
    claims = {one.get("name") for _, one in items(spec, "resourceClaims") if one.get("name")}
    return PodParts(
        frozenset(volumes),
        frozenset(block & {*volumes}),
        frozenset(claims),
        host_users=spec.get("hostUsers") is not False,
        restart=spec.get("restartPolicy") or "",
        grace=spec.get("terminationGracePeriodSeconds"),
    )


def _block(volume: Object) -> bool:
    """Whether a volume may be used as a device."""
    return volume.get("persistentVolumeClaim") is not None or volume.get("ephemeral") is not None


def _pod_resources(spec: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    """What a pod asks for as a whole."""
    resources = spec.get("resources")
    if resources is None:
        return
    if get(spec, "os", "name") == "windows":
        yield forbidden(at, "may not be set for a windows pod")
        return
    if resources.get("claims") is not None:
        yield forbidden(f"{at}.claims", "claims may not be set for Resources at pod-level")
    yield from check_resources(resources, at, parts.claims, pod=True)
    yield from check_shares(spec, at)


def _dns(spec: Object, at: str) -> Iterator[Cause]:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None" and config is None:
        yield required(at, "must provide `dnsConfig` when `dnsPolicy` is None")
    elif spec.get("dnsPolicy") == "None" and not get(config, "nameservers"):
        yield required(f"{at}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
    else:
        yield from _dns_config(config, at)


def _dns_config(config: Json, at: str) -> Iterator[Cause]:
    servers, searches = get(config, "nameservers", default=[]), get(config, "searches", default=[])
    if len(servers) > _NAMESERVERS:
        yield invalid(f"{at}.nameservers", servers, f"must not have more than {_NAMESERVERS} nameservers")
    for index, address in enumerate(servers):
        yield from ip_address(address, f"{at}.nameservers[{index}]")
    if len(searches) > _SEARCHES:
        yield invalid(f"{at}.searches", searches, f"must not have more than {_SEARCHES} search paths")
    if len(" ".join(searches)) > _SEARCH_LETTERS:
        words = f"must not have more than {_SEARCH_LETTERS} characters (including spaces) in the search list"
        yield invalid(f"{at}.searches", searches, words)
    for index, search in enumerate(searches):
        text = search if search == "." else search.removesuffix(".")
        problems = () if search == "." else underscored_subdomain(text)
        yield from (invalid(f"{at}.searches[{index}]", text, words) for words in problems)
    for index, option in items(config, "options"):
        if not option.get("name"):
            yield required(f"{at}.options[{index}]", "must not be empty")


def _gates(spec: Object, at: str) -> Iterator[Cause]:
    for index, gate in items(spec, "readinessGates"):
        kind = gate.get("conditionType") or ""
        yield from (invalid(f"{at}.readinessGates[{index}].conditionType", kind, text) for text in qualified_name(kind))
    seen: set[str] = set()
    for index, gate in items(spec, "schedulingGates"):
        where, name = f"{at}.schedulingGates[{index}]", gate.get("name") or ""
        yield from (invalid(where, name, text) for text in qualified_name(name))
        if name in seen:
            yield duplicate(where, name)
        seen.add(name)


def _override(spec: Object, at: str) -> Iterator[Cause]:
    """The name that a pod calls itself, whatever it is called."""
    name = spec.get("hostnameOverride")
    if name is None:
        return
    if spec.get("setHostnameAsFQDN"):
        yield forbidden(at, "may not be specified when setHostnameAsFQDN is true")
    if spec.get("hostNetwork"):
        yield forbidden(at, "may not be specified when hostNetwork is true")
    if len(name) > _LONGEST_HOSTNAME:
        yield too_long(at, _LONGEST_HOSTNAME)
    yield from (invalid(at, name, text) for text in dns_subdomain(name))


def _names(spec: Object, at: str) -> Iterator[Cause]:
    for key in ("serviceAccountName", "nodeName"):
        yield from named(spec.get(key), dns_subdomain, f"{at}.{key}")
    yield from between(spec.get("activeDeadlineSeconds"), 1, _LARGEST, f"{at}.activeDeadlineSeconds")
    for key in ("hostname", "subdomain"):
        yield from named(spec.get(key), dns_label, f"{at}.{key}")
    yield from check_tolerations(spec.get("tolerations"), f"{at}.tolerations")
    for index, alias in items(spec, "hostAliases"):
        where = f"{at}.hostAliases[{index}]"
        yield from ip_address(alias.get("ip") or "", f"{where}.ip")
        for number, name in items(alias, "hostnames"):
            yield from (invalid(f"{where}.hostnames[{number}]", name, text) for text in dns_subdomain(name))
    yield from named(spec.get("priorityClassName"), dns_subdomain, f"{at}.priorityClassName")
    runtime = spec.get("runtimeClassName")
    if runtime is not None:
        yield from (invalid(f"{at}.runtimeClassName", runtime, text) for text in dns_subdomain(runtime))
    policy = spec.get("preemptionPolicy")
    if policy is not None:
        yield from one_of(policy, _PREEMPTION, f"{at}.preemptionPolicy", needed=True)
    if spec.get("overhead") is not None:
        yield from check_resources({"limits": spec["overhead"]}, f"{at}.overhead")


def _system(spec: Object, at: str) -> Iterator[Cause]:
    system = get(spec, "os", "name", default="")
    if spec.get("os") is None:
        return
    if not system:
        yield required(f"{at}.os.name")
    elif system not in _SYSTEMS:
        yield not_supported(f"{at}.os", system, _SYSTEMS)
    else:
        yield from check_linux(spec, at) if system == "linux" else check_windows(spec, at)


def check_pod_template(obj: Object) -> Iterator[Cause]:
    """What is wrong with a PodTemplate object."""
    yield from check_template(obj.get("template"), "template")
