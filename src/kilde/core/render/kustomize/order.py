"""The order of the output: `legacy` by kind, `fifo` as the objects came."""

from collections.abc import Mapping
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
    ranks = {kind: index - len(first) for index, kind in enumerate(first)}
    ranks |= {kind: index + 1 for index, kind in enumerate(last)}

    def key(resource: Resource) -> tuple[Any, ...]:
        gvk, name, namespace = resource.id
        # among Namespaces the core group's come first, though an empty group sorts behind others elsewhere
        core_first = 0 if gvk.kind == "Namespace" and not gvk.group else 1
        return (ranks.get(gvk.kind, 0), core_first, _text(gvk), f"{gvk}|{namespace or '~X'}|{name or '~N'}")

    return sorted(resources, key=key)


def _text(gvk: Gvk) -> str:
    return f"{gvk.group or '~G'}_{gvk.version or '~V'}_{gvk.kind or '~K'}"
