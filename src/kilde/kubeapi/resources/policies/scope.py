"""Scope: the variables of a policy's expressions, and what evaluating them may still cost (apiserver, pkg/admission/plugin/cel)."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel.expressions import BadExpression, EvaluationFailed, Expression, as_json, typed
from kilde.core.objects.cel.shapes import UNKNOWN, Shape
from kilde.core.objects.cel.values import CelError
from kilde.kubeapi.resources.policies.request import Request

VARIABLES = ("object", "oldObject", "request", "params", "namespaceObject", "variables")
OF_POLICY, OF_CONDITIONS = 10_000_000, 2_500_000  # what all expressions of one kind may cost on one request

_OUT = "validation failed due to running out of cost budget, no further validation rules will be run"
_TEXT = Shape("string")
_TEXTS = Shape("list", _TEXT)
_PLACE = Shape("object", fields=dict.fromkeys(("group", "version", "kind", "resource"), _TEXT))
_PEOPLE = {"username": _TEXT, "uid": _TEXT, "groups": _TEXTS, "extra": Shape("map", _TEXTS)}
_REQUEST = Shape(
    "object",
    fields={
        **dict.fromkeys(("subResource", "requestSubResource", "name", "namespace", "operation"), _TEXT),
        **dict.fromkeys(("kind", "resource", "requestKind", "requestResource"), _PLACE),
        "userInfo": Shape("object", fields=_PEOPLE),
        "dryRun": Shape("bool"),
    },
)
_MARKS = dict.fromkeys(("labels", "annotations"), Shape("map", _TEXT))
_NAMESPACE = Shape("object", fields={"metadata": Shape("object", fields={**_MARKS, "name": _TEXT})})
_Variables = tuple[tuple[str, str], ...]


class OutOfBudget(Exception):
    """The expressions together cost too much."""

    def __init__(self) -> None:
        super().__init__(_OUT)


@lru_cache(maxsize=1024)
def compiled(text: str, variables: _Variables = ()) -> Expression:
    """An expression that sees these variables (name, expression), each of which sees those before it. BadExpression."""
    shapes = {name: _shape_of(one, variables[:place]) for place, (name, one) in enumerate(variables)}
    known = {"request": _REQUEST, "namespaceObject": _NAMESPACE, "variables": Shape("object", fields=shapes)}
    return typed(text, ((name, "DYN") for name in VARIABLES), {**dict.fromkeys(VARIABLES, UNKNOWN), **known})


def _shape_of(text: str, variables: _Variables) -> Shape:
    try:
        return compiled(text, variables).shape
    except BadExpression:
        return UNKNOWN


class Scope:
    """What the expressions of one kind see. `budget` is what all of them may cost."""

    def __init__(
        self,
        request: Request,
        param: Object | None,
        variables: Iterable[Mapping[str, Any]] = (),
        *,
        budget: int = OF_POLICY,
    ) -> None:
        self.left = budget
        self._named: _Variables = tuple((one["name"], one["expression"]) for one in variables)
        self._spent = 0  # by variables, since the last expression
        self._data: dict[str, Any] = {
            "object": request.object,
            "oldObject": request.old,
            "request": request.as_variable,
            "params": param,
            "namespaceObject": request.namespace,
            "variables": _Lazy(self),
        }

    def value(self, text: str) -> Json:
        """The value of an expression. BadExpression, EvaluationFailed, OutOfBudget."""
        made, failed, found = compiled(text, self._named), None, None
        try:
            found, cost = made.measured(self._data)
        except EvaluationFailed as error:
            cost, failed = error.cost, error
        cost, self._spent = cost + self._spent, 0
        if cost > self.left:
            raise OutOfBudget
        self.left -= cost
        if failed is not None:
            raise failed
        return as_json(found)

    def place_of(self, name: str) -> int | None:
        """Which of the policy's variables has this name."""
        return next((place for place, (one, _) in enumerate(self._named) if one == name), None)

    def variable(self, place: int) -> Any:
        """The value of a variable. CelError."""
        name, text = self._named[place]
        try:
            found, cost = compiled(text, self._named[:place]).measured(self._data)
        except BadExpression as error:
            raise CelError(f'composited variable "{name}" fails to compile: {error.what}') from error
        except EvaluationFailed as error:
            self._spent += error.cost
            raise CelError(f'composited variable "{name}" fails to evaluate: {error.what}') from error
        self._spent += cost
        return found


class _Lazy(dict[str, Any]):
    """`variables`: each is worked out when it is first seen."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope
        self._errors: dict[str, CelError] = {}

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a variable. CelError."""
        if name in self._errors:
            raise self._errors[name]
        if name not in self:
            place = self._scope.place_of(name)
            if place is None:
                return default
            self._errors[name] = CelError(f"no such key: {name}")  # while it is worked out: it does not see itself
            try:
                self[name] = self._scope.variable(place)
                del self._errors[name]
            except CelError as error:
                self._errors[name] = error
                raise
        return self[name]
