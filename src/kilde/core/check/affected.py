"""Which units a change touches: those whose inputs look differently before it, and those whose own declaration is another one."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kilde.core.basics.values import Object
from kilde.core.check.config import FILE
from kilde.core.check.here import Revisions
from kilde.core.check.inventory import interesting
from kilde.core.check.references import makes
from kilde.core.check.renderer import Plan, Renderer
from kilde.core.check.units import Rendering, SetResult, Spot, Unit
from kilde.core.objects.manifest import Manifest
from kilde.core.source.tree import Tree, touched


def affected(rendering: Rendering, plan: Plan, before: Tree, changed: frozenset[str]) -> Rendering:
    """The same with `affected` said of each unit and set. `before` is the base's tree, `changed` the paths that differ.

    What a render looked at is compared, as the controller does: a file that was looked for in vain counts, too.
    """
    if FILE in changed:
        return rendering  # other rules, or another version: all is judged anew
    looks = touched(before, plan.tree, changed)
    projects = {one.name for one in rendering.projects if _is_in(one, changed)}
    groups = {_group(one) for one in rendering.definitions if _is_in(one, changed)}
    declarations = _Declarations(rendering, plan, before, changed, looks)

    def is_affected(unit: Unit) -> bool:
        if not looks.isdisjoint(unit.seen) or any(item.manifest.group in groups for item in unit.items):
            return True
        return unit.app is not None and (unit.app.project in projects or not declarations.stands(unit))

    units = tuple(replace(unit, affected=is_affected(unit)) for unit in rendering.units)
    return replace(
        rendering,
        units=units,
        removed=_spots(declarations.gone(units)) - _spots(units),
        sets=tuple(
            replace(one, affected=one.declared is None or one.declared.file in changed) for one in rendering.sets
        ),
    )


class _Declarations:
    """Whether an Application was declared before as it is now: in its file, by the unit that brings it, or by its set."""

    def __init__(
        self, rendering: Rendering, plan: Plan, before: Tree, changed: frozenset[str], looks: frozenset[str]
    ) -> None:
        self._before, self._changed, self._looks = before, changed, looks
        self._units = {unit.name: unit for unit in rendering.units}
        self._sets = {f"set {one.name}": one for one in rendering.sets}
        then = replace(plan, tree=before, revisions=_Before(plan.revisions, plan.tree, before))
        self._renderer = Renderer(then, rendering.own_urls, rendering.installation)
        self._brought: dict[str, dict[tuple[str, str], Object] | None] = {}

    def stands(self, unit: Unit) -> bool:
        """Whether it is as it was."""
        key = (unit.app.namespace, unit.app.name) if unit.app else ("", "")
        if not unit.parent:
            file = unit.declared.file if unit.declared else ""
            return file not in self._changed or self._in_file(file, unit.body) is not None
        brought = self._by(unit.parent)
        return brought is not None and brought.get(key) == unit.body

    def gone(self, units: Iterable[Unit]) -> Iterator[Unit]:
        """What the judged units and Applications that are declared no more were before the change."""
        for unit in units:
            if unit.affected:
                body = self._body_before(unit)
                if body is not None:
                    yield self._renderer.application(Manifest(body, unit.declared))
                elif unit.app is None:
                    yield self._renderer.folder(unit.name.partition(" ")[2], unit.name)
        names = {(unit.app.namespace, unit.app.name) for unit in self._units.values() if unit.app}
        for file in sorted(self._changed):
            for manifest in interesting(self._before, file) if self._before.entry(file) is not None else ():
                if manifest.kind == "Application" and (manifest.namespace, manifest.name) not in names:
                    yield self._renderer.application(manifest)

    def _body_before(self, unit: Unit) -> Object | None:
        """How it was declared; None where it was not, or where nobody knows."""
        if unit.app is None:
            return None
        if unit.parent:
            return (self._by(unit.parent) or {}).get((unit.app.namespace, unit.app.name))
        file = unit.declared.file if unit.declared else ""
        if file not in self._changed:
            return unit.body
        found = interesting(self._before, file) if self._before.entry(file) is not None else iter(())
        key = (unit.app.namespace, unit.app.name)
        return next((one.body for one in found if one.kind == "Application" and (one.namespace, one.name) == key), None)

    def _in_file(self, file: str, body: Object) -> Object | None:
        """The same object in the file as it was."""
        if self._before.entry(file) is None:
            return None
        return next((one.body for one in interesting(self._before, file) if one.body == body), None)

    def _by(self, parent: str) -> dict[tuple[str, str], Object] | None:
        """What a unit or a set brought before; None where that is not known, for it was another one itself."""
        if parent not in self._brought:
            self._brought[parent] = None  # two that bring each other
            self._brought[parent] = self._known(parent)
        return self._brought[parent]

    def _known(self, parent: str) -> dict[tuple[str, str], Object] | None:
        owner = self._sets.get(parent)
        if owner is not None:
            return self._of_set(owner)
        unit = self._units.get(parent)
        if unit is None or (unit.app is not None and not self.stands(unit)):
            return None
        if self._looks.isdisjoint(unit.seen):
            return _by_name(item.manifest for item in unit.items)
        then = (
            self._renderer.application(Manifest(unit.body))
            if unit.app
            else self._renderer.folder(unit.name.partition(" ")[2], "")
        )
        return _by_name(item.manifest for item in then.items)

    def _of_set(self, owner: SetResult) -> dict[tuple[str, str], Object] | None:
        file = owner.declared.file if owner.declared else ""
        if file in self._changed and self._in_file(file, owner.body) is None:
            return self._changed_set(file, owner)
        return _by_name(self._renderer.expanded(Manifest(owner.body))[1])

    def _changed_set(self, file: str, owner: SetResult) -> dict[tuple[str, str], Object] | None:
        """What a set made that is another one now: most of its Applications may be the same."""
        if self._before.entry(file) is None:
            return None
        for one in interesting(self._before, file):
            if one.kind == "ApplicationSet" and one.name == owner.name:
                return _by_name(self._renderer.expanded(one)[1])
        return None


class _Before:
    """The revisions as they were before the change: what follows the branch is the base."""

    def __init__(self, now: Revisions, tree: Tree, before: Tree) -> None:
        self._now, self._tree, self._before = now, tree, before

    @property
    def urls(self) -> tuple[str, ...]:
        return self._now.urls

    @property
    def complete(self) -> bool:
        return self._now.complete

    def at(self, revision: str) -> Tree | None:
        found = self._now.at(revision)
        return self._before if found is self._tree else found


def _spots(units: Iterable[Unit]) -> frozenset[Spot]:
    """Where their objects are, and what controllers make of them."""
    found = set()
    for unit in units:
        for item in unit.items:
            found.add(item.spot(unit.cluster))
            found |= {Spot(unit.cluster, item.namespace, "", made.kind, made.name) for made in makes(item.manifest)}
    return frozenset(found)


def _by_name(manifests: Iterator[Manifest] | tuple[Manifest, ...]) -> dict[tuple[str, str], Object]:
    return {(one.namespace, one.name): one.body for one in manifests}


def _is_in(manifest: Manifest, changed: frozenset[str]) -> bool:
    return manifest.origin is not None and manifest.origin.file in changed


def _group(definition: Manifest) -> str:
    spec = definition.body.get("spec")
    return str(spec.get("group", "")) if isinstance(spec, dict) else ""
