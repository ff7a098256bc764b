"""Warnings of files in a pod's volumes that lie in each other's way."""

from collections.abc import Iterator
from typing import NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.logic.failures import quoted
from kilde.kubeapi.resources.validation.fields import items


class _Placed(NamedTuple):
    path: str
    source: str

    def __str__(self) -> str:
        return f"{quoted(self.path)} ({self.source})" if self.source else quoted(self.path)


def overlapping(volumes: list[Object]) -> Iterator[str]:
    """What to say of the volumes of a pod."""
    for volume in volumes:
        name = quoted(str(volume.get("name") or ""))
        for kind, label, field in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            source = volume.get(kind)
            if source is not None:
                told = f"{label} {quoted(str(source.get(field) or ''))}"
                yield from _clashes(_files(source, ""), f"volume {name} ({told})")
        if volume.get("downwardAPI") is not None:
            yield from _clashes(_files(volume["downwardAPI"], ""), f"volume {name} (DownwardAPI)")
        if volume.get("projected") is not None:
            yield from _projected(volume["projected"], name)


def _projected(source: Object, name: str) -> Iterator[str]:
    placed: list[_Placed] = []
    for _, one in items(source, "sources"):
        if not one:
            yield f"volume {name} (Projected) has no sources provided"
        placed.extend(_sources(one or {}))
    yield from _clashes(placed, f"volume {name} (Projected)")


def _sources(one: Object) -> Iterator[_Placed]:
    for kind, label in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if one.get(kind) is not None:
            yield from _files(one[kind], f"{label} {quoted(str(one[kind].get('name') or ''))}")
    if one.get("downwardAPI") is not None:
        yield from _files(one["downwardAPI"], "DownwardAPI")
    if one.get("serviceAccountToken") is not None:
        yield _Placed(str(one["serviceAccountToken"].get("path") or ""), "ServiceAccountToken")
    bundle = one.get("clusterTrustBundle")
    if bundle is not None:
        label = str(bundle.get("name") or bundle.get("signerName") or "")
        yield _Placed(str(bundle.get("path") or ""), f"ClusterTrustBundle {quoted(label)}")


def _files(source: Object, label: str) -> list[_Placed]:
    return [_Placed(str(item.get("path") or ""), label) for _, item in items(source, "items")]


def _clashes(placed: list[_Placed], head: str) -> Iterator[str]:
    known: list[_Placed] = []
    for one in placed:
        found = one._replace(path=one.path.rstrip("/"))
        for other in known:
            mine, theirs = f"{found.path}/", f"{other.path}/"
            if found.path and other.path and (theirs.startswith(mine) or mine.startswith(theirs)):
                yield f"{head}: overlapping paths: {found} with {other}"
        known.append(found)
