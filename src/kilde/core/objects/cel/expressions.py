"""CEL: compiles and evaluates the expressions of rules, with Kubernetes' own functions.

`checker.py` reads them, which needs the extra `cel`: where it is not installed, `available()` says so and rules are not evaluated.
`program.py` evaluates them and counts what that costs, so a rule cannot hold up the server.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json
from kilde.core.objects.cel.checker import BadExpression, available, checked
from kilde.core.objects.cel.program import Program
from kilde.core.objects.cel.shapes import UNKNOWN, Shape
from kilde.core.objects.cel.steps import Run
from kilde.core.objects.cel.times import show_duration, show_timestamp
from kilde.core.objects.cel.tree import Tree, read
from kilde.core.objects.cel.values import CelError, CostExceeded, Duration, Timestamp, Uint

__all__ = [
    "BadExpression",
    "EvaluationFailed",
    "Expression",
    "as_json",
    "available",
    "expression",
    "rule",
    "typed",
    "uses_old",
]

OF_ONE = 1_000_000
"""What one evaluation may cost."""

_OLD_SELF = re.compile(r"\boldSelf\b")
_TOO_MUCH = "operation cancelled: actual cost limit exceeded"


class EvaluationFailed(InvalidInput):
    """An expression has no value for these variables; `what` is in the words of Kubernetes, `cost` what it has cost."""

    code = "evaluation-failed"

    def __init__(self, what: str, cost: int = 0) -> None:
        super().__init__(what)
        self.cost = cost

    @property
    def is_too_expensive(self) -> bool:
        """Whether it was ended for what it costs."""
        return self.what == _TOO_MUCH


class Expression:
    """A compiled expression; `shapes` are what is known of its variables."""

    def __init__(self, compiled: Any, shapes: Mapping[str, Shape]) -> None:
        self._compiled, self._shapes = compiled, shapes
        self._tree: Tree | None = None
        self._step: Any = None

    @property
    def gives(self) -> str:
        """The type of its value: BOOL, STRING, …, DYN where it is known only at evaluation."""
        return str(self._compiled.return_type().name())

    @property
    def tree(self) -> Tree:
        """What it is made of."""
        if self._tree is None:
            self._tree = read(self._compiled.serialize())
        return self._tree

    @property
    def shape(self) -> Shape:
        """What is known of its value."""
        return Program(self.tree, self._shapes).shape()

    def run(self, data: Mapping[str, Any]) -> Any:
        """Its value for these variables. EvaluationFailed."""
        return self.measured(data)[0]

    def measured(self, data: Mapping[str, Any], limit: int = OF_ONE) -> tuple[Any, int]:
        """Its value, and what it has cost. EvaluationFailed."""
        if self._step is None:
            self._step = Program(self.tree, self._shapes).made()
        run = Run(dict(data), limit)
        try:
            return self._step(run), run.cost
        except CelError as error:
            raise EvaluationFailed(str(error), run.cost) from error
        except CostExceeded as error:
            raise EvaluationFailed(_TOO_MUCH, run.cost) from error
        except RecursionError as error:
            raise EvaluationFailed("the expression is nested too deeply", run.cost) from error


def uses_old(rule: str) -> bool:
    """Whether a rule looks at what was there before."""
    return _OLD_SELF.search(rule) is not None


def as_json(value: Any) -> Json:
    """A value as JSON has it; what JSON has not stays as it is."""
    if isinstance(value, dict):
        return {str(key) if isinstance(key, int) else key: as_json(child) for key, child in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if type(value) is Timestamp:
        return show_timestamp(value)
    if type(value) is Duration:
        return show_duration(value)
    return int(value) if type(value) is Uint else value


def typed(
    text: str, variables: Iterable[tuple[str, str]], shapes: Mapping[str, Shape], *, binds: bool = False
) -> Expression:
    """An expression over variables of these types and shapes. BadExpression if it does not compile.

    `binds`: it may use `cel.bind`, which Kubernetes does not know.
    """
    return Expression(checked(text, tuple(variables), binds=binds), shapes)


@lru_cache(maxsize=1024)
def expression(text: str, variables: tuple[str, ...], *, binds: bool = False) -> Expression:
    """An expression over variables of any type. BadExpression if it does not compile."""
    return typed(text, ((name, "DYN") for name in variables), dict.fromkeys(variables, UNKNOWN), binds=binds)


@lru_cache(maxsize=1024)
def rule(text: str, kind: str, *, optional_old: bool = False) -> Expression:
    """The expression of a rule over `self` and `oldSelf`, as far as its type is told by a name ("STRING", "MAP", …). BadExpression."""
    old = "DYN" if optional_old else kind  # an optional value
    return typed(text, (("self", kind), ("oldSelf", old)), {"self": UNKNOWN, "oldSelf": UNKNOWN})
