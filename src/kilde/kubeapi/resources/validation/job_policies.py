"""Validation of a job's policies: when a failed pod fails the job, and when enough pods have succeeded."""

import re
from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, duplicate, invalid, invalid_unshown, not_supported, required, too_many
from kilde.kubeapi.resources.validation.fields import get, items, not_negative
from kilde.kubeapi.resources.validation.names import qualified_name

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_MOST_RULES, _MOST_CONDITIONS, _MOST_VALUES = 20, 20, 255


def check_failure_policy(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with a podFailurePolicy; `spec` is the job's."""
    rules = get(spec, "podFailurePolicy", "rules", default=[])
    if len(rules) > _MOST_RULES:
        yield too_many(f"{at}.rules", len(rules), _MOST_RULES)
    pod = get(spec, "template", "spec", default={})
    names = {one.get("name") for kind in ("containers", "initContainers") for _, one in items(pod, kind)}
    for index, rule in enumerate(rules):
        where, action = f"{at}.rules[{index}]", rule.get("action") or ""
        if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            yield invalid(f"{where}.action", action, "requires the backoffLimitPerIndex to be set")
        yield from _word(action, _ACTIONS, f"{where}.action")
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or []
        if codes is not None:
            yield from _exit_codes(codes, names, f"{where}.onExitCodes")
        yield from _conditions(conditions, f"{where}.onPodConditions")
        if codes is not None and conditions:
            yield invalid_unshown(where, "specifying both OnExitCodes and OnPodConditions is not supported")
        if codes is None and not conditions:
            yield invalid_unshown(where, "specifying one of OnExitCodes and OnPodConditions is required")


def _word(value: str, allowed: tuple[str, ...], at: str) -> Iterator[Cause]:
    if not value:
        yield required(at, "valid values: [" + " ".join(f'"{word}"' for word in allowed) + "]")
    elif value not in allowed:
        yield not_supported(at, value, allowed)


def _conditions(conditions: list[Object], at: str) -> Iterator[Cause]:
    if len(conditions) > _MOST_CONDITIONS:
        yield too_many(at, len(conditions), _MOST_CONDITIONS)
    for index, one in enumerate(conditions):
        where, kind = f"{at}[{index}]", one.get("type") or ""
        yield from (invalid(f"{where}.type", kind, text) for text in qualified_name(kind))
        yield from _word(one.get("status") or "", _STATUSES, f"{where}.status")


def _exit_codes(codes: Object, names: set[str | None], at: str) -> Iterator[Cause]:
    operator, name, values = codes.get("operator") or "", codes.get("containerName"), codes.get("values")
    yield from _word(operator, _OPERATORS, f"{at}.operator")
    if name is not None and name not in names:
        words = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{at}.containerName", name, words)
    if not values:
        yield invalid(f"{at}.values", values, "at least one value is required")
        return
    if len(values) > _MOST_VALUES:
        yield too_many(f"{at}.values", len(values), _MOST_VALUES)
    for index, code in enumerate(values):
        if operator == "In" and code == 0:
            yield invalid(f"{at}.values[{index}]", code, "must not be 0 for the In operator")
        if code in values[:index]:
            yield duplicate(f"{at}.values[{index}]", code)
    if values != sorted(values):
        yield invalid(f"{at}.values", values, "must be ordered")


def check_success_policy(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with the successPolicy of an indexed job; `spec` is the job's."""
    rules, completions = get(spec, "successPolicy", "rules", default=[]), spec.get("completions") or 0
    if not rules:
        yield required(f"{at}.rules", "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > _MOST_RULES:
        yield too_many(f"{at}.rules", len(rules), _MOST_RULES)
    for index, rule in enumerate(rules):
        where, count, indexes = f"{at}.rules[{index}]", rule.get("succeededCount"), rule.get("succeededIndexes")
        if count is None and indexes is None:
            yield required(where, "at least one of succeededCount or succeededIndexes must be specified")
        total, problem = _indexes(indexes or "", completions)
        if problem:
            yield invalid(f"{where}.succeededIndexes", indexes, f"error parsing succeededIndexes: {problem}")
        if count is None:
            continue
        spot = f"{where}.succeededCount"
        yield from not_negative(count, spot)
        if count > completions:
            words = f"must be less than or equal to {completions} (the number of specified completions)"
            yield invalid(spot, count, words)
        if indexes is not None and count > total:
            words = (
                f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
            )
            yield invalid(spot, count, words)


_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)


def _indexes(text: str, completions: int) -> tuple[int, str]:
    """How many indexes `0-3,7` names, and what is wrong with it."""
    total, last = 0, -1
    for interval in text.split(",") if text else ():
        limits = interval.split("-")
        if len(limits) > 2:
            return (
                0,
                f"the fragment \"{interval}\" violates the requirement that an index interval can have at most two parts separated by '-'",
            )
        for limit in limits:
            if not _NUMBER.fullmatch(limit):
                return 0, f'cannot convert string to integer for index: "{limit}"'
            if int(limit) >= completions:
                return 0, f'too large index: "{limit}"'
        first, end = int(limits[0]), int(limits[-1])
        if len(limits) == 2 and first >= end:
            return 0, f"non-increasing order, previous: {first}, current: {end}"
        if last >= first:
            return 0, f"non-increasing order, previous: {last}, current: {first}"
        total, last = total + end - first + 1, end
    return total, ""
