"""Marks: the labels and taints that pretend nodes register with, read as kubectl's `label` and `taint` read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.kubeapi.resources.validation.names import label_value, qualified_name

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclass(slots=True)
class Marks:
    """What a node has from its beginning beside what every node has."""

    labels: dict[str, str] = field(default_factory=dict)
    taints: list[Object] = field(default_factory=list)


def marks(labels: Iterable[tuple[str, str]], taints: Iterable[tuple[str, str]]) -> Mapping[str, Marks]:
    """By node's name, from (node, `KEY=VALUE`) and (node, `KEY[=VALUE]:EFFECT`). InvalidInput says which cannot be read."""
    found: dict[str, Marks] = {}
    for node, text in labels:
        key, value = _label(text)
        found.setdefault(node, Marks()).labels[key] = value
    for node, text in taints:
        taint = _taint(text)
        known = found.setdefault(node, Marks()).taints
        if any((one["key"], one["effect"]) == (taint["key"], taint["effect"]) for one in known):
            raise InvalidInput(f"{node} is given this key twice with the effect {taint['effect']}", about=text)
        known.append(taint)
    return found


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput("a label is KEY=VALUE", about=text)
    _check(key, value, text)
    return key, value


def _taint(text: str) -> Object:
    rest, colon, effect = text.rpartition(":")
    if not colon or effect not in _EFFECTS:
        raise InvalidInput(f"a taint is KEY=VALUE:EFFECT, and the effect one of {', '.join(_EFFECTS)}", about=text)
    key, equals, value = rest.partition("=")
    _check(key, value, text)
    return {"key": key, **({"value": value} if equals and value else {}), "effect": effect}


def _check(key: str, value: str, text: str) -> None:
    problems = [f"its key: {problem}" for problem in qualified_name(key)]
    problems += [f"its value: {problem}" for problem in label_value(value)]
    if problems:
        raise InvalidInput("; ".join(problems), about=text)
