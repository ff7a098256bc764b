"""ValidatingAdmissionPolicies: `judge` tells what they deny, warn of and note about a request."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel import BadExpression, EvaluationFailed, available, expression
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.policies.matching import matched
from kilde.kubeapi.resources.policies.request import Request

VARIABLES = ("object", "oldObject", "request", "params", "namespaceObject", "variables")

# What a binding's paramRef refers to: (paramKind, paramRef, the request) → the parameter objects.
Params = Callable[[Object, Object, Request], Sequence[Object]]

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


def judge(policies: Iterable[Object], bindings: Iterable[Object], request: Request, params: Params) -> Verdict:
    """Asks every policy that is bound and about the request. Without a CEL engine nothing is judged."""
    verdict = Verdict()
    if not available():
        return verdict
    known = {policy["metadata"]["name"]: policy for policy in policies}
    for binding in together(bindings):
        policy = known.get((binding.get("spec") or {}).get("policyName", ""))
        resource = policy and bound_as(policy, binding, request)
        if not policy or not resource:
            continue
        for reason, message in _failures(policy, binding, request.shown_as(resource), params):
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


def _failures(policy: Object, binding: Object, request: Request, params: Params) -> Iterator[tuple[str, str]]:
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
        failure = _first_failure(spec, Scope(request, param))
        if failure is not None:
            yield failure


class Scope:
    """The variables of a policy's expressions; its own `variables` are worked out when they are first seen."""

    def __init__(self, request: Request, param: Object | None) -> None:
        self._data: dict[str, Json] = {
            "object": request.object,
            "oldObject": request.old,
            "request": request.as_variable,
            "params": param,
            "namespaceObject": request.namespace,
            "variables": {},
        }

    def define(self, variables: Iterable[Mapping[str, Any]]) -> None:
        """Adds the policy's variables, each seeing those before it. One that fails is missing, and fails who uses it."""
        known: dict[str, Json] = self._data["variables"]
        for one in variables:
            try:
                known[one["name"]] = self.value(one["expression"])
            except (BadExpression, EvaluationFailed):
                continue

    def value(self, text: str) -> Json:
        """The value of an expression. BadExpression, EvaluationFailed."""
        return expression(text, VARIABLES).run(self._data)


def _first_failure(spec: Object, scope: Scope) -> tuple[str, str] | None:
    ignores = spec.get("failurePolicy") == "Ignore"
    if not is_wanted(spec, scope):
        return None
    scope.define(spec.get("variables") or ())
    for validation in spec.get("validations") or ():
        text = str(validation.get("expression", "")).strip()
        try:
            passed = scope.value(text)
        except (BadExpression, EvaluationFailed) as error:
            if ignores:
                continue
            return "Invalid", f"expression '{text}' resulted in error: {error.what}"
        if passed is not True:
            return str(validation.get("reason") or "Invalid"), _message(validation, text, scope)
    return None


def is_wanted(spec: Object, scope: Scope) -> bool:
    """Whether all match conditions hold; one that fails counts as the failure policy says."""
    for condition in spec.get("matchConditions") or ():
        try:
            if scope.value(condition["expression"]) is not True:
                return False
        except (BadExpression, EvaluationFailed):
            if spec.get("failurePolicy") == "Ignore":
                return False
    return True


def conditions(webhook: Object, request: Request) -> tuple[bool, str]:
    """Whether a webhook's match conditions all hold; and what is wrong with those that cannot be worked out, if none is false."""
    found = webhook.get("matchConditions") or ()
    if not found or not available():
        return True, ""
    scope, problems = Scope(request, None), []
    for condition in found:
        text = str(condition.get("expression") or "").strip()
        try:
            if scope.value(text) is not True:
                return False, ""
        except (BadExpression, EvaluationFailed) as error:
            problems.append(f"expression '{text}' resulted in error: {error.what}")
    return not problems, problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""


def _message(validation: Object, text: str, scope: Scope) -> str:
    own = str(validation.get("messageExpression") or "").strip()
    if own:
        try:
            found = scope.value(own)
        except (BadExpression, EvaluationFailed):
            found = None
        if isinstance(found, str) and found.strip() and "\n" not in found.strip():
            return found.strip()
    return str(validation.get("message") or "").strip() or f"failed expression: {text}"
