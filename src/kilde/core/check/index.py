"""Index: all objects of all units by where they go, to answer whether something that is named is there."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from kilde.core.check.references import MADE_BY_KUBERNETES, PodTemplate, makes, pod_template
from kilde.core.check.units import Item, Rendering, Spot, Unit

Where = tuple[str, str]  # cluster and namespace


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

    def is_opaque(self, unit: Unit, namespace: str) -> bool:
        """Whether nobody can say what is not there."""
        return (unit.cluster, namespace) in self._opaque

    def has(self, unit: Unit, namespace: str, group: str, kind: str, name: str) -> bool:
        """Whether there is such an object, or will be."""
        if (kind, name) in MADE_BY_KUBERNETES or Spot(unit.cluster, namespace, group, kind, name) in self.spots:
            return True
        return any((unit.cluster, where, kind, name) in self._made for where in (namespace, "*"))
