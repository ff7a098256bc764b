"""Warnings of kinds other than pods (the WarningsOnCreate and WarningsOnUpdate of Kubernetes' registry)."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.logic.failures import quoted
from kilde.kubeapi.logic.warnings.addresses import address, network
from kilde.kubeapi.logic.warnings.nodes import deprecated_label, node_selector_term
from kilde.kubeapi.logic.warnings.pods import claim_warnings
from kilde.kubeapi.resources.custom.formats import unknown_formats
from kilde.kubeapi.resources.validation.fields import get, items

_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_CLASS_WORDS = 'deprecated since v1.8; use "storageClassName" attribute instead'
_VOLUME_ANNOTATIONS = {
    _OLD_CLASS: _CLASS_WORDS,
    "volume.beta.kubernetes.io/mount-options": 'deprecated since v1.31; use "mountOptions" attribute instead',
}
_VOLUME_SOURCES = {
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_TOKENS = (
    "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of "
    "tokens in volume attributes"
)
_HINTS, _MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
_RECYCLE = (
    "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach "
    "is to use dynamic provisioning."
)
_PEM = re.compile(rb"-----BEGIN [A-Z ]+-----\s.*?-----END [A-Z ]+-----", re.DOTALL)
_TLS_BLOCKS = (("tls.crt", b"CERTIFICATE", "certificate"), ("tls.key", b"PRIVATE KEY", "key"))
Check = Callable[[Object, Object | None], Iterator[str]]


def _resource_slice(obj: Object, _: Object | None) -> Iterator[str]:
    driver = str(get(obj, "spec", "driver", default=""))
    if driver != driver.lower():
        yield f"spec.driver: driver names should be lowercase; {quoted(driver)} contains uppercase characters"


def _service(obj: Object, _: Object | None) -> Iterator[str]:
    spec = obj.get("spec") or {}
    if _HINTS in get(obj, "metadata", "annotations", default={}):
        yield f"annotation {_HINTS} is deprecated, please use {_MODE} instead"
    headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"
    external = spec.get("type") == "ExternalName"
    if not headless and not external:
        for index, ip in items(spec, "clusterIPs"):
            yield from address(str(ip), f"spec.clusterIPs[{index}]")
    if headless:
        ignored = (
            ("loadBalancerIP", spec.get("loadBalancerIP")),
            ("externalIPs", spec.get("externalIPs")),
            ("SessionAffinity", spec.get("sessionAffinity") != "None"),
        )
        yield from (f"spec.{name} is ignored for headless services" for name, there in ignored if there)
    yield from _outside(spec, headless=headless, external=external)


def _outside(spec: Object, *, headless: bool, external: bool) -> Iterator[str]:
    """Of how a service is reached from outside."""
    for index, ip in items(spec, "externalIPs"):
        yield from address(str(ip), f"spec.externalIPs[{index}]")
    if spec.get("externalIPs") and not headless and not external:
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if spec.get("loadBalancerIP"):
        yield from address(str(spec["loadBalancerIP"]), "spec.loadBalancerIP")
    for index, one in items(spec, "loadBalancerSourceRanges"):
        yield from network(str(one), f"spec.loadBalancerSourceRanges[{index}]")
    if external and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not external and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _volume(obj: Object, _: Object | None) -> Iterator[str]:
    spec, annotations = obj.get("spec") or {}, get(obj, "metadata", "annotations", default={})
    for key, words in _VOLUME_ANNOTATIONS.items():
        if key in annotations:
            yield f"metadata.annotations[{key}]: {words}"
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield _RECYCLE
    for index, term in items(spec, "nodeAffinity", "required", "nodeSelectorTerms"):
        yield from node_selector_term(term, f"spec.nodeAffinity.required.nodeSelectorTerms[{index}]")
    for key, words in _VOLUME_SOURCES.items():
        if spec.get(key) is not None:
            yield f"spec.{'storageOS' if key == 'storageos' else key}: {words}"


def _claim(obj: Object, _: Object | None) -> Iterator[str]:
    if _OLD_CLASS in get(obj, "metadata", "annotations", default={}):
        yield f"metadata.annotations[{_OLD_CLASS}]: {_CLASS_WORDS}"
    yield from claim_warnings(obj.get("spec") or {}, "spec")


def _storage_class(obj: Object, _: Object | None) -> Iterator[str]:
    for outer, topology in items(obj, "allowedTopologies"):
        for inner, one in items(topology, "matchLabelExpressions"):
            words = deprecated_label(str(one.get("key") or ""))
            if words:
                yield f"allowedTopologies[{outer}].matchLabelExpressions[{inner}].key: {words}"


def _runtime_class(obj: Object, _: Object | None) -> Iterator[str]:
    for key in get(obj, "scheduling", "nodeSelector", default={}):
        if deprecated_label(key):
            yield f"scheduling.nodeSelector: {deprecated_label(key)}"


def _csi_driver(obj: Object, old: Object | None) -> Iterator[str]:
    spec = obj.get("spec") or {}
    changed = old is None or get(old, "spec", "tokenRequests") != spec.get("tokenRequests")
    if changed and spec.get("tokenRequests") and spec.get("serviceAccountTokenInSecrets") is None:
        yield _TOKENS


def _network_policy(obj: Object, _: Object | None) -> Iterator[str]:
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for outer, rule in items(obj, "spec", side):
            for inner, peer in items(rule, peers):
                block, where = peer.get("ipBlock"), f"spec.{side}[{outer}].{peers}[{inner}].ipBlock"
                if block is not None:
                    yield from network(str(block.get("cidr") or ""), f"{where}.cidr")
                    for index, one in items(block, "except"):
                        yield from network(str(one), f"{where}.except[{index}]")


def _endpoint_slice(obj: Object, old: Object | None) -> Iterator[str]:
    if old is None and obj.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"
    managed = get(obj, "metadata", "labels", "endpointslice.kubernetes.io/managed-by", default="")
    if managed.startswith("endpointslice"):
        return
    for outer, endpoint in items(obj, "endpoints"):
        for inner, one in items(endpoint, "addresses"):
            yield from address(str(one), f"endpoints[{outer}].addresses[{inner}]")


def _ingress(obj: Object, old: Object | None) -> Iterator[str]:
    if old is None and "kubernetes.io/ingress.class" in get(obj, "metadata", "annotations", default={}):
        yield "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"


def _secret(obj: Object, _: Object | None) -> Iterator[str]:
    """A pair for TLS should be one: PEM blocks of the right kinds."""
    if obj.get("type") != "kubernetes.io/tls":
        return
    for key, kind, word in _TLS_BLOCKS:
        blocks = _PEM.findall(_decoded(get(obj, "data", key)))
        if not blocks:
            yield f"tls: failed to find any PEM data in {word} input"
            return
        if not any(kind in block.partition(b"\n")[0] for block in blocks):
            continue


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text or "")
    except (binascii.Error, ValueError):
        return b""


def _service_account(obj: Object, _: Object | None) -> Iterator[str]:
    if get(obj, "metadata", "annotations", _MOUNTABLE) == "true":
        yield (
            f"metadata.annotations[{_MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to "
            "mounted secrets"
        )


def _stateful_set(obj: Object, old: Object | None) -> Iterator[str]:
    spec = "" if old is None else ".Spec"
    for index, template in items(obj, "spec", "volumeClaimTemplates"):
        yield from claim_warnings(template.get("spec") or {}, f"spec.volumeClaimTemplates[{index}]{spec}")
    if (get(obj, "spec", "revisionHistoryLimit", default=0)) < 0:
        yield "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"


def _definition(obj: Object, old: Object | None) -> Iterator[str]:
    """Formats that no value is checked for."""
    known = {*unknown_formats(old)} if old else set()
    yield from (f"unrecognized format {quoted(name)}" for name in unknown_formats(obj) if name not in known)


KINDS: Mapping[str, Check] = {
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
    "csidrivers.storage.k8s.io": _csi_driver,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "ingresses.networking.k8s.io": _ingress,
    "networkpolicies.networking.k8s.io": _network_policy,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "resourceslices.resource.k8s.io": _resource_slice,
    "runtimeclasses.node.k8s.io": _runtime_class,
    "secrets": _secret,
    "serviceaccounts": _service_account,
    "services": _service,
    "statefulsets.apps": _stateful_set,
    "storageclasses.storage.k8s.io": _storage_class,
}
