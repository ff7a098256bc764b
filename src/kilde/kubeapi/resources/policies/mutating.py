"""MutatingAdmissionPolicies: `invocations` are those that a request is about, `mutation` is a patch that one of them makes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel.expressions import BadExpression, EvaluationFailed, available
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.patience import Patience
from kilde.kubeapi.resources.policies.request import Request
from kilde.kubeapi.resources.policies.scope import OutOfBudget, Scope
from kilde.kubeapi.resources.policies.validating import Params, bound_as, conditions, together


@dataclass(frozen=True, slots=True)
class Mutation:
    """One patch: an apply configuration (`applies`) to merge, or the operations of a JSON patch, of the object as `resource` shows it."""

    patch: Json
    applies: bool
    resource: Resource


class MutationFailed(KildeError):
    """A policy that must not fail has failed; `what` is what the request is denied with."""

    code = "mutation-failed"


class Invocation(NamedTuple):
    """A policy that is bound and about a request: for one parameter object, and as it sees the request's resource."""

    policy: Object
    binding: Object
    param: Object | None
    resource: Resource

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it apart from the others about the same request."""
        param = (self.param or {}).get("metadata") or {}
        names = (self.policy["metadata"]["name"], self.binding["metadata"]["name"])
        return (*names, str(param.get("namespace", "")), str(param.get("name", "")))

    @property
    def again(self) -> bool:
        """Whether it is asked once more when others have changed the object."""
        return bool(self.policy["spec"].get("reinvocationPolicy") == "IfNeeded")

    @property
    def size(self) -> int:
        """How many mutations it has."""
        return len(self.policy["spec"].get("mutations") or ())


def invocations(
    policies: Iterable[Object], bindings: Iterable[Object], request: Request, params: Params
) -> list[Invocation]:
    """Every policy that is bound and about the request. Without a CEL engine there is none."""
    if not available():
        return []
    known = {policy["metadata"]["name"]: policy for policy in policies}
    found: list[Invocation] = []
    for binding in together(bindings):
        spec = binding.get("spec") or {}
        policy = known.get(spec.get("policyName", ""))
        resource = policy and bound_as(policy, binding, request)
        if policy and resource:
            kind, reference = policy["spec"].get("paramKind"), spec.get("paramRef")
            about = params(kind, reference, request) if kind is not None and reference is not None else (None,)
            found += [Invocation(policy, binding, param, resource) for param in about]
    return found


def wanted(invocation: Invocation, request: Request, patience: Patience | None = None) -> bool:
    """Whether its match conditions hold for the object as it is now. MutationFailed where that cannot be told and must be. TooLong."""
    spec = invocation.policy["spec"]
    holds, problem = conditions(spec, request.shown_as(invocation.resource), invocation.param, patience)
    if problem and spec.get("failurePolicy") != "Ignore":
        raise _refused(invocation, problem)
    return holds


def _refused(invocation: Invocation, why: str) -> MutationFailed:
    policy, binding = (each["metadata"]["name"] for each in (invocation.policy, invocation.binding))
    return MutationFailed(f"policy '{policy}' with binding '{binding}' denied request: {why}")


def mutation(invocation: Invocation, place: int, request: Request, patience: Patience | None = None) -> Mutation | None:
    """One of its patches, of the object as it is now; None where it cannot be evaluated and need not be. TooLong.

    MutationFailed where a policy with failurePolicy Fail cannot be evaluated.
    """
    spec, shown = invocation.policy["spec"], request.shown_as(invocation.resource)
    scope = Scope(shown, invocation.param, spec.get("variables") or (), patches=True, patience=patience)
    one = spec["mutations"][place]
    applies = one.get("patchType") == "ApplyConfiguration"
    source = one.get("applyConfiguration" if applies else "jsonPatch") or {}
    text = str(source.get("expression", ""))
    try:
        patch = scope.value(text)
    except (BadExpression, EvaluationFailed, OutOfBudget) as error:
        if spec.get("failurePolicy") == "Ignore":
            return None
        why = str(error) if isinstance(error, OutOfBudget) else f"expression '{text}' resulted in error: {error.what}"
        raise _refused(invocation, why) from error
    return Mutation(patch, applies, shown.shown or shown.resource)
