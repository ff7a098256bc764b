"""Scope: the variables of a policy's expressions, and what evaluating them may still cost (apiserver, pkg/admission/plugin/cel)."""

from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel.authorizing import ResourceCheck, Wanted
from kilde.core.objects.cel.expressions import BadExpression, EvaluationFailed, as_json
from kilde.core.objects.cel.values import CelError
from kilde.kubeapi.resources.patience import Patience
from kilde.kubeapi.resources.policies.names import Names, compiled
from kilde.kubeapi.resources.policies.request import Request

OF_POLICY, OF_CONDITIONS = 10_000_000, 2_500_000  # what all expressions of one kind may cost on one request

_OUT = "validation failed due to running out of cost budget, no further validation rules will be run"


class OutOfBudget(Exception):
    """The expressions together cost too much."""

    def __init__(self) -> None:
        super().__init__(_OUT)


class Scope:
    """What the expressions of one kind see."""

    def __init__(
        self,
        request: Request,
        param: Object | None,
        variables: Iterable[Mapping[str, Any]] = (),
        *,
        budget: int = OF_POLICY,
        patches: bool = False,
        patience: Patience | None = None,
    ) -> None:
        """`budget` is what all its expressions may cost, `patience` what they may cost at once."""
        self.left, self._patience = budget, patience or Patience()
        self._names = Names.of(variables, patches=patches)
        self._spent = 0  # by variables, since the last expression
        self._data: dict[str, Any] = {
            "object": request.object,
            "oldObject": request.old,
            "request": request.as_variable,
            "params": param,
            "namespaceObject": request.namespace,
            "variables": _Lazy(self),
            "authorizer": request.authorizer,
            "authorizer.requestResource": _about(request),
        }

    def value(self, text: str) -> Json:
        """The value of an expression, as JSON has it. BadExpression, EvaluationFailed, OutOfBudget, TooLong."""
        return as_json(self.found(text))

    def found(self, text: str) -> Any:
        """The value of an expression. BadExpression, EvaluationFailed, OutOfBudget, TooLong."""
        made, failed, found = compiled(text, self._names), None, None
        try:
            found, cost = self._patience.measured(made, self._data)
        except EvaluationFailed as error:
            cost, failed = error.cost, error
        cost, self._spent = cost + self._spent, 0
        if cost > self.left:
            raise OutOfBudget
        self.left -= cost
        if failed is not None:
            raise failed
        return found

    def place_of(self, name: str) -> int | None:
        """Which of the policy's variables has this name."""
        return next((place for place, (one, _) in enumerate(self._names.variables or ()) if one == name), None)

    def variable(self, place: int) -> Any:
        """The value of a variable. CelError."""
        name, text = (self._names.variables or ())[place]
        try:
            found, cost = self._patience.measured(compiled(text, self._names.before(place)), self._data)
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


def _about(request: Request) -> ResourceCheck:
    """The question about what is written, without its verb."""
    resource = request.shown or request.resource
    wanted = Wanted(
        "",
        resource.group,
        resource.plural,
        request.sub_resource,
        request.namespace_name,
        request.name,
    )
    return ResourceCheck(request.authorizer.ask, wanted)
