"""The rules of a schema (`x-kubernetes-validations`): whether they can be. What an object breaks of them is in `broken.py`."""

import re
from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.cel.expressions import BadExpression, Expression, available, typed
from kilde.kubeapi.resources.causes import Cause, Struct, internal, invalid
from kilde.kubeapi.resources.custom.cost import Budget, cost_of
from kilde.kubeapi.resources.custom.declared import Declared, declared, scope_of
from kilde.kubeapi.resources.custom.definition import Schema
from kilde.kubeapi.resources.custom.estimate import MOST

RULES = "x-kubernetes-validations"
STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\['((?:[^'\\]|\\.)*)'\]")


def check_rules(
    schema: Schema, at: str, budget: Budget | None = None, times: int | None = 1, *, root: bool = False, lost: str = ""
) -> Iterator[Cause]:
    """What is wrong with the expressions of one schema's own rules; `at` is its field.

    `times` is how often its values can be in an object (None: without bound), `budget` that of all rules, `root` whether the schema is
    of a whole object, `lost` within which field it stands where nothing can be found again (oldSelf is nothing there).
    """
    if not available() or not schema.get(RULES):
        return
    shape = declared(schema, root=root)
    if shape is None:
        yield internal(f"{at}.{RULES}", "failed to convert to declType for CEL validation rules")
        return
    often = shape.times if times is None else times
    for index, rule in enumerate(schema[RULES]):
        yield from _rule(rule, f"{at}.{RULES}[{index}]", shape, budget or Budget(), often, lost)


def _rule(rule: Object, at: str, shape: Declared, budget: Budget, times: int, lost: str) -> Iterator[Cause]:
    made: Expression | None = None
    if str(rule.get("rule") or "").strip():
        made, wrong = _compiled(rule, "rule", shape)
        if made is None:
            yield invalid(f"{at}.rule", _dump(rule), wrong)
        else:
            yield from budget.rule(f"{at}.rule", min(cost_of(made.tree, shape) * times, MOST))
    if made is not None and rule.get("messageExpression"):
        message, wrong = _compiled(rule, "messageExpression", shape)
        if message is None:
            yield invalid(f"{at}.messageExpression", _dump(rule), wrong)
        else:
            yield from budget.message(f"{at}.messageExpression", cost_of(message.tree, shape))
    if made is None or "oldSelf" not in made.tree.names.values():
        if rule.get("optionalOldSelf") is not None:
            words = "may not be set if oldSelf is not used in rule"
            yield invalid(f"{at}.optionalOldSelf", rule["optionalOldSelf"], words)
    elif lost:
        words = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {lost}"
        yield invalid(f"{at}.rule", str(rule.get("rule")), words)


def _compiled(rule: Object, key: str, shape: Declared) -> tuple[Expression | None, str]:
    """One of a rule's expressions; or what is wrong with it."""
    is_rule = key == "rule"
    begins = "" if is_rule else "messageExpression "
    try:
        made = typed(str(rule[key]), scope_of(shape, optional_old=bool(rule.get("optionalOldSelf"))))
    except BadExpression as error:
        return None, f"{begins}compilation failed: {error.what}"
    if made.gives.kind != ("bool" if is_rule else "string"):
        return None, (
            "cel expression must evaluate to a bool" if is_rule else "messageExpression must evaluate to a string"
        )
    if made.fault:
        return None, f"{'program' if is_rule else 'messageExpression'} instantiation failed: {made.fault}"
    return made, ""


def _dump(rule: Object) -> Struct:
    """A rule as the server prints its internal form."""
    names = ("Rule", "Message", "MessageExpression", "Reason", "FieldPath", "OptionalOldSelf")
    return Struct(
        {
            name: rule.get(name[0].lower() + name[1:], None if name in ("Reason", "OptionalOldSelf") else "")
            for name in names
        }
    )


def leads_somewhere(path: str, schema: Schema) -> bool:
    """Whether a path (`.spec.list`, `['a-b']`) names a field that the schema has."""
    at = 0
    while at < len(path):
        step = STEP.match(path, at)
        if step is None:
            return False
        name = step.group(1) or step.group(2) or ""
        below = (schema.get("properties") or {}).get(name, schema.get("additionalProperties"))
        if not isinstance(below, Mapping):
            return False
        schema, at = below, step.end()
    return bool(path)
