"""The order of the output: `legacy` by kind, `fifo` as the objects came."""

from collections.abc import Mapping
from functools import cmp_to_key
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.kustomize.kustomization import Kustomization
from kilde.core.render.kustomize.resource import Gvk, Resource

ORDER_FIRST = (
    "Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy",
    "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service",
    "LimitRange", "PriorityClass", "PersistentVolume", "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob",
    "PodDisruptionBudget",
)  # fmt: skip
ORDER_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def ordered(
    resources: list[Resource], options: Mapping[str, Any] | None, reorder: str, kustomization: Kustomization
) -> list[Resource]:
    """The resources in the order that `sortOptions`, or else the `--reorder` flag, asks for (default: legacy)."""
    if options is None:
        return resources if reorder == "none" else _legacy(resources, ORDER_FIRST, ORDER_LAST)
    order, legacy = options.get("order") or "", options.get("legacySortOptions")
    if order not in ("fifo", "legacy"):
        raise RenderFailed(
            "must be fifo or legacy", about="sortOptions.order", place=kustomization.place("sortOptions")
        )
    if order == "fifo":
        if legacy is not None:
            raise RenderFailed(
                "is set, but the order is fifo",
                about="sortOptions.legacySortOptions",
                place=kustomization.place("sortOptions"),
            )
        return resources
    if legacy is None:
        return _legacy(resources, ORDER_FIRST, ORDER_LAST)
    return _legacy(resources, tuple(legacy.get("orderFirst") or ()), tuple(legacy.get("orderLast") or ()))


def _legacy(resources: list[Resource], first: tuple[str, ...], last: tuple[str, ...]) -> list[Resource]:
    ranks = _ranks(first, last)

    def key(resource: Resource) -> tuple[int, tuple[str, str], str, str]:
        gvk, name, namespace = resource.id
        core = "Namespace" if gvk.kind == "Namespace" and not gvk.group else ""
        return ranks.get(gvk.kind, 0), (core, gvk.kind), _text(gvk), f"{gvk}|{namespace or '~X'}|{name or '~N'}"

    keys = {id(resource): key(resource) for resource in resources}
    return sorted(resources, key=cmp_to_key(lambda a, b: _compare(keys[id(a)], keys[id(b)])))


def _compare(a: tuple[int, tuple[str, str], str, str], b: tuple[int, tuple[str, str], str, str]) -> int:
    """By rank, then by text; among Namespaces the core group's come first, though no group sorts behind any elsewhere."""
    if a[0] == b[0] and a[1][1] == b[1][1] == "Namespace" and a[1][0] != b[1][0]:
        return -1 if a[1][0] else 1
    left, right = (a[0], a[2], a[3]), (b[0], b[2], b[3])
    return -1 if left < right else 1 if left > right else 0


def _ranks(first: tuple[str, ...], last: tuple[str, ...]) -> dict[str, int]:
    ranks = {kind: index - len(first) for index, kind in enumerate(first)}
    return ranks | {kind: index + 1 for index, kind in enumerate(last)}


_RANKS = _ranks(ORDER_FIRST, ORDER_LAST)


def order_of_gvk(gvk: Gvk) -> tuple[int, str]:
    """Where a gvk stands among others, as kustomize sorts its field specs."""
    return _RANKS.get(gvk.kind, 0), _text(gvk)


def _text(gvk: Gvk) -> str:
    return f"{gvk.group or '~G'}_{gvk.version or '~V'}_{gvk.kind or '~K'}"
