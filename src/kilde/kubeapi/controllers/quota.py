"""ResourceQuotas: what a namespace uses of what it may (upstream: controller/resourcequota)."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import deleting, name_of, namespace_of, with_status
from kilde.kubeapi.controllers.steps import NOTHING, Controller, Key, Moment, Step, Trigger, Update, View, itself
from kilde.kubeapi.resources.quota_names import COUNTED_OBJECTS
from kilde.kubeapi.resources.quota_usage import Usage, in_scope, storage_of, usage_of, written

RESOURCE = "resourcequotas"
_COUNTED = (
    *COUNTED_OBJECTS,
    *(f"{plural}.apps" for plural in ("deployments", "replicasets", "statefulsets", "daemonsets")),
    *(
        "jobs.batch",
        "cronjobs.batch",
        "serviceaccounts",
        "limitranges",
        "endpoints",
        "horizontalpodautoscalers.autoscaling",
    ),
    *("poddisruptionbudgets.policy", "ingresses.networking.k8s.io", "networkpolicies.networking.k8s.io"),
    *("roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io", "endpointslices.discovery.k8s.io"),
)
_ZERO = Fraction(0)


def controller() -> Controller:
    """The quota controller, woken by whatever a quota counts."""
    triggers: dict[str, Trigger] = dict.fromkeys(_COUNTED, _of_namespace)
    return Controller("resourcequota-controller", _reduce, {**triggers, RESOURCE: itself})


def _of_namespace(obj: Object, view: View) -> list[Key]:
    return [Key(namespace_of(quota), name_of(quota)) for quota in view.every(RESOURCE, namespace_of(obj))]


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    quota = view.get(RESOURCE, *key)
    if quota is None or deleting(quota):
        return NOTHING
    hard: dict[str, Any] = (quota.get("spec") or {}).get("hard") or {}
    uses = {storage: list(_uses(storage, key.namespace, quota, view)) for storage in set(map(storage_of, hard))}
    used = {name: written(name, sum((use.get(name, _ZERO) for use in uses[storage_of(name)]), _ZERO)) for name in hard}
    status = {"hard": hard, "used": used}
    return Step((Update(RESOURCE, with_status(quota, status), "status"),)) if status != quota.get("status") else NOTHING


def _uses(storage: str, namespace: str, quota: Object, view: View) -> Iterator[Usage]:
    """What each object uses that the quota is about."""
    for obj in view.every(storage, namespace) if storage in _COUNTED else ():
        if storage != "pods" or in_scope(quota["spec"], obj):
            yield usage_of(storage, obj)
