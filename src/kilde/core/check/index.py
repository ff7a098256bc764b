"""Index: all objects of all units by where they go, to answer whether something that is named is there."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from kilde.core.check.references import MADE_BY_KUBERNETES, PodTemplate, at, makes, pod_template
from kilde.core.check.units import Item, Rendering, Spot, Unit

Where = tuple[str, str]  # cluster and namespace
# Groups whose controllers make neither pods nor Services.
_MAKE_NO_PODS = ("k8s.io", "argoproj.io", "bitnami.com", "external-secrets.io", "cert-manager.io")
_WATCH_ONLY = frozenset({"ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe"})


@dataclass(frozen=True, slots=True)
class Pods:
    """A workload's pods."""

    unit: Unit
    item: Item
    template: PodTemplate


class Index:
    """Made once for a rendering; each table when it is first asked for."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    @cached_property
    def spots(self) -> dict[Spot, list[tuple[Unit, Item]]]:
        """Every object that has a name, by where it goes."""
        found: dict[Spot, list[tuple[Unit, Item]]] = defaultdict(list)
        for unit in self._rendering.units:
            for item in unit.items:
                if item.manifest.name:
                    found[item.spot(unit.cluster)].append((unit, item))
        return found

    @cached_property
    def _made(self) -> set[tuple[str, str, str, str]]:
        """Cluster, namespace, kind and name of what controllers make; "*" for every namespace."""
        return {
            (unit.cluster, "*" if made.everywhere else item.namespace, made.kind, made.name)
            for unit in self._rendering.units
            for item in unit.items
            for made in makes(item.manifest)
        }

    @cached_property
    def _opaque(self) -> set[Where]:
        """Where something deploys that we cannot look into: what is missing there may be in it."""
        return {
            (unit.cluster, unit.app.destination.namespace)
            for unit in self._rendering.units
            if unit.app is not None and (unit.unjudged or unit.failure is not None)
        }

    @cached_property
    def pods(self) -> dict[Where, list[Pods]]:
        """The pods of workloads, by where they go."""
        found: dict[Where, list[Pods]] = defaultdict(list)
        for unit in self._rendering.units:
            for item in unit.items:
                template = pod_template(item.manifest)
                if template is not None:
                    found[unit.cluster, item.namespace].append(Pods(unit, item, template))
        return found

    @cached_property
    def _hidden(self) -> set[str] | None:
        """Namespaces into which sets that are not expanded deploy; None: any."""
        found: set[str] = set()
        for one in self._rendering.sets:
            if one.unjudged:
                namespace = at(one.body, "spec", "template", "spec", "destination", "namespace")
                if not isinstance(namespace, str) or "{{" in namespace:
                    return None
                found.add(namespace)
        return found

    @cached_property
    def operated(self) -> set[Where]:
        """Where there are custom resources, whose controllers may make anything."""
        return {
            (unit.cluster, item.namespace)
            for unit in self._rendering.units
            for item in unit.items
            if "." in item.manifest.group
            and not item.manifest.group.endswith(_MAKE_NO_PODS)
            and item.manifest.kind not in _WATCH_ONLY
        }

    def is_opaque(self, unit: Unit, namespace: str) -> bool:
        """Whether nobody can say what is not there."""
        return (unit.cluster, namespace) in self._opaque or self._hidden is None or namespace in self._hidden

    def has(self, unit: Unit, namespace: str, group: str, kind: str, name: str) -> bool:
        """Whether there is such an object, or will be."""
        if (kind, name) in MADE_BY_KUBERNETES or Spot(unit.cluster, namespace, group, kind, name) in self.spots:
            return True
        return any((unit.cluster, where, kind, name) in self._made for where in (namespace, "*"))
