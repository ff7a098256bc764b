"""The rules of a schema (`x-kubernetes-validations`): whether they can be. What an object breaks of them is in `broken.py`."""

import re
from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.cel.expressions import BadExpression, available, uses_old
from kilde.core.objects.cel.expressions import rule as compiled
from kilde.kubeapi.resources.causes import Cause, Struct, invalid
from kilde.kubeapi.resources.custom.cost import Budget, cost_of
from kilde.kubeapi.resources.custom.declared import Declared, declared
from kilde.kubeapi.resources.custom.definition import Schema
from kilde.kubeapi.resources.custom.estimate import MOST

RULES = "x-kubernetes-validations"

_KINDS: Mapping[str, str] = {
    "array": "LIST",
    "boolean": "BOOL",
    "integer": "INT",
    "number": "DOUBLE",
    "string": "STRING",
}
_TIMES = {"date": "TIMESTAMP", "date-time": "TIMESTAMP", "datetime": "TIMESTAMP", "duration": "DURATION"}
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
    for index, rule in enumerate(schema.get(RULES) or ()):
        where, text = f"{at}.{RULES}[{index}]", str(rule.get("rule") or "").strip()
        wrong = list(_compiles(rule, text, schema, where))
        if text and shape is not None:
            failed = any(cause.field == f"{where}.rule" for cause in wrong)
            often = shape.times if times is None else times
            yield from _costs(rule, text, schema, where, budget or Budget(), shape, 0 if failed else often)
        yield from wrong
        yield from _transition(rule, text, schema, where, lost)


def _costs(
    rule: Object, text: str, schema: Schema, at: str, budget: Budget, shape: Declared, times: int
) -> Iterator[Cause]:
    """What a rule that compiles costs too much; so often it can be evaluated. What our engine lacks is not counted."""
    optional, kind = bool(rule.get("optionalOldSelf")), kind_of(schema)
    if not times:
        return
    try:
        cost = cost_of(compiled(text, kind, optional_old=optional).tree, shape)
    except BadExpression:
        return
    yield from budget.rule(f"{at}.rule", min(cost * times, MOST))
    message = str(rule.get("messageExpression") or "")
    if message:
        try:
            cost = cost_of(compiled(message, kind, optional_old=optional).tree, shape)
        except BadExpression:
            return
        yield from budget.message(f"{at}.messageExpression", cost)


def _compiles(rule: Object, text: str, schema: Schema, at: str) -> Iterator[Cause]:
    for key, expression, wanted in (
        ("rule", text, "BOOL"),
        ("messageExpression", rule.get("messageExpression"), "STRING"),
    ):
        if not expression:
            continue
        try:
            gives = compiled(expression, kind_of(schema), optional_old=bool(rule.get("optionalOldSelf"))).gives
        except BadExpression as error:
            if not error.is_ours:
                yield invalid(f"{at}.{key}", _dump(rule), f"compilation failed: {error.what}")
            continue
        if gives not in (wanted, "DYN"):
            words = (
                "cel expression must evaluate to a bool"
                if key == "rule"
                else "messageExpression must evaluate to a string"
            )
            yield invalid(f"{at}.{key}", _dump(rule), words)


def _transition(rule: Object, text: str, schema: Schema, at: str, lost: str) -> Iterator[Cause]:
    """What is wrong with a rule that looks at the old value, or says that it may, where there is none or it does not."""
    if not _looks_back(rule, text, schema):
        if rule.get("optionalOldSelf") is not None:
            words = "may not be set if oldSelf is not used in rule"
            yield invalid(f"{at}.optionalOldSelf", rule["optionalOldSelf"], words)
    elif lost:
        words = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {lost}"
        yield invalid(f"{at}.rule", str(rule.get("rule")), words)


def _looks_back(rule: Object, text: str, schema: Schema) -> bool:
    """Whether a rule names oldSelf. One that does not compile does not, but for what our engine alone lacks."""
    try:
        found = compiled(text, kind_of(schema), optional_old=bool(rule.get("optionalOldSelf")))
    except BadExpression as error:
        return error.is_ours and uses_old(text)
    return found.gives in ("BOOL", "DYN") and uses_old(text)


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


def kind_of(schema: Schema) -> str:
    """The type CEL knows a value by. Objects are read by name whatever they hold, so they are dynamic."""
    if schema.get("x-kubernetes-int-or-string") or schema.get("nullable"):
        return "DYN"
    kind = str(schema.get("type") or "")
    if kind == "string":
        return _TIMES.get(str(schema.get("format") or ""), "STRING")
    return _KINDS.get(kind, "DYN")
