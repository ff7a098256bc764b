"""Objects that are there twice: in one application, where the last one wins, or in two, which fight for it."""

from collections.abc import Iterator

from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.rule import Rule
from kilde.core.check.units import Item, Spot, Unit


def _duplicates(context: Context) -> Iterator[Problem]:
    for unit in context.judged:
        seen: dict[Spot, Item] = {}
        for item in unit.items:
            if not item.manifest.name:
                continue
            spot = item.spot(unit.cluster)
            first = seen.setdefault(spot, item)
            if first is not item:
                yield context.problem(
                    unit,
                    item,
                    f"is there twice: {_where(context, unit, first)}",
                    path=("metadata", "name"),
                    hint="keep one of them",
                )


def _clashes(context: Context) -> Iterator[Problem]:
    for unit, item in context.items():
        if unit.app is None or not item.manifest.name:
            continue
        for other, found in context.index.spots[item.spot(unit.cluster)]:
            if (
                other is unit
                or other.app is None
                or other.name == unit.name
                or (other.affected and other.name > unit.name)
            ):
                continue  # of two that are judged the later one tells it
            yield context.problem(
                unit,
                item,
                f"is also an object of application '{other.name}': {_where(context, other, found)}",
                path=("metadata", "name"),
                hint="let one application own it; or say in .kilde.yaml (check.clusters) that they are for two clusters",
            )
            break


def _where(context: Context, unit: Unit, item: Item) -> str:
    return str(context.places.of(unit, item)._replace(column=0))


DUPLICATE_OBJECT = Rule(
    id="duplicate-object",
    title="one application has an object twice",
    severity=Severity.ERROR,
    docs="Two manifests of one application have the same kind, namespace and name: the later one overwrites the earlier one.",
    judge=_duplicates,
)
NAME_CLASH = Rule(
    id="name-clash",
    title="two applications have the same object",
    severity=Severity.ERROR,
    docs="Two applications that deploy into one cluster both have an object of this kind, namespace and name. Each "
    "would undo what the other "
    "one writes, and deleting one deletes it for both.",
    judge=_clashes,
)
