"""MutatingAdmissionPolicies: `invocations` are those that a request is about, `mutation` is a patch that one of them makes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel.expressions import BadExpression, EvaluationFailed, as_json, available
from kilde.core.objects.cel.values import Struct, misnamed
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.patience import Patience
from kilde.kubeapi.resources.policies.bindings import Bound, Params, bound
from kilde.kubeapi.resources.policies.request import Request
from kilde.kubeapi.resources.policies.scope import OutOfBudget, Scope
from kilde.kubeapi.resources.policies.validating import conditions


@dataclass(frozen=True, slots=True)
class Mutation:
    """One patch: an apply configuration (`applies`) to merge, or the operations of a JSON patch, of the object as `resource` shows it."""

    patch: Json
    applies: bool
    resource: Resource


class MutationFailed(KildeError):
    """A policy cannot be asked, or its patch cannot be made or does not apply; `what` says why."""

    code = "mutation-failed"


class Invocation(NamedTuple):
    """A policy that is bound and about a request, for one parameter object."""

    bound: Bound
    param: Object | None

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it apart from the others about the same request."""
        param = (self.param or {}).get("metadata") or {}
        return (self.bound.name, str(param.get("namespace", "")), str(param.get("name", "")))

    @property
    def again(self) -> bool:
        """Whether it is asked once more when others have changed the object."""
        return bool(self.bound.policy["spec"].get("reinvocationPolicy") == "IfNeeded")

    @property
    def size(self) -> int:
        """How many mutations it has."""
        return len(self.bound.policy["spec"].get("mutations") or ())


def invocations(
    policies: Iterable[Object], bindings: Iterable[Object], request: Request, params: Params
) -> tuple[list[Invocation], list[Bound]]:
    """Every policy that is bound and about the request, and those that cannot be asked. Without a CEL engine there is none."""
    found = list(bound(policies, bindings, request, params)) if available() else []
    return [Invocation(one, param) for one in found for param in one.params], [one for one in found if one.problem]


def wanted(invocation: Invocation, request: Request, patience: Patience | None = None) -> bool:
    """Whether its match conditions hold for the object as it is now. MutationFailed where that cannot be told. TooLong."""
    one = invocation.bound
    holds, problem = conditions(one.policy["spec"], request.shown_as(one.resource), invocation.param, patience)
    if problem:
        raise MutationFailed(problem)
    return holds


def mutation(invocation: Invocation, place: int, request: Request, patience: Patience | None = None) -> Mutation:
    """One of its patches, of the object as it is now. MutationFailed where it cannot be evaluated. TooLong."""
    spec, shown = invocation.bound.policy["spec"], request.shown_as(invocation.bound.resource)
    scope = Scope(shown, invocation.param, spec.get("variables") or (), patches=True, patience=patience)
    one = spec["mutations"][place]
    applies = one.get("patchType") == "ApplyConfiguration"
    source = one.get("applyConfiguration" if applies else "jsonPatch") or {}
    text = str(source.get("expression", ""))
    try:
        found = scope.found(text)
    except OutOfBudget as error:
        raise MutationFailed(str(error)) from error
    except (BadExpression, EvaluationFailed) as error:
        raise MutationFailed(f"expression '{text}' resulted in error: {error.what}") from error
    wrong = sorted({fault for part in ([found] if applies else _values(found)) for fault in misnamed(part)})
    if wrong:
        raise MutationFailed("type mismatch: " + "\n".join(wrong))
    return Mutation(as_json(found), applies, shown.shown or shown.resource)


def _values(operations: Any) -> list[Any]:
    """The objects that a JSON patch puts somewhere."""
    return [one.get("value") for one in operations or () if type(one.get("value")) is Struct]
