"""Column: one column of a Table, and how printers word what every kind has (ages, labels, selectors, lists cut short).

The words are those of Kubernetes' server-side printers (pkg/printers/internalversion).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Json, Object

NONE = "<none>"
UNSET = "<unset>"
UNKNOWN = "<unknown>"

Cell = Callable[[Object, float], Json]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY


@dataclass(frozen=True, slots=True)
class Column:
    """`cell` makes the value of an object at a time (seconds since the epoch); priority 1 is shown by `-o wide` only.

    `description` None gives it a general one.
    """

    name: str
    cell: Cell
    type: str = "string"
    priority: int = 0
    format: str = ""
    description: str | None = None

    @property
    def _words(self) -> str:
        return f"{self.name} of the object, as its controller or its author last wrote it."

    def definition(self) -> Object:
        """As a Table's columnDefinitions say it."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self._words if self.description is None else self.description,
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class Printer:
    """The columns of a kind; `conditions` of a row tell a client that an object is over and done.

    `beyond` are cells that a real server writes after those of its columns. `order` is what the rows of a list are sorted by.
    """

    columns: tuple[Column, ...]
    conditions: Callable[[Object], list[Object]] | None = None
    beyond: tuple[Cell, ...] = ()
    order: Callable[[Object], Any] | None = None


def wide(name: str, cell: Cell) -> Column:
    """A column for `-o wide` only."""
    return Column(name, cell, priority=1)


def field(*path: str, default: Json = "") -> Cell:
    """The value at a path; `default` where it is absent or null."""
    return lambda obj, now: get(obj, *path, default=default)


def get(value: Json, *path: str, default: Json = None) -> Json:
    """The value at a path of maps; `default` where it is absent or null."""
    for step in path:
        if not isinstance(value, dict):
            return default
        value = value.get(step)
    return default if value is None else value


def human_duration(seconds: float) -> str:
    """As `kubectl get` shows an age: 5s, 3m20s, 4h, 12d (apimachinery's duration.HumanDuration)."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    for limit, unit, minor, words in (
        (10 * _MINUTE, _MINUTE, 1, "ms"),
        (3 * _HOUR, _MINUTE, 0, "m"),
        (8 * _HOUR, _HOUR, _MINUTE, "hm"),
        (2 * _DAY, _HOUR, 0, "h"),
        (8 * _DAY, _DAY, _HOUR, "dh"),
        (2 * _YEAR, _DAY, 0, "d"),
        (8 * _YEAR, _YEAR, _DAY, "yd"),
    ):
        if whole < limit:
            rest = whole % unit // minor if minor else 0
            return f"{whole // unit}{words[0]}" + (f"{rest}{words[1]}" if rest else "")
    return f"{whole // _YEAR}y"


def since(time: Json, now: float) -> str:
    """The age of an RFC 3339 time; `<unknown>` where there is none."""
    moment = parse(time) if isinstance(time, str) else None
    return UNKNOWN if moment is None else human_duration(now - moment)


def _created(obj: Object, now: float) -> str:
    return since(get(obj, "metadata", "creationTimestamp"), now)


_NAME_TEXT = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to"
    " request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and"
    " configuration definition. Cannot be updated. More info:"
    " https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)

NAME = Column("Name", field("metadata", "name"), format="name", description=_NAME_TEXT)
AGE = Column("Age", _created)
CREATED_AT = Column("Created At", field("metadata", "creationTimestamp", default="0001-01-01T00:00:00Z"), "date")


def labels_text(labels: Json) -> str:
    """`a=b,c=d`, sorted; `<none>` without labels."""
    if not isinstance(labels, Mapping) or not labels:
        return NONE
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


_OPERATORS = {
    "In": "{key} in ({values})",
    "NotIn": "{key} notin ({values})",
    "Exists": "{key}",
    "DoesNotExist": "!{key}",
}


def selector_text(selector: Json, *, empty: str = NONE) -> str:
    """A LabelSelector object as a selector text: `app=a,tier in (x,y)`; `empty` where it selects everything or nothing."""
    if not isinstance(selector, Mapping):
        return empty
    parts = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for requirement in selector.get("matchExpressions") or ():
        form = _OPERATORS.get(requirement.get("operator", ""))
        if form is None:
            return "<error>"
        values = ",".join(sorted(requirement.get("values") or ()))
        parts.append((requirement.get("key", ""), form.format(key=requirement.get("key", ""), values=values)))
    return ",".join(text for _, text in sorted(parts)) or empty


def cut(found: Sequence[str], most: int, *, separator: str = ",", empty: str = NONE) -> str:
    """The first `most` of them, and how many more there are: `a,b,c + 2 more...`."""
    if not found:
        return empty
    text = separator.join(found[:most])
    return text + (f" + {len(found) - most} more..." if len(found) > most else "")


def containers_of(*path: str) -> tuple[Column, Column]:
    """The wide columns Containers and Images of the pod spec at this path."""

    def names(obj: Object, now: float) -> str:
        return ",".join(str(one.get("name", "")) for one in get(obj, *path, "containers", default=()))

    def images(obj: Object, now: float) -> str:
        return ",".join(str(one.get("image", "")) for one in get(obj, *path, "containers", default=()))

    return wide("Containers", names), wide("Images", images)


def joined(values: Iterable[Any], separator: str = ",", *, empty: str = NONE) -> str:
    """The values in one text; `empty` without any."""
    return separator.join(str(value) for value in values) or empty


def condition(obj: Object, kind: str) -> Object:
    """The status condition of that type; an empty object if there is none."""
    return next((one for one in get(obj, "status", "conditions", default=()) if one.get("type") == kind), {})


def deleting(obj: Object) -> bool:
    """Whether the object waits to be gone."""
    return bool(get(obj, "metadata", "deletionTimestamp"))
