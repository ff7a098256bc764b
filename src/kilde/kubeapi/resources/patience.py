"""Patience: how much evaluating expressions may cost where others wait meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.objects.cel.expressions import OF_ONE, EvaluationFailed, Expression


class TooLong(Exception):
    """It costs more than that."""


@dataclass
class Patience:
    """`left` are units of cost; None: for as long as it takes."""

    left: int | None = None

    def measured(self, expression: Expression, data: Mapping[str, Any]) -> tuple[Any, int]:
        """The value of an expression, and what it has cost. EvaluationFailed, TooLong."""
        if self.left is None:
            return expression.measured(data)
        limit = min(OF_ONE, max(self.left, 0))
        try:
            found, cost = expression.measured(data, limit)
        except EvaluationFailed as error:
            if error.is_too_expensive and limit < OF_ONE:
                raise TooLong from error
            self.left -= error.cost
            raise
        self.left -= cost
        return found, cost
