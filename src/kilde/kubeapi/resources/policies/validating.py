"""ValidatingAdmissionPolicies: `judge` tells what they deny, warn of and note about a request."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel.expressions import BadExpression, EvaluationFailed, available
from kilde.kubeapi.resources.patience import Patience
from kilde.kubeapi.resources.policies.bindings import Bound, Params, bound
from kilde.kubeapi.resources.policies.request import Request
from kilde.kubeapi.resources.policies.scope import OF_CONDITIONS, OutOfBudget, Scope

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
    for one in bound(policies, bindings, request, params):
        if one.problem and one.fails:
            verdict.denials.append(_denial(one, one.problem))
        for param in one.params:
            shown = request.shown_as(one.resource)
            for failure in _failures(one.policy["spec"], shown, param, patience):
                _enact(verdict, one, failure)
    return verdict


def _denial(one: Bound, message: str, reason: str = "Invalid") -> Denial:
    return Denial(f"ValidatingAdmissionPolicy {one.name} denied request: {message}", reason)


def _enact(verdict: Verdict, one: Bound, failure: "_Failure") -> None:
    """Does with a failure what the binding asks: deny, warn, note. A note for the audit log that cannot be made always denies."""
    actions = () if one.binding is None else one.binding["spec"].get("validationActions") or ()
    if "Deny" in actions or failure.of_note:
        verdict.denials.append(_denial(one, failure.message, failure.reason))
    if failure.of_note:
        return
    if "Warn" in actions:
        verdict.warnings.append(f"Validation failed for ValidatingAdmissionPolicy {one.name}: {failure.message}")
    if "Audit" in actions:
        verdict.audit.setdefault(one.policy["metadata"]["name"], []).append(failure.message)


def _failures(spec: Object, request: Request, param: Object | None, patience: Patience | None) -> "Iterator[_Failure]":
    """All validations are evaluated before one is told: together they may not cost too much."""
    ignores = spec.get("failurePolicy") == "Ignore"
    wanted, problem = conditions(spec, request, param, patience)
    if wanted:
        found, problem = _results(spec, request, param, patience)
        notes, broke = _notes(spec, request, param, patience)
        problem = problem or broke
        if not problem:
            yield from (one for one in (*found, *notes) if one is not None and not (ignores and one.fails))
    if problem and not ignores:
        yield _Failure("Invalid", problem, fails=True)


class _Failure(NamedTuple):
    """What a validation refuses; `fails`: that it could not be evaluated; `of_note`: it is of a note for the audit log."""

    reason: str
    message: str
    fails: bool = False
    of_note: bool = False


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


def _notes(
    spec: Object, request: Request, param: Object | None, patience: Patience | None
) -> tuple[list[_Failure], str]:
    """What is wrong with the notes that the policy makes for the audit log; or why none can be made."""
    scope, found = Scope(request, param, spec.get("variables") or (), patience=patience), []
    for one in spec.get("auditAnnotations") or ():
        text = str(one.get("valueExpression", "")).strip()
        try:
            value = scope.value(text)
        except OutOfBudget as error:
            return [], str(error)
        except (BadExpression, EvaluationFailed) as error:
            found.append(_Failure("Invalid", _in_error(text, error), fails=True, of_note=True))
            continue
        if value is not None and not isinstance(value, str):
            told = f"valueExpression '{text}' resulted in unsupported return type: {_type_name(value)}. "
            found.append(_Failure("Invalid", f"{told}Return type must be either string or null.", of_note=True))
    return found, ""


def _type_name(value: Json) -> str:
    """What CEL calls the type of a value."""
    names = {bool: "bool", int: "int", float: "double", list: "list", dict: "map"}
    return names.get(type(value), "string")


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
