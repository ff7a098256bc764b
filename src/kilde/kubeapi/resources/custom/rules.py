"""The rules of a schema (`x-kubernetes-validations`): whether they can be, and what an object breaks."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from kilde.core.basics.reading import duration
from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel import BadExpression, EvaluationFailed, available, compiled, tree_of, uses_old
from kilde.kubeapi.resources.causes import Cause, Struct, Tolerated, duplicate, invalid, required
from kilde.kubeapi.resources.custom.cost import Budget, cost_of
from kilde.kubeapi.resources.custom.declared import Declared, declared, escaped
from kilde.kubeapi.resources.custom.definition import Schema
from kilde.kubeapi.resources.custom.estimate import MOST
from kilde.kubeapi.resources.custom.values import same_json

RULES = "x-kubernetes-validations"

_KINDS: Mapping[str, str] = {
    "array": "LIST",
    "boolean": "BOOL",
    "integer": "INT",
    "number": "DOUBLE",
    "string": "STRING",
}
_TIMES = {"date": "TIMESTAMP", "date-time": "TIMESTAMP", "datetime": "TIMESTAMP", "duration": "DURATION"}
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\['((?:[^'\\]|\\.)*)'\]")
_NOTHING = object()
_DEEPEST = 100


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
    optional, kind = bool(rule.get("optionalOldSelf")), _kind(schema)
    if not times:
        return
    try:
        cost = cost_of(tree_of(text, kind, optional_old=optional), shape)
    except BadExpression:
        return
    yield from budget.rule(f"{at}.rule", min(cost * times, MOST))
    message = str(rule.get("messageExpression") or "")
    if message:
        try:
            cost = cost_of(tree_of(message, kind, optional_old=optional), shape)
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
            gives = compiled(expression, _kind(schema), optional_old=bool(rule.get("optionalOldSelf"))).gives
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
        found = compiled(text, _kind(schema), optional_old=bool(rule.get("optionalOldSelf")))
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
        step = _STEP.match(path, at)
        if step is None:
            return False
        name = step.group(1) or step.group(2) or ""
        below = (schema.get("properties") or {}).get(name, schema.get("additionalProperties"))
        if not isinstance(below, Mapping):
            return False
        schema, at = below, step.end()
    return bool(path)


def broken_rules(value: Json, schema: Schema, old: Json = None) -> list[Cause]:
    """Which rules an object breaks that is valid otherwise; `old` is what it was (None: it is created).

    What broke a rule before and has not changed is Tolerated.
    """
    if not available():
        return []
    return list(_broken(value, schema, "", _NOTHING if old is None else old, (None, _NOTHING), depth=0))


_Pair = tuple[Any, Any]  # a value, and what it was


def _broken(value: Json, schema: Schema, at: str, old: Json, above: _Pair, *, depth: int) -> Iterator[Cause]:
    """`above` is the nearest value around this one of which it is known what it was."""
    above = above if old is _NOTHING else (value, old)
    rules = schema.get(RULES) or ()
    if rules and value is not None:
        seen, before = _itself(value, schema), _NOTHING if old is _NOTHING else _itself(old, schema)
        for rule in rules:
            for fault in _judge(rule, schema, value, at, seen, before):
                refused = uses_old(str(rule.get("rule") or "")) or fault.fails or not same_json(*above)
                told = fault.cause
                yield told if refused else Tolerated(told.field, told.reason, told.message)
    if depth >= _DEEPEST:
        return
    if isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        was = old if isinstance(old, dict) else {}
        for name, child in value.items():
            below = properties.get(name, extra)
            if isinstance(below, Mapping):
                where = f"{at}.{name}" if name in properties and at else name if not at else f"{at}[{name}]"
                yield from _broken(child, below, where, was.get(name, _NOTHING), above, depth=depth + 1)
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        known = _by_key(old, schema)
        for index, item in enumerate(value):
            before = known.get(_key(item, schema), _NOTHING)
            yield from _broken(item, schema["items"], f"{at}[{index}]", before, above, depth=depth + 1)


def _key(item: Json, schema: Schema) -> tuple[str, ...] | None:
    """What tells an item of an associative list apart; None where nothing does."""
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(item, dict):
        return None
    return tuple(repr(item.get(key)) for key in keys)


def _by_key(old: Json, schema: Schema) -> dict[tuple[str, ...] | None, Json]:
    found = {_key(item, schema): item for item in old} if isinstance(old, list) else {}
    found.pop(None, None)
    return found


class _Fault(NamedTuple):
    """What a rule says of a value; `fails`: that it cannot be worked out."""

    cause: Cause
    fails: bool = False


def _judge(rule: Object, schema: Schema, value: Json, at: str, seen: Json, before: Json) -> Iterator[_Fault]:
    text, optional = str(rule.get("rule") or "").strip(), bool(rule.get("optionalOldSelf"))
    if uses_old(text) and before is _NOTHING and not optional:
        return
    old = None if before is _NOTHING else before
    try:
        passed = compiled(text, _kind(schema), optional_old=optional).evaluate(seen, old)
    except BadExpression:
        return  # accepted with the CRD although it is beyond our engine: see BadExpression.is_ours
    except EvaluationFailed as error:
        words = f"{error.what} evaluating rule: {str(rule.get('message') or '').strip() or text}"
        yield _Fault(invalid(at or "<nil>", schema.get("type") or "object", words), fails=True)
        return
    if passed is not True:
        where = at + _suffix(str(rule.get("fieldPath") or ""))
        yield _Fault(_told(rule, where.lstrip(".") or "<nil>", value, _message(rule, schema, seen, old)))


def _suffix(path: str) -> str:
    """`.a.b['c']` → `.a.b[c]`."""
    return _STEP.sub(lambda step: f".{step.group(1)}" if step.group(1) else f"[{step.group(2)}]", path)


def _message(rule: Object, schema: Schema, seen: Json, old: Json) -> str:
    """What the rule says of a failure: by an expression, in words, or itself."""
    expression = rule.get("messageExpression")
    if expression:
        try:
            found = compiled(expression, _kind(schema), optional_old=bool(rule.get("optionalOldSelf"))).evaluate(
                seen, old
            )
        except (BadExpression, EvaluationFailed):
            found = ""
        if isinstance(found, str) and found.strip() and "\n" not in found.strip():
            return found.strip()
    words = str(rule.get("message") or "").strip()
    return words or f"failed rule: {str(rule.get('rule') or '').strip()}"


def _told(rule: Object, at: str, value: Json, message: str) -> Cause:
    reason = rule.get("reason") or "FieldValueInvalid"
    if reason == "FieldValueForbidden":
        return Cause(at, reason, f"Forbidden: {message}")
    if reason == "FieldValueRequired":
        return required(at, message)
    if reason == "FieldValueDuplicate":
        return duplicate(at, value)
    if isinstance(value, (dict, list)) or rule.get("fieldPath"):
        return Cause(at, "FieldValueInvalid", f"Invalid value: {message}")
    return invalid(at, value, message)


def _kind(schema: Schema) -> str:
    """The type CEL knows a value by. Objects are read by name whatever they hold, so they are dynamic."""
    if schema.get("x-kubernetes-int-or-string") or schema.get("nullable"):
        return "DYN"
    kind = str(schema.get("type") or "")
    if kind == "string":
        return _TIMES.get(str(schema.get("format") or ""), "STRING")
    return _KINDS.get(kind, "DYN")


def _itself(value: Json, schema: Schema) -> Any:
    """`self` as rules see it. A time is a time where it stands alone; within lists and objects the engine takes it as text only."""
    return _timed(value, _kind(schema)) if isinstance(value, str) else _seen(value, schema)


def _seen(value: Json, schema: Schema) -> Any:
    """A value as rules see it: declared fields under names CEL can write, numbers as their types."""
    if isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        if isinstance(extra, Mapping):
            return {key: _seen(child, extra) for key, child in value.items()}
        return {escaped(key): _seen(child, properties.get(key) or {}) for key, child in value.items()}
    if isinstance(value, list):
        items = schema.get("items")
        return [_seen(item, items if isinstance(items, Mapping) else {}) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (
            float(value) if schema.get("type") == "number" else int(value) if schema.get("type") == "integer" else value
        )
    return value


def _timed(value: str, kind: str) -> Any:
    if kind == "TIMESTAMP":
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if kind == "DURATION":
        seconds = duration(value)
        return value if seconds is None else timedelta(seconds=seconds)
    return value
