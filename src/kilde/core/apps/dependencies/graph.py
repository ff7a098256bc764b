"""A graph of who waits for whom: cycles, an order, and what can be reached. An edge goes from who waits to what it waits for."""

from collections.abc import Callable, Iterable, Mapping

Edges = Callable[[str], Iterable[str]]


def cycle_through(name: str, edges: Edges) -> tuple[str, ...]:
    """A shortest way from a node back to itself, both ends in it; () where there is none."""
    before: dict[str, str] = {}
    level = [name]
    while level:
        further = []
        for node in level:
            for target in edges(node):
                if target == name:
                    return (name, *reversed(_way(node, name, before)), name) if node != name else (name, name)
                if target not in before:
                    before[target] = node
                    further.append(target)
        level = further
    return ()


def _way(node: str, start: str, before: Mapping[str, str]) -> list[str]:
    """From a node back to (not including) the start."""
    out = []
    while node != start:
        out.append(node)
        node = before[node]
    return out


def reaches(name: str, goal: str, edges: Edges) -> bool:
    """Whether a way leads from one node to the other (from a node to itself: by an edge at least)."""
    seen: set[str] = set()
    left = [name]
    while left:
        for target in edges(left.pop()):
            if target == goal:
                return True
            if target not in seen:
                seen.add(target)
                left.append(target)
    return False


def cycles(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """One shortest cycle for each knot of nodes that wait for each other, by name."""
    out: list[tuple[str, ...]] = []
    told: set[str] = set()
    for name in sorted(graph):
        if name in told:
            continue
        way = cycle_through(name, lambda node: graph.get(node, ()))
        if way:
            out.append(way)
            told.update(other for other in graph if _knotted(name, other, graph))
    return out


def _knotted(one: str, other: str, graph: Mapping[str, Iterable[str]]) -> bool:
    def edges(node: str) -> Iterable[str]:
        return graph.get(node, ())

    return reaches(one, other, edges) and reaches(other, one, edges)


def ordered(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, int]]:
    """Every node after all that it waits for, with its depth (0: it waits for nothing); nodes that a cycle holds up are left out."""
    waits = {name: {target for target in targets if target in graph} for name, targets in graph.items()}
    followers: dict[str, list[str]] = {}
    for name, targets in waits.items():
        for target in targets:
            followers.setdefault(target, []).append(name)
    out: list[tuple[str, int]] = []
    level = sorted(name for name, targets in waits.items() if not targets)
    depth = 0
    while level:
        out += [(name, depth) for name in level]
        freed = []
        for name in level:
            for follower in followers.get(name, ()):
                waits[follower].discard(name)
                if not waits[follower]:
                    freed.append(follower)
        level, depth = sorted(freed), depth + 1
    return out
