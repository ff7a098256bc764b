"""Aggregated ClusterRoles: the rules of all roles that the aggregation rule selects (upstream: clusterroleaggregation)."""

from typing import Any

from kilde.core.basics.values import Object, canonical
from kilde.kubeapi.controllers.metadata import deleting, labels_of, name_of
from kilde.kubeapi.controllers.selecting import selects
from kilde.kubeapi.controllers.steps import NOTHING, Controller, Key, Moment, Step, Update, View

RESOURCE = "clusterroles.rbac.authorization.k8s.io"


def controller() -> Controller:
    """Any changed role may be part of any aggregated one: there are few of these."""
    return Controller("clusterrole-aggregation-controller", _reduce, {RESOURCE: _affected}, workers=1)


def _affected(role: Object, view: View) -> list[Key]:
    return [
        Key("", name_of(other))
        for other in view.every(RESOURCE)
        if other.get("aggregationRule") and (_selects(other, role) or name_of(other) == name_of(role))
    ]


def _selects(aggregated: Object, role: Object) -> bool:
    selectors = (aggregated.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    return any(selects(selector, labels_of(role)) for selector in selectors)


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    role = view.get(RESOURCE, "", key.name)
    if role is None or deleting(role) or not role.get("aggregationRule"):
        return NOTHING
    rules: list[Any] = []
    seen: set[bytes] = set()
    for selector in role["aggregationRule"].get("clusterRoleSelectors") or ():
        for other in sorted(view.every(RESOURCE), key=name_of):
            if name_of(other) == key.name or not selects(selector, labels_of(other)):
                continue
            for rule in other.get("rules") or ():
                if canonical(rule) not in seen:
                    seen.add(canonical(rule))
                    rules.append(rule)
    if rules == (role.get("rules") or []):
        return NOTHING
    return Step((Update(RESOURCE, {**role, "rules": rules or None}),))
