"""Validation of pods and pod templates."""

from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.core.objects.unchanged import Unchanged
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.containers import PodParts, check_containers, check_resources
from kilde.kubeapi.resources.validation.fields import between, get, ip_address, items, named, one_of
from kilde.kubeapi.resources.validation.metadata import check_annotations, check_labels
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, qualified_name, underscored_subdomain
from kilde.kubeapi.resources.validation.pod_annotations import check_pod_annotations, check_profiles_match
from kilde.kubeapi.resources.validation.scheduling import check_scheduling
from kilde.kubeapi.resources.validation.security import check_linux, check_pod_security, check_windows
from kilde.kubeapi.resources.validation.volumes import check_volumes

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_SYSTEMS = ("linux", "windows")
_LARGEST = 2**31 - 1
_NAMESERVERS, _SEARCHES, _SEARCH_LETTERS = 3, 32, 2048


def check_pod(pod: Object) -> Iterator[Cause]:
    """What is wrong with a pod that is created."""
    spec, annotations = pod.get("spec") or {}, get(pod, "metadata", "annotations")
    yield from check_pod_annotations(annotations, spec, "metadata.annotations")
    yield from check_pod_spec(spec, "spec", str((pod.get("metadata") or {}).get("name") or ""))
    yield from check_tokens(spec)
    yield from check_profiles_match(annotations, spec, "spec")
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")


def check_tokens(spec: Object) -> Iterator[Cause]:
    """A pod has tokens of its ServiceAccount only if it names one, which a replaced one may fail to do."""
    if spec.get("serviceAccountName"):
        return
    for index, volume in items(spec, "volumes"):
        for number, source in items(volume, "projected", "sources"):
            if source.get("serviceAccountToken") is not None:
                at = f"spec.volumes[{index}].projected.sources[{number}].serviceAccountToken"
                yield forbidden(at, "must not be specified when serviceAccountName is not set")


def check_template(template: Json, at: str) -> Iterator[Cause]:
    """What is wrong with a pod template; `at` is its field."""
    if type(template) is Unchanged:
        return
    metadata, spec = get(template, "metadata", default={}), get(template, "spec", default={})
    yield from check_labels(metadata.get("labels"), f"{at}.labels")  # the real paths leave `metadata` out
    yield from check_annotations(metadata.get("annotations"), f"{at}.annotations")
    yield from check_pod_annotations(metadata.get("annotations"), spec, f"{at}.annotations")
    yield from check_pod_spec(spec, f"{at}.spec")
    yield from check_profiles_match(metadata.get("annotations"), spec, f"{at}.spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{at}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


# The fields of a pod spec besides its volumes and containers, in the order in which a real server looks at them.
_FIELDS = (
    *(
        "resources",
        "hostNetwork",
        "restartPolicy",
        "dnsPolicy",
        "nodeSelector",
        "securityContext",
        "imagePullSecrets",
        "affinity",
    ),
    *(
        "dnsConfig",
        "readinessGates",
        "schedulingGates",
        "topologySpreadConstraints",
        "hostUsers",
        "serviceAccountName",
        "nodeName",
    ),
    *(
        "activeDeadlineSeconds",
        "hostname",
        "subdomain",
        "tolerations",
        "hostAliases",
        "priorityClassName",
        "runtimeClassName",
    ),
    *("preemptionPolicy", "overhead", "os"),
)
_PLACES = {name: place for place, name in enumerate(_FIELDS)}


def check_pod_spec(spec: Object, at: str, name: str = "") -> Iterator[Cause]:
    """What is wrong with a pod spec; `at` is its field, `name` the pod's, if it is one."""
    good: set[str] = set()
    yield from check_volumes(spec.get("volumes"), f"{at}.volumes", good, name)
    block = {one["name"] for one in spec.get("volumes") or () if good and _block(one) and one.get("name")}
    parts = PodParts(
        frozenset(good),
        frozenset(block),
        host_network=bool(spec.get("hostNetwork")),
        is_pod=at == "spec",
        host_users=spec.get("hostUsers") is not False,
        restart=spec.get("restartPolicy") or "",
        grace=spec.get("terminationGracePeriodSeconds"),
    )
    if not spec.get("containers"):
        yield required(f"{at}.containers")
    yield from check_containers(spec.get("containers"), parts, f"{at}.containers")
    yield from check_containers(spec.get("initContainers"), parts, f"{at}.initContainers", init=True)
    others = [
        *one_of(spec.get("restartPolicy"), _RESTART_POLICIES, f"{at}.restartPolicy", needed=True),
        *_dns(spec, at),
        *_names(spec, at),
        *check_scheduling(spec, at),
        *_limits(spec, at),
        *_hosts(spec, at),
    ]
    yield from sorted(
        others, key=lambda cause: _PLACES.get(cause.field[len(at) + 1 :].partition(".")[0].partition("[")[0], 0)
    )


def _block(volume: Object) -> bool:
    """Whether a volume may be used as a device."""
    return volume.get("persistentVolumeClaim") is not None or volume.get("ephemeral") is not None


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
    yield from _dns_config(spec.get("dnsConfig"), f"{at}.dnsConfig")


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
        yield not_supported(f"{at}.os", system, _SYSTEMS)
    elif system:
        yield from check_linux(spec, at) if system == "linux" else check_windows(spec, at)
    for index, gate in items(spec, "readinessGates"):
        kind = gate.get("conditionType") or ""
        yield from (invalid(f"{at}.readinessGates[{index}].conditionType", kind, text) for text in qualified_name(kind))
    for index, gate in items(spec, "schedulingGates"):
        name = gate.get("name") or ""
        yield from (invalid(f"{at}.schedulingGates[{index}].name", name, text) for text in qualified_name(name))


def _limits(spec: Object, at: str) -> Iterator[Cause]:
    yield from between(spec.get("activeDeadlineSeconds"), 1, _LARGEST, f"{at}.activeDeadlineSeconds")
    yield from check_resources(spec.get("resources"), f"{at}.resources")
    yield from check_pod_security(spec, at)


def _hosts(spec: Object, at: str) -> Iterator[Cause]:
    for index, alias in items(spec, "hostAliases"):
        where = f"{at}.hostAliases[{index}]"
        yield from ip_address(alias.get("ip") or "", f"{where}.ip")
        for number, name in items(alias, "hostnames"):
            yield from (invalid(f"{where}.hostnames[{number}]", name, text) for text in dns_subdomain(name))


def check_pod_template(obj: Object) -> Iterator[Cause]:
    """What is wrong with a PodTemplate object."""
    yield from check_template(obj.get("template"), "template")
