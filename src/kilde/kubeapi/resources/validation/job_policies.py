"""Validation of a Job's podFailurePolicy and successPolicy."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, Struct, duplicate, invalid, not_supported, required, too_many
from kilde.kubeapi.resources.validation.fields import not_negative
from kilde.kubeapi.resources.validation.names import qualified_name

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_MOST_RULES, _MOST_VALUES, _MOST_CONDITIONS = 20, 255, 20


def check_failure_policy(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with the podFailurePolicy of a Job's spec."""
    policy = spec.get("podFailurePolicy")
    if policy is None:
        return
    rules = policy.get("rules") or ()
    if len(rules) > _MOST_RULES:
        yield too_many(f"{at}.rules", len(rules), _MOST_RULES)
    for number, rule in enumerate(rules):
        yield from _failure_rule(spec, rule or {}, f"{at}.rules[{number}]")


def _failure_rule(spec: Object, rule: Object, at: str) -> Iterator[Cause]:
    action = rule.get("action") or ""
    if action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            yield invalid(f"{at}.action", action, "requires the backoffLimitPerIndex to be set")
    else:
        yield from _one_of(action, _ACTIONS, f"{at}.action")
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
    if codes is not None:
        yield from _exit_codes(spec, codes, f"{at}.onExitCodes")
    if len(conditions) > _MOST_CONDITIONS:
        yield too_many(f"{at}.onPodConditions", len(conditions), _MOST_CONDITIONS)
    for number, condition in enumerate(conditions):
        where = f"{at}.onPodConditions[{number}]"
        kind = condition.get("type") or ""
        yield from (invalid(f"{where}.type", kind, text) for text in qualified_name(kind))
        yield from _one_of(condition.get("status") or "", _STATUSES, f"{where}.status")
    if codes is not None and conditions:
        yield _bare(at, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not conditions:
        yield _bare(at, "specifying one of OnExitCodes and OnPodConditions is required")


def _bare(at: str, words: str) -> Cause:
    """An invalid value that is not quoted."""
    return Cause(at, "FieldValueInvalid", f"Invalid value: {words}")


def _one_of(value: str, known: tuple[str, ...], at: str) -> Iterator[Cause]:
    if not value:
        words = " ".join(f'"{each}"' for each in known)
        yield required(at, f"valid values: [{words}]")
    elif value not in known:
        yield not_supported(at, value, known)


def _exit_codes(spec: Object, codes: Object, at: str) -> Iterator[Cause]:
    operator, name, values = codes.get("operator") or "", codes.get("containerName"), codes.get("values") or []
    yield from _one_of(operator, _OPERATORS, f"{at}.operator")
    pod = (spec.get("template") or {}).get("spec") or {}
    names = {each.get("name") for key in ("containers", "initContainers") for each in pod.get(key) or ()}
    if name is not None and name not in names:
        words = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{at}.containerName", name, words)
    if not values:
        yield invalid(f"{at}.values", values, "at least one value is required")
    elif len(values) > _MOST_VALUES:
        yield too_many(f"{at}.values", len(values), _MOST_VALUES)
    for number, value in enumerate(values):
        if operator == "In" and value == 0:
            yield invalid(f"{at}.values[{number}]", value, "must not be 0 for the In operator")
        if value in values[:number]:
            yield duplicate(f"{at}.values[{number}]", value)
    if values != sorted(values):
        yield invalid(f"{at}.values", values, "must be ordered")


def check_success_policy(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with the successPolicy of a Job's spec."""
    policy = spec.get("successPolicy")
    if policy is None:
        return
    if spec.get("completionMode") != "Indexed":
        yield invalid(at, Struct({"Rules": policy.get("rules")}), "requires indexed completion mode")
        return
    rules = policy.get("rules") or ()
    if not rules:
        yield required(f"{at}.rules", "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > _MOST_RULES:
        yield too_many(f"{at}.rules", len(rules), _MOST_RULES)
    for number, rule in enumerate(rules):
        yield from _success_rule(rule, f"{at}.rules[{number}]", spec.get("completions"))


def _success_rule(rule: Object, at: str, completions: int | None) -> Iterator[Cause]:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        yield required(at, "at least one of succeededCount or succeededIndexes must be specified")
    if count is not None:
        yield from not_negative(count, f"{at}.succeededCount")
        if completions is not None and count > completions:
            words = f"must be less than or equal to {completions} (the number of specified completions)"
            yield invalid(f"{at}.succeededCount", count, words)
