"""Variations of an object: each of its fields in turn is taken away, doubled, or holds something else."""

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from differential.manifests import copied

_GONE, _TWICE = object(), object()
_LONG = "a" * 260
_VALUES: tuple[Any, ...] = (
    _GONE,
    None,
    "",
    "x y!",
    "Bad_Value",
    _LONG,
    -1,
    0,
    1,
    100_000,
    2**40,
    1.5,
    True,
    [],
    {},
    "10%",
    "1Gi",
    "-5m",
    "a.b.c",
    "/abs",
    "../x",
    ["a", "a"],
    [""],
)
Path = tuple[str | int, ...]


class Variation(NamedTuple):
    """A changed object and what was changed."""

    name: str
    body: dict[str, Any]


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """The path of everything in an object."""
    if at:
        yield at
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from paths(child, (*at, key))


def variations(body: dict[str, Any], dice: random.Random, share: float) -> Iterator[Variation]:
    """A random share of all variations. The kind stays, which the path of the request tells."""
    for path in paths(body):
        if path[0] in ("apiVersion", "kind"):
            continue
        values = (*_VALUES, _TWICE) if isinstance(path[-1], int) else _VALUES
        for value in values:
            if dice.random() < share:
                yield Variation(f"{'.'.join(map(str, path))} = {_told(value)}", changed(body, path, value))


def changed(body: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The object with something else at a path."""
    made = copied(body)
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    last: Any = path[-1]
    if value is _GONE:
        del place[last]
    elif value is _TWICE:
        place.insert(last, json.loads(json.dumps(place[last])))
    else:
        place[last] = value
    return made


def _told(value: Any) -> str:
    return "gone" if value is _GONE else "twice" if value is _TWICE else json.dumps(value)[:40]
