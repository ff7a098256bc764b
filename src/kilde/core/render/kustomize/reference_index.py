"""The objects that a reference may mean, by what they were once called and where they are now.

What makes fixing references linear: 1,000 overlays of one base have 1,000 objects of the same former name, and of these a
reference looks only at those in its reach that went through its own prefixes and suffixes.
"""

from collections.abc import Iterable, Iterator

from kilde.core.render.kustomize.resource import DEFAULT_NAMESPACE, NO_NAMESPACE, ResId, Resource

_EVERYTHING: frozenset[str] = frozenset()


class Candidate:
    """A renamed object. `scope` is its namespace as ids compare it, `origin` the one it had at first, `at` its position."""

    __slots__ = ("at", "former", "id", "origin", "resource", "scope")

    def __init__(self, at: int, resource: Resource, now: ResId, origin: str) -> None:
        self.at, self.resource, self.id = at, resource, now
        self.scope, self.origin = now.effective_namespace, origin
        self.former = resource.former_ids


class Shelf:
    """Candidates of one name and kind that are in one namespace now."""

    def __init__(self) -> None:
        self.everyone: list[Candidate] = []
        self._by_prefix: dict[str, list[Candidate]] = {}
        self._by_suffix: dict[str, list[Candidate]] = {}

    def add(self, candidate: Candidate) -> None:
        self.everyone.append(candidate)
        self._by_prefix.setdefault(_last(candidate.resource.prefixes), []).append(candidate)
        self._by_suffix.setdefault(_last(candidate.resource.suffixes), []).append(candidate)

    def near(self, resource: Resource) -> list[Candidate]:
        """Those whose prefixes, or else suffixes, can end as this object's do; all of them where it has neither."""
        for shelves, affixes in ((self._by_prefix, resource.prefixes), (self._by_suffix, resource.suffixes)):
            if affixes:
                return [*shelves.get(affixes[-1], ()), *shelves.get("", ())]
        return self.everyone


def _last(affixes: list[str]) -> str:
    return affixes[-1] if affixes else ""


class Index:
    """Made of the objects as they are; `everyone` that was never renamed can be in reach, but not be meant."""

    def __init__(self, everyone: Iterable[Resource]) -> None:
        self._by_name: dict[str, list[Candidate]] = {}
        self._shelves: dict[tuple[str, str], dict[str, dict[str, Shelf]]] = {}
        self._origins: dict[str, set[str]] = {}
        self._origins_by_namespace: dict[str, set[str]] = {}
        self._all_origins: set[str] = set()
        for at, resource in enumerate(everyone):
            now, origin = resource.id, resource.original_id.effective_namespace
            if origin != NO_NAMESPACE:
                self._all_origins.add(origin)
                self._origins.setdefault(now.effective_namespace, set()).add(origin)
                self._origins_by_namespace.setdefault(now.namespace, set()).add(origin)
            if resource.former:
                candidate = Candidate(at, resource, now, origin)
                for name in dict.fromkeys(name for _, name, _ in resource.former):
                    self._by_name.setdefault(name, []).append(candidate)

    def origins(self, referrer: ResId, reachable: frozenset[str]) -> set[str]:
        """The namespaces where everything that this object can mean was at first."""
        if referrer.gvk.cluster_scoped:
            return self._all_origins
        scopes = (referrer.effective_namespace, NO_NAMESPACE)
        found = [self._origins.get(scope, _EVERYTHING) for scope in scopes]
        found += [self._origins_by_namespace.get(namespace, _EVERYTHING) for namespace in reachable]
        return set().union(*found)

    def shelves(self, name: str, kind: str, referrer: ResId, reachable: frozenset[str]) -> list[Shelf]:
        """What once had this name and this kind ("": any) and can be meant: objects elsewhere cannot, except by
        cluster-scoped ones and by a RoleBinding's subjects (`reachable`).
        """
        if name not in self._by_name:
            return []
        shelves = self._shelves.get((name, kind))
        if shelves is None:
            shelves = self._shelves[name, kind] = self._arranged(name, kind)
        if referrer.gvk.cluster_scoped:
            return [shelf for found in shelves.values() for shelf in found.values()]
        mine = (referrer.effective_namespace, NO_NAMESPACE)
        return [*_of(shelves, mine), *_of(shelves, _scopes(reachable), besides=mine, only=reachable)]

    def _arranged(self, name: str, kind: str) -> dict[str, dict[str, Shelf]]:
        """Scope → namespace as written → shelf."""
        found: dict[str, dict[str, Shelf]] = {}
        for candidate in self._by_name[name]:
            if not kind or any(former.gvk.kind == kind for former in candidate.former):
                shelves = found.setdefault(candidate.scope, {})
                shelves.setdefault(candidate.id.namespace, Shelf()).add(candidate)
        return found


def _scopes(namespaces: Iterable[str]) -> Iterator[str]:
    return iter(dict.fromkeys(namespace or DEFAULT_NAMESPACE for namespace in namespaces))


def _of(
    shelves: dict[str, dict[str, Shelf]],
    scopes: Iterable[str],
    *,
    besides: tuple[str, ...] = (),
    only: frozenset[str] | None = None,
) -> Iterator[Shelf]:
    for scope in scopes:
        if scope not in besides:
            for namespace, shelf in shelves.get(scope, {}).items():
                if only is None or namespace in only:
                    yield shelf
