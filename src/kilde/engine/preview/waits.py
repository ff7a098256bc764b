"""What the syncs of a plan would wait for: applications that they depend on, as those would be with the plan, and cycles among them."""

from collections.abc import Iterable, Mapping

from kilde.core.apps.application import Application
from kilde.core.apps.dependencies.graph import cycle_through
from kilde.core.apps.dependencies.reading import Dependency, depends_on
from kilde.core.apps.dependencies.waiting import application_lack
from kilde.core.preview.model import Finding


def waits(fleet: Mapping[str, Application], changed: Iterable[str]) -> dict[str, list[Finding]]:
    """Findings for each of the applications that are `changed`; `fleet`: all there are, as they would be."""
    names = frozenset(changed)

    def edges(name: str) -> Iterable[str]:
        app = fleet.get(name)
        return (
            (item.application for item in depends_on(app.annotations, app.home).items if item.application)
            if app
            else ()
        )

    found: dict[str, list[Finding]] = {}
    for name in names & fleet.keys():
        said = depends_on(fleet[name].annotations, fleet[name].home)
        grave = list(said.problems)
        if way := cycle_through(name, edges):
            grave.append(f"depends on itself: {' → '.join(way)}; it will not be synced")
        told = [] if way else [text for item in said.items if (text := _wait(item, fleet, names))]
        found[name] = [
            *(Finding(kind="dependency", text=text, grave=True) for text in grave),
            *(Finding(kind="waits", text=text) for text in told),
        ]
    return found


def _wait(item: Dependency, fleet: Mapping[str, Application], changed: frozenset[str]) -> str:
    if item.ref is not None:
        return f"is synced once {item} is there and ready"
    if item.application in changed:
        return f"is synced after {item}, which changes too"
    lack = application_lack(fleet.get(item.application), item.until, at_newest=True)
    return f"will wait for {item}, which {lack}" if lack else ""
