"""Custom kinds: which judge a group and kind has; a group's file is imported when the first object of it is judged."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Final

from kilde.core.health import checks
from kilde.core.health.judging import Judge

_NOTHING: Final[Mapping[str, Judge]] = {}


def custom_judge(group: str, kind: str) -> Judge | None:
    """The kind's own judge, its group's, or that of a domain above the group, in this order; None where there is none."""
    own = _kinds(checks.CUSTOM.get(group, ""))
    if found := own.get(kind) or own.get("_"):
        return found
    above = _kinds(_family(group))
    return above.get(f"{group}/{kind}") or above.get("_")


def _family(group: str) -> str:
    """The file of the longest domain that the group is below of; "" where there is none."""
    domain = group
    while "." in domain:
        domain = domain.partition(".")[2]
        if domain in checks.FAMILIES:
            return checks.FAMILIES[domain]
    return ""


@cache
def _kinds(module: str) -> Mapping[str, Judge]:
    if not module:
        return _NOTHING
    kinds: Mapping[str, Judge] = import_module(f"{checks.__name__}.{module}").KINDS
    return kinds
