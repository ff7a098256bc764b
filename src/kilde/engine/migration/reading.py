"""Reads another controller's installation: lists, no writes. Of Secrets nothing but names, types and addresses leaves this module."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

import msgspec

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.migrate.argocd import SECRET_TYPE, Installation, is_controller
from kilde.core.migrate.model import Workload
from kilde.core.source.repository_url import redact
from kilde.engine.fleet.applications import APPLICATIONS, CONFIG_MAPS, SECRETS
from kilde.engine.fleet.clusters import load_clusters
from kilde.engine.fleet.projects import PROJECTS
from kilde.engine.sets.store import SETS
from kilde.ports.cluster import Cluster, Resource

STATEFUL_SETS = Resource("apps", "v1", "StatefulSet", "statefulsets", True)
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", True)
PODS = Resource("", "v1", "Pod", "pods", True)
_TOLD = ("url", "name", "server", "project", "type")
_decode = msgspec.json.Decoder(dict).decode


class Reader:
    """Lists kinds; what is not served is empty, what may not be read is noted."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.unread: list[str] = []

    async def list(self, resource: Resource, namespace: str = "", *, selector: str = "") -> list[Object]:
        """Raises ClusterError where the server does not answer."""
        try:
            raws = await self._cluster.list(resource, namespace, label_selector=selector)
        except ClusterError as error:
            if error.status == 404:
                return []
            if error.status != 403:
                raise
            self.unread.append(f"{resource.kind}s" + (f" in {namespace}" if namespace else ""))
            return []
        return sorted(map(_decode, raws), key=_place)


def _place(body: Object) -> tuple[str, str]:
    meta = body.get("metadata") or {}
    return str(meta.get("namespace", "")), str(meta.get("name", ""))


async def read_argocd(cluster: Cluster, namespace: str, where: str) -> Installation:
    """All that there is of Argo CD. Raises ClusterError."""
    reader = Reader(cluster)
    everywhere = await reader.list(APPLICATIONS)
    if reader.unread:
        reader.unread.clear()
        everywhere = await reader.list(APPLICATIONS, namespace)
    own = [body for body in everywhere if _place(body)[0] == namespace]
    secrets = await reader.list(SECRETS, namespace, selector=SECRET_TYPE)
    maps = await reader.list(CONFIG_MAPS, namespace)
    return Installation(
        cluster=where,
        namespace=namespace,
        applications=own,
        projects=await reader.list(PROJECTS, namespace),
        sets=await reader.list(SETS, namespace),
        credentials=[_told(secret) for secret in secrets],
        config={name: body.get("data") or {} for body in maps if (name := _place(body)[1]).startswith("argocd-")},
        clusters=(await load_clusters(cluster, namespace))[0],
        workloads=await controllers(reader, namespace),
        operators=await _operators(cluster, reader, namespace),
        elsewhere=tuple("/".join(_place(body)) for body in everywhere if _place(body)[0] != namespace),
        unread=tuple(reader.unread),
    )


async def controllers(reader: Reader, namespace: str) -> tuple[Workload, ...]:
    """The StatefulSets and Deployments that write Applications, and how many pods each has."""
    found = [
        body
        for resource in (STATEFUL_SETS, DEPLOYMENTS)
        for body in await reader.list(resource, namespace)
        if is_controller(body)
    ]
    pods = await reader.list(PODS, namespace) if found else []
    return tuple(workload(body, pods) for body in found)


def workload(body: Object, pods: Iterable[Object]) -> Workload:
    """One of them. A pod counts until it is gone: while it ends, it may still write."""
    namespace, name = _place(body)
    spec = body.get("spec") or {}
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or [{}]
    wanted = spec.get("replicas")
    return Workload(
        kind=str(body.get("kind", "")),
        namespace=namespace,
        name=name,
        replicas=1 if wanted is None else int(wanted),
        pods=sum(1 for pod in pods if _belongs(pod, spec.get("selector"))),
        image=str(containers[0].get("image") or ""),
    )


def _belongs(pod: Object, selector: Any) -> bool:
    labels = (pod.get("metadata") or {}).get("labels") or {}
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    wanted = (selector or {}).get("matchLabels") or {}
    return not ended and bool(wanted) and all(labels.get(key) == text for key, text in wanted.items())


def _told(secret: Object) -> dict[str, str]:
    """A labelled Secret without what it holds: only the keys that name things are opened."""
    meta = secret.get("metadata") or {}
    data = secret.get("data") or {}
    told = {key: _text(data.get(key)) for key in _TOLD if key in data}
    told["url"] = redact(told.get("url") or told.get("server") or "")
    return {**told, "kind": str((meta.get("labels") or {}).get(SECRET_TYPE, "")), "name": str(meta.get("name", ""))}


def _text(encoded: Any) -> str:
    try:
        return base64.b64decode(str(encoded)).decode()[:500]
    except (binascii.Error, UnicodeDecodeError):
        return ""


async def _operators(cluster: Cluster, reader: Reader, namespace: str) -> tuple[str, ...]:
    kind = (await cluster.discovery()).resource("argoproj.io", "ArgoCD")
    if kind is None:
        return ()
    return tuple(f"ArgoCD {'/'.join(_place(body))}" for body in await reader.list(kind, namespace))
