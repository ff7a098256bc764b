"""`clusters`: one parameter set for each cluster Secret that a selector matches, and for the cluster we run in."""

from typing import Any

from kilde.core.objects.selector import label_selector
from kilde.core.sets.generators.asking import Asking, Generator, Spec
from kilde.core.sets.naming import normalized
from kilde.core.sets.outside import IN_CLUSTER, SERVER, KnownCluster
from kilde.core.sets.parameters import Parameters, bounded

_NOT_SHOWN = (
    "argocd.argoproj.io/refresh", "argocd.argoproj.io/refresh-timestamp", "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/hydrate-timestamp", "argocd.argoproj.io/tracking-id", "argocd.argoproj.io/installation-id",
    "kubectl.kubernetes.io/last-applied-configuration",
)  # fmt: skip
"""Annotations that are Argo CD's own state, or hold the Secret's data: never parameters."""


def _give(spec: Spec, asking: Asking) -> list[Parameters]:
    written = spec.get("selector") or {}
    selector = label_selector(written)
    chosen = [cluster for cluster in asking.outside.clusters() if selector.matches(cluster.labels)]
    found = [asking.values(spec, _parameters(cluster, go=asking.filler.go)) for cluster in chosen]
    ours = any(cluster.server == SERVER for cluster in chosen)
    if selector.everything and not ours:  # the cluster we run in has no labels to select it by
        local: Parameters = {"name": IN_CLUSTER, "nameNormalized": IN_CLUSTER, "server": SERVER, "project": ""}
        found.append(asking.values(spec, local))
    return [{"clusters": found}] if spec.get("flatList") else bounded(found)


def _parameters(cluster: KnownCluster, *, go: bool) -> Parameters:
    out: Parameters = {
        "name": cluster.name,
        "nameNormalized": normalized(cluster.name),
        "server": cluster.server,
        "project": cluster.project,
    }
    annotations = {key: value for key, value in cluster.annotations.items() if key not in _NOT_SHOWN}
    if not go:
        out |= {f"metadata.annotations.{key}": value for key, value in annotations.items()}
        return out | {f"metadata.labels.{key}": value for key, value in cluster.labels.items()}
    metadata: dict[str, Any] = {}
    if cluster.annotations:
        metadata["annotations"] = annotations
    if cluster.labels:
        metadata["labels"] = dict(cluster.labels)
    return out | {"metadata": metadata}


GENERATOR = Generator(give=_give)
