"""What the doctor looks for among all objects of a cluster: those whose application is gone. Only metadata is asked for."""

from collections.abc import Iterator

import msgspec

from kilde.adapters.cluster.client import KubeCluster
from kilde.core.access.kind_filter import read_kind_filter
from kilde.core.apps.clusters import IN_CLUSTER
from kilde.core.basics.errors import ClusterError
from kilde.core.doctor.finding import Finding, Verdict
from kilde.core.doctor.orphans import judge_orphans
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import Tracking, read_tracking
from kilde.engine.fleet.applications import APPLICATIONS, CONFIG_MAPS
from kilde.ports.cluster import Resource

_MOST = 200_000  # objects


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""
    namespace: str = ""
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    ownerReferences: list[msgspec.Raw] = []  # noqa: N815  # the wire's own name


class _Object(msgspec.Struct):
    metadata: _Meta = _Meta()


_decode = msgspec.json.Decoder(_Object).decode


async def look_for_orphans(cluster: KubeCluster, namespace: str) -> list[Finding]:
    """Lists the metadata of every kind once; nothing where the cluster knows no Applications. ClusterError."""
    served = await cluster.discovery()
    if served.resource(APPLICATIONS.group, APPLICATIONS.kind) is None:
        return []
    raw = await cluster.get(CONFIG_MAPS, namespace, "argocd-cm")
    data = (msgspec.json.decode(raw).get("data") or {}) if raw else {}
    tracking, kinds = read_tracking(data), read_kind_filter(data)
    if kinds.problems:
        said = f"cannot tell which kinds are excluded: {'; '.join(kinds.problems)}"
        return [Finding(area="cluster", check="orphans", verdict=Verdict.UNKNOWN, says=said)]
    names = await _applications(cluster, namespace)
    tracked: list[tuple[str, str]] = []
    seen = unread = 0
    for resource in served.all():
        if "list" not in resource.verbs or kinds.hides(IN_CLUSTER, resource.group, resource.kind):
            continue
        if seen >= _MOST:
            unread += 1
            continue
        try:
            found = await cluster.list(resource, metadata_only=True)
            seen += len(found)
            tracked += _tracked(found, resource, tracking)
        except (ClusterError, msgspec.DecodeError):
            unread += 1
    return judge_orphans(tracked, names, unread=unread)


async def _applications(cluster: KubeCluster, namespace: str) -> frozenset[str]:
    """Applications as tracking ids call them; those of other namespaces, where they may be read, by both names."""
    try:
        found = await cluster.list(APPLICATIONS)
    except ClusterError:
        found = await cluster.list(APPLICATIONS, namespace)
    metas = [_decode(raw).metadata for raw in found]
    return frozenset(each.name if each.namespace == namespace else f"{each.namespace}_{each.name}" for each in metas)


def _tracked(found: list[bytes], resource: Resource, tracking: Tracking) -> Iterator[tuple[str, str]]:
    for raw in found:
        meta = _decode(raw).metadata
        ref = ObjectRef(resource.group, resource.kind, meta.namespace, meta.name)
        owner = tracking.owner({"annotations": meta.annotations, "labels": meta.labels}, ref)
        if owner and not (
            tracking.method == "label" and meta.ownerReferences
        ):  # labels are copied to what controllers make
            yield owner, str(ref)
