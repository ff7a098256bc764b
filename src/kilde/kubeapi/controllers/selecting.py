"""Which objects a label selector means; built for each controller's many small questions."""

from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import labels_of


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector (matchLabels, matchExpressions) selects these labels. None selects nothing, {} all."""
    if selector is None:
        return False
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(requires(rule, labels) for rule in selector.get("matchExpressions") or ())


def requires(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels meet one requirement {key, operator, values}; Gt and Lt are those of node affinity."""
    key, values = rule.get("key", ""), rule.get("values") or []
    have = labels.get(key)
    match rule.get("operator"):
        case "In":
            return have is not None and have in values
        case "NotIn":
            return have is None or have not in values
        case "Exists":
            return have is not None
        case "DoesNotExist":
            return have is None
        case "Gt" | "Lt" as operator:
            return _ordered(operator, have, values)
        case _:
            return False


def _ordered(operator: str, have: str | None, values: list[str]) -> bool:
    try:
        left, right = int(have or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return left > right if operator == "Gt" else left < right


def selected(selector: Mapping[str, Any] | None, objects: Iterable[Object]) -> list[Object]:
    """The objects that a LabelSelector selects."""
    return [obj for obj in objects if selects(selector, labels_of(obj))]


def is_empty(selector: Mapping[str, Any] | None) -> bool:
    """Whether the selector would select everything."""
    return not selector or not (selector.get("matchLabels") or selector.get("matchExpressions"))
