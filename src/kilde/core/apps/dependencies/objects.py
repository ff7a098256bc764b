"""Objects of one application that wait for each other: the annotation on an object orders it within its wave, after what it names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kilde.core.apps.dependencies.graph import cycle_through, ordered
from kilde.core.apps.dependencies.reading import ANNOTATION, Dependency, read
from kilde.core.objects.ref import ObjectRef


@dataclass(frozen=True, slots=True)
class Ranks:
    """The place of each object that waits within its wave (0: at once, and not listed), and what is wrong with what they say."""

    of: Mapping[ObjectRef, int]
    problems: tuple[str, ...] = ()


NO_RANKS = Ranks({})


def ranks(said: Mapping[ObjectRef, str], waves: Mapping[ObjectRef, int], namespace: str) -> Ranks:
    """`said`: the annotations of objects that have one; `waves`: of all objects; `namespace`: of those that name none."""
    problems: list[str] = []
    graph: dict[str, list[str]] = {}
    names = {str(ref): ref for ref in waves}
    for ref, text in sorted(said.items()):
        found = read(text)
        problems += [f"{ref}: {problem}" for problem in found.problems]
        for item in found.items:
            target, why = _target(item, ref, waves, namespace)
            if why:
                problems.append(f"{ref}: {ANNOTATION} item {item.item}: {why}")
            elif target is not None and waves[target] == waves[ref]:
                graph.setdefault(str(ref), []).append(str(target))
                graph.setdefault(str(target), [])
    knotted = next((way for name in sorted(graph) if (way := cycle_through(name, lambda one: graph.get(one, ())))), ())
    if knotted:
        problems.append(f"{ANNOTATION}: objects wait for each other: {' → '.join(knotted)}")
    return Ranks({names[name]: depth for name, depth in ordered(graph) if depth}, tuple(problems))


def _target(
    item: Dependency, ref: ObjectRef, waves: Mapping[ObjectRef, int], namespace: str
) -> tuple[ObjectRef | None, str]:
    """The object of the application that an item names, or why it cannot be."""
    if item.ref is None or item.cluster or item.ready or item.until:
        return (
            None,
            "an object waits for other objects of its application to be there and well; say the rest on the Application",
        )
    places = (item.ref, replace(item.ref, namespace=ref.namespace or namespace))
    target = next((one for one in places if one in waves), None)
    if target is None:
        return None, f"{item.ref} is not in the application"
    if waves[target] > waves[ref]:
        return None, f"{target} is in wave {waves[target]}, after this one ({waves[ref]})"
    return target, ""
