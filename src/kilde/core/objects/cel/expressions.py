"""CEL: compiles and evaluates the expressions of rules, with Kubernetes' own functions.

`checker.py` reads them, which needs the extra `cel`: where it is not installed, `available()` says so and rules are not evaluated.
`program.py` evaluates them and counts what that costs, so a rule cannot hold up the server.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json
from kilde.core.objects.cel.checker import BadExpression, available, checked
from kilde.core.objects.cel.inference import Scope
from kilde.core.objects.cel.program import Program
from kilde.core.objects.cel.steps import Run
from kilde.core.objects.cel.times import show_duration, show_timestamp
from kilde.core.objects.cel.tree import Tree
from kilde.core.objects.cel.types import DYN, Type
from kilde.core.objects.cel.values import CelError, CostExceeded, Duration, Timestamp, Uint

__all__ = [
    "BadExpression",
    "EvaluationFailed",
    "Expression",
    "Scope",
    "as_json",
    "available",
    "expression",
    "typed",
]

OF_ONE = 1_000_000
"""What one evaluation may cost."""

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
    """A compiled expression; `tree` is what it is made of."""

    def __init__(self, tree: Tree) -> None:
        program = Program(tree)
        self.tree = tree
        self._step = program.made()
        self.fault = program.faults[0] if program.faults else ""
        """What is wrong with a constant in it, so that a real server does not make a program of it."""

    @property
    def gives(self) -> Type:
        """The type of its value: DYN where it is known only at evaluation."""
        return self.tree.types[self.tree.root.id]

    def run(self, data: Mapping[str, Any]) -> Any:
        """Its value for these variables. EvaluationFailed."""
        return self.measured(data)[0]

    def measured(self, data: Mapping[str, Any], limit: int = OF_ONE) -> tuple[Any, int]:
        """Its value, and what it has cost. EvaluationFailed."""
        run = Run(dict(data), limit)
        try:
            return self._step(run), run.cost
        except CelError as error:
            raise EvaluationFailed(str(error), run.cost) from error
        except CostExceeded as error:
            raise EvaluationFailed(_TOO_MUCH, run.cost) from error
        except RecursionError as error:
            raise EvaluationFailed("the expression is nested too deeply", run.cost) from error


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


def typed(text: str, scope: Scope, *, binds: bool = False) -> Expression:
    """An expression in a scope. BadExpression if it does not compile.

    `binds`: it may use `cel.bind`, which Kubernetes does not know.
    """
    return Expression(checked(text, scope, binds=binds))


@lru_cache(maxsize=1024)
def expression(text: str, variables: tuple[str, ...], *, binds: bool = False) -> Expression:
    """An expression over variables of any type. BadExpression if it does not compile."""
    return typed(text, Scope(dict.fromkeys(variables, DYN)), binds=binds)
