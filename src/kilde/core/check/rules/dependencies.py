"""Dependencies of Applications (`kilde.dev/depends-on`) that nothing can honour: what cannot be read, and cycles."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from kilde.core.apps.dependencies.graph import cycles
from kilde.core.apps.dependencies.reading import ANNOTATION, depends_on
from kilde.core.apps.names import place_of
from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.renderer import ARGO_NAMESPACE
from kilde.core.check.rule import Rule
from kilde.core.check.units import Unit

_UNSAID = "-"  # for a namespace that is not written; none is called so
_AT = ("metadata", "annotations", ANNOTATION)


def _dependencies(context: Context) -> Iterator[Problem]:
    fleets: dict[str, dict[str, Unit]] = defaultdict(dict)
    for unit in context.rendering.units:
        if unit.app is None:
            continue
        fleets[unit.home].setdefault(unit.name, unit)
        if unit.affected:
            for problem in depends_on(unit.app.annotations).problems:
                yield context.declared(unit, problem, path=_AT)
    for fleet in fleets.values():
        graph = {name: list(_names(unit, fleet)) for name, unit in fleet.items()}
        for way in cycles(graph):
            if any(fleet[name].affected for name in way):
                yield _cycle(context, fleet, way)


def _names(unit: Unit, fleet: Mapping[str, Unit]) -> Iterator[str]:
    """Whom it waits for. Without a namespace one of the controller's is meant, which is Argo CD's, or else its own."""
    assert unit.app is not None
    for item in depends_on(unit.app.annotations, _UNSAID).items:
        if not item.application:
            continue
        namespace, name = place_of(item.application, "")
        meant = f"{namespace}/{name}" if namespace not in ("", ARGO_NAMESPACE) else name
        beside = f"{unit.app.namespace}/{name}"
        yield beside if not namespace and meant not in fleet and beside in fleet else meant


def _cycle(context: Context, fleet: dict[str, Unit], way: tuple[str, ...]) -> Problem:
    """Told where it is entered, with the places of all of its edges."""
    places = {name: context.declared(fleet[name], "", path=_AT) for name in way}
    edges = ", ".join(f"{a} → {b} in {places[a].path}:{places[a].line}" for a, b in pairwise(way))
    text = f"waits for itself: {' → '.join(way)} ({edges})"
    return context.declared(fleet[way[0]], text, path=_AT, hint="take one of them away; none of these is ever synced")


APPLICATION_DEPENDENCIES = Rule(
    id="application-dependencies",
    title="Applications wait for each other, or say what they wait for in a way that cannot be read",
    severity=Severity.ERROR,
    docs="The annotation kilde.dev/depends-on of an Application cannot be read, or leads back to it. The controller syncs none of "
    "those that wait for each other.",
    judge=_dependencies,
)
