"""Everything a repository renders to: its Applications, those that they bring along, and the folders that none points to."""

import posixpath
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kilde.core.basics.errors import LimitExceeded, Place
from kilde.core.check.here import own_urls
from kilde.core.check.installation import installation_of
from kilde.core.check.inventory import CRD, KINDS, Inventory, asked_urls, take_inventory
from kilde.core.check.renderer import Plan, Renderer
from kilde.core.check.units import Item, Rendering, SetResult, Unit
from kilde.core.objects.kinds import is_namespaced
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind
from kilde.core.render.kustomize.kustomization import FILE_NAMES

_MOST_UNITS = 50_000
_DEEPEST = 10  # Applications that bring Applications
_TOLD_EVERY = 20


@dataclass(frozen=True, slots=True)
class _Declared:
    """An Application or a set with what brought it: the name of a unit, `set NAME`, or "" for one in a file."""

    manifest: Manifest
    parent: str = ""
    depth: int = 0


def rendered(plan: Plan, inventory: Inventory | None = None) -> Rendering:
    """Renders all of it. What does not render is a unit with its failure; nothing is raised for it."""
    return _Rendering(plan, inventory or take_inventory(plan.tree)).whole()


class _Rendering:
    def __init__(self, plan: Plan, inventory: Inventory) -> None:
        self._plan, self._inventory = plan, inventory
        self._own, self._guessed = own_urls(plan.revisions, asked_urls(inventory))
        self._installation = installation_of((*inventory.written, *inventory.named))
        self._renderer = Renderer(plan, self._own, self._installation)
        self._units: list[Unit] = []
        self._met: set[tuple[str, str, str, Place | None]] = set()
        self._sets: list[SetResult] = []
        self._projects: list[Manifest] = []
        self._definitions: list[Manifest] = []
        self._waiting: deque[_Declared] = deque()

    def whole(self) -> Rendering:
        self._sort(self._inventory.written, "", 0)
        self._drain()
        built = self._renderer.built_from
        for folder in self._inventory.kustomizations:
            if not any(posixpath.join(folder, name) in built for name in FILE_NAMES):
                self._folder(folder, "kustomization", FILE_NAMES)
        for folder in self._inventory.charts:
            if posixpath.join(folder, "Chart.yaml") not in built:
                self._folder(folder, "chart", ("Chart.yaml",))
        left = [one for one in self._inventory.named if one.origin is None or one.origin.file not in built]
        self._sort(left, "", 0)
        self._drain()
        self._definitions += self._plan.definitions  # after the repository's own, which are what is to be
        scopes = defined_scopes(self._definitions)
        return Rendering(
            units=tuple(replace(one, items=tuple(_scoped(item, scopes) for item in one.items)) for one in self._units),
            sets=tuple(self._sets),
            projects=tuple(self._projects),
            definitions=tuple(self._definitions),
            own_urls=self._own,
            home=self._plan.home,
            unread=(*self._inventory.unread, *filter(None, (self._installation.problem,))),
            installation=self._installation,
            guessed=self._own[-1] if self._guessed else "",
        )

    def _sort(self, found: Iterable[Manifest], parent: str, depth: int) -> None:
        """Puts what a unit or a file has where it belongs; what is not read as it was meant declares nothing."""
        for manifest in found:
            if manifest.mistake is not None:
                continue
            if (manifest.group, manifest.kind) == CRD:
                self._definitions.append(manifest)
            elif (manifest.group, manifest.kind) in KINDS and manifest.kind == "AppProject":
                self._projects.append(manifest)
            elif (manifest.group, manifest.kind) in KINDS and depth <= _DEEPEST:
                self._waiting.append(_Declared(manifest, parent, depth))

    def _drain(self) -> None:
        while self._waiting:
            if len(self._units) >= _MOST_UNITS:
                raise LimitExceeded(
                    f"more than {_MOST_UNITS} applications", hint="judge a part of the repository by itself"
                )
            one = self._waiting.popleft()
            manifest = one.manifest
            known = (manifest.kind, manifest.namespace, manifest.name, manifest.origin)
            if known in self._met:
                continue  # the same one, met on two ways
            self._met.add(known)
            if one.manifest.kind == "ApplicationSet":
                self._expand(one)
            else:
                self._application(one)

    def _application(self, one: _Declared) -> None:
        self._tell(one.manifest.name)
        self._add(self._renderer.application(one.manifest, parent=one.parent), one.depth)

    def _expand(self, one: _Declared) -> None:
        result, made = self._renderer.expanded(one.manifest)
        self._sets.append(result)
        self._sort(made, f"set {result.name}", one.depth + 1)

    def _folder(self, path: str, kind: str, files: Iterable[str]) -> None:
        name = f"{kind} {path or '.'}"
        self._tell(name)
        unit = self._renderer.folder(path, name)
        file = next(
            one for one in (posixpath.join(path, file) for file in files) if self._plan.tree.entry(one) is not None
        )
        self._add(replace(unit, declared=Place(file)), 0)
        self._drain()

    def _add(self, unit: Unit, depth: int) -> None:
        self._units.append(unit)
        self._sort((item.manifest for item in unit.items), unit.name, depth + 1)

    def _tell(self, what: str) -> None:
        if len(self._units) % _TOLD_EVERY == 0:
            self._plan.progress(f"rendering {what} ({len(self._units)})")


def defined_scopes(definitions: Iterable[Manifest]) -> dict[GroupKind, bool]:
    """Whether the kinds of these CRDs are namespaced; of two that define one the first counts."""
    found: dict[GroupKind, bool] = {}
    for manifest in definitions:
        spec = manifest.body.get("spec")
        names = spec.get("names") if isinstance(spec, dict) else None
        if isinstance(spec, dict) and isinstance(names, dict):
            kind = GroupKind(str(spec.get("group", "")), str(names.get("kind", "")))
            found.setdefault(kind, spec.get("scope") != "Cluster")
    return found


def _scoped(item: Item, scopes: dict[GroupKind, bool]) -> Item:
    """The object with its namespace; one of a cluster-scoped kind has none."""
    manifest = item.manifest
    namespaced = is_namespaced(manifest.group, manifest.kind)
    if namespaced is None:
        namespaced = scopes.get(GroupKind(manifest.group, manifest.kind), True)
    return item if namespaced else Item(manifest, "")
