"""Selectors in an access review: RBAC does not go by them, but whoever asks is told which of them could not be read."""

from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.selector import label_selector, parse_fields, parse_labels

_ONE_VALUE = ("In", "NotIn")


def unread(attributes: Object) -> list[str]:
    """What is said of the selectors of `resourceAttributes` that do not parse (pkg/registry/authorization/util)."""
    found = []
    for field, parse, fits in (
        ("fieldSelector", parse_fields, _is_field_requirement),
        ("labelSelector", parse_labels, _is_label_requirement),
    ):
        selector = attributes.get(field) or {}
        requirements = selector.get("requirements") or []
        good = [one for one in requirements if fits(one)]
        raw = not requirements and selector.get("rawSelector") and not _parses(parse, str(selector["rawSelector"]))
        if raw or len(good) < len(requirements):
            found.append(f"spec.resourceAttributes.{field} {'partially ' if good else ''}ignored due to parse error")
    return found


def _parses(parse: Any, text: Any) -> bool:
    try:
        parse(text)
    except InvalidInput:
        return False
    return True


def _is_field_requirement(requirement: Object) -> bool:
    return requirement.get("operator") in _ONE_VALUE and len(requirement.get("values") or ()) == 1


def _is_label_requirement(requirement: Object) -> bool:
    return _parses(lambda one: label_selector({"matchExpressions": [one]}), requirement)
