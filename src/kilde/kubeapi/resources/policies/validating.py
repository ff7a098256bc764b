"""ValidatingAdmissionPolicies: `judge` tells what they deny, warn of and note about a request."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kilde.core.basics.values import Object
from kilde.core.objects.cel.expressions import BadExpression, EvaluationFailed, available
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.patience import Patience
from kilde.kubeapi.resources.policies.matching import matched
from kilde.kubeapi.resources.policies.request import Request
from kilde.kubeapi.resources.policies.scope import OF_CONDITIONS, OutOfBudget, Scope

# What a binding's paramRef refers to: (paramKind, paramRef, the request) → the parameter objects.
Params = Callable[[Object, Object, Request], Sequence[Object]]

_MOST_BYTES = 5 * 1024  # of a message that an expression makes
_STATUS: Mapping[str, int] = {"Forbidden": 403, "Invalid": 422, "RequestEntityTooLarge": 413, "Unauthorized": 401}


@dataclass(frozen=True, slots=True)
class Denial:
    """A policy's no. `message` is the whole of what is told; `status` and `reason` are the Status object's."""

    message: str
    reason: str = "Invalid"

    @property
    def status(self) -> int:
        return _STATUS.get(self.reason, 422)


@dataclass(slots=True)
class Verdict:
    """What all policies together say of a request."""

    denials: list[Denial] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    audit: dict[str, list[str]] = field(default_factory=dict)  # policy → messages noted for the audit log


def judge(
    policies: Iterable[Object],
    bindings: Iterable[Object],
    request: Request,
    params: Params,
    patience: Patience | None = None,
) -> Verdict:
    """Asks every policy that is bound and about the request. TooLong. Without a CEL engine nothing is judged."""
    verdict = Verdict()
    if not available():
        return verdict
    known = {policy["metadata"]["name"]: policy for policy in policies}
    for binding in together(bindings):
        policy = known.get((binding.get("spec") or {}).get("policyName", ""))
        resource = policy and bound_as(policy, binding, request)
        if not policy or not resource:
            continue
        for reason, message in _failures(policy, binding, request.shown_as(resource), params, patience):
            _enact(verdict, policy, binding, reason, message)
    return verdict


def together(bindings: Iterable[Object]) -> list[Object]:
    """The bindings in the order in which they are asked: all of one policy before those of the next, as on a real server."""
    groups: dict[str, list[Object]] = {}
    for binding in bindings:
        groups.setdefault((binding.get("spec") or {}).get("policyName", ""), []).append(binding)
    return [binding for group in groups.values() for binding in group]


def bound_as(policy: Object, binding: Object, request: Request) -> Resource | None:
    """As which resource a policy sees a request; None if it, or its binding, is not about that."""
    resource = matched((policy.get("spec") or {}).get("matchConstraints"), request, needs_rules=True)
    own = (binding.get("spec") or {}).get("matchResources")
    return resource if resource and matched(own, request, needs_rules=False) else None


def _enact(verdict: Verdict, policy: Object, binding: Object, reason: str, message: str) -> None:
    """Does with a failure what the binding asks: deny, warn, note."""
    who = f"ValidatingAdmissionPolicy '{policy['metadata']['name']}' with binding '{binding['metadata']['name']}'"
    actions = (binding.get("spec") or {}).get("validationActions") or ()
    if "Deny" in actions:
        verdict.denials.append(Denial(f"{who} denied request: {message}", reason))
    if "Warn" in actions:
        verdict.warnings.append(f"Validation failed for {who}: {message}")
    if "Audit" in actions:
        verdict.audit.setdefault(policy["metadata"]["name"], []).append(message)


def _failures(
    policy: Object, binding: Object, request: Request, params: Params, patience: Patience | None
) -> Iterator[tuple[str, str]]:
    """(reason, message) of the first validation that fails, for each parameter object."""
    spec, reference = policy.get("spec") or {}, (binding.get("spec") or {}).get("paramRef")
    kind = spec.get("paramKind")
    found: Sequence[Object | None] = (None,)
    if kind is not None and reference is not None:
        found = params(kind, reference, request)
        if not found:
            if reference.get("parameterNotFoundAction") == "Deny":
                words = "no params found for policy binding with `Deny` parameterNotFoundAction"
                yield "Invalid", f"failed to configure binding: {words}"
            return
    for param in found:
        failure = _first_failure(spec, request, param, patience)
        if failure is not None:
            yield failure.reason, failure.message


def _first_failure(
    spec: Object, request: Request, param: Object | None, patience: Patience | None
) -> "_Failure | None":
    """All validations are evaluated before one is told: together they may not cost too much."""
    ignores = spec.get("failurePolicy") == "Ignore"
    wanted, problem = conditions(spec, request, param, patience)
    if not wanted and problem and not ignores:
        return _Failure("Invalid", problem, fails=True)
    if not wanted:
        return None
    found, problem = _results(spec, request, param, patience)
    if problem:
        return None if ignores else _Failure("Invalid", problem, fails=True)
    return next((one for one in found if one is not None and not (ignores and one.fails)), None)


class _Failure(NamedTuple):
    """What a validation refuses; `fails`: that it could not be evaluated."""

    reason: str
    message: str
    fails: bool = False


def _results(
    spec: Object, request: Request, param: Object | None, patience: Patience | None
) -> tuple[list[_Failure | None], str]:
    """What each validation says; or why none says anything."""
    validations, variables = spec.get("validations") or (), spec.get("variables") or ()
    scope = Scope(request, param, variables, patience=patience)
    found: list[_Failure | None] = []
    try:
        passed = [_passed(scope, str(one.get("expression", "")).strip()) for one in validations]
    except OutOfBudget as error:
        return [], str(error)
    messages, broke = _messages(validations, Scope(request, param, variables, budget=scope.left, patience=patience))
    for one, told, text in zip(validations, passed, messages, strict=True):
        if isinstance(told, str):
            found.append(_Failure("Invalid", told, fails=True))
        elif broke:
            found.append(_Failure("Invalid", f"failed messageExpression: {broke}", fails=True))
        else:
            found.append(None if told else _Failure(str(one.get("reason") or "Invalid"), text))
    return found, ""


def _passed(scope: Scope, text: str) -> bool | str:
    """Whether a validation holds; or what is wrong with it. OutOfBudget."""
    try:
        return scope.value(text) is True
    except (BadExpression, EvaluationFailed) as error:
        return _in_error(text, error)


def _in_error(text: str, error: BadExpression | EvaluationFailed) -> str:
    return f"expression '{text}' resulted in error: {error.what}"


def _messages(validations: Sequence[Object], scope: Scope) -> tuple[list[str], str]:
    """What each validation would say, whether it holds or not; and why nothing is said where that costs too much."""
    try:
        return [_message(one, str(one.get("expression", "")).strip(), scope) for one in validations], ""
    except OutOfBudget as error:
        return [""] * len(validations), str(error)


def conditions(
    spec: Object, request: Request, param: Object | None = None, patience: Patience | None = None
) -> tuple[bool, str]:
    """Whether all match conditions hold; and what is wrong with those that cannot be worked out, if none is false. TooLong."""
    found = spec.get("matchConditions") or ()
    if not found or not available():
        return True, ""
    scope, problems = Scope(request, param, budget=OF_CONDITIONS, patience=patience), []
    refused = False
    try:
        for condition in found:
            passed = _passed(scope, str(condition.get("expression") or "").strip())
            refused = refused or passed is False
            problems += [passed] if isinstance(passed, str) else []
    except OutOfBudget as error:
        return False, str(error)
    if refused:
        return False, ""
    return not problems, problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""


def _message(validation: Object, text: str, scope: Scope) -> str:
    own = str(validation.get("messageExpression") or "").strip()
    if own:
        try:
            found = scope.value(own)
        except (BadExpression, EvaluationFailed):
            found = None
        told = found.strip() if isinstance(found, str) else ""
        if told and "\n" not in told and len(told.encode()) <= _MOST_BYTES:
            return told
    return str(validation.get("message") or "").strip() or f"failed expression: {text}"
