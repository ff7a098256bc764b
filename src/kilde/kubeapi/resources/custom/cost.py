"""What the rules of a CRD may cost: each by the estimate of what it costs once and how often that can be, and all of them together.

The limits and words are apiextensions' (pkg/apis/apiextensions/validation), the sizes come from maxLength, maxItems and maxProperties.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kilde.core.objects.cel.tree import Tree
from kilde.kubeapi.resources.causes import Cause, forbidden
from kilde.kubeapi.resources.custom.declared import Declared
from kilde.kubeapi.resources.custom.definition import Schema
from kilde.kubeapi.resources.custom.estimate import MOST, Estimate
from kilde.kubeapi.resources.custom.estimate_calls import library

_OF_ONE, _OF_ALL = 10_000_000, 100_000_000
_TOLD = 4  # of the most expensive rules
_ADVICE = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"


def cost_of(tree: Tree, shape: Declared, only: str = "") -> int:
    """What an expression costs at most, evaluated once. `only`: the variable that is so shaped, if others are of no known size."""
    return Estimate(tree, shape, library, only).most()


def times_below(schema: Schema, times: int | None) -> int | None:
    """How often what is within a schema can be in an object, where the schema's own values are there so often; None is without bound."""
    kind = schema.get("type")
    counted = kind == "array" or (kind == "object" and schema.get("additionalProperties") is not None)
    if times is None or not counted:
        return times
    most = schema.get("maxItems" if kind == "array" else "maxProperties")
    return None if most is None else min(times * max(most, 0), MOST)


@dataclass
class Budget:
    """Adds up what the rules of one schema cost. `lenient`: a single one may cost what it likes."""

    lenient: bool = False
    total: int = 0
    _expensive: list[tuple[int, str]] = field(default_factory=list)

    def rule(self, at: str, cost: int) -> Iterator[Cause]:
        """Counts a rule, and says if it alone costs too much; `at` is its field."""
        return self._counted(at, cost, "estimated rule cost")

    def message(self, at: str, cost: int) -> Iterator[Cause]:
        """The same of a messageExpression."""
        return self._counted(at, cost, "estimated messageExpression cost")

    def _counted(self, at: str, cost: int, what: str) -> Iterator[Cause]:
        self.total = min(self.total + cost, MOST)
        if cost >= _OF_ALL // 100:
            self._expensive = sorted([*self._expensive, (cost, at)], key=lambda one: -one[0])[:_TOLD]
        if cost > _OF_ONE and not self.lenient:
            yield forbidden(at, _exceeds(what, cost, _OF_ONE))

    def told(self, at: str) -> Iterator[Cause]:
        """What is said of all rules together; `at` is the schema's field."""
        if self.total <= _OF_ALL:
            return
        for _, where in self._expensive:
            words = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
            yield forbidden(where, words)
        what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        yield forbidden(at, _exceeds(what, self.total, _OF_ALL))


def _exceeds(what: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{what} exceeds budget by factor of {shown} {_ADVICE}"
