"""What an object breaks of the rules of its schema, and how much evaluating them may cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel.expressions import (
    BadExpression,
    EvaluationFailed,
    Expression,
    available,
    typed,
)
from kilde.core.objects.cel.values import NOTHING, Optional
from kilde.kubeapi.resources.causes import Cause, Tolerated, duplicate, invalid, required
from kilde.kubeapi.resources.custom.declared import Declared, declared, scope_of
from kilde.kubeapi.resources.custom.definition import Schema
from kilde.kubeapi.resources.custom.rules import RULES, STEP
from kilde.kubeapi.resources.custom.seen import View, view_of
from kilde.kubeapi.resources.custom.values import same_json
from kilde.kubeapi.resources.patience import Patience

_OF_OBJECT = 10_000_000  # what all rules may cost on one object
_UNKNOWN = object()  # it is not known what was there
_DEEPEST = 100
_OUT = "running out of cost budget, no further validation rules will be run"
_MOST_BYTES = 5 * 1024  # of a message that an expression makes


@dataclass
class _Rule:
    """A rule, and its expressions: None where they do not compile, as older releases may have let them in."""

    raw: Object
    expression: Expression | None
    message: Expression | None
    looks_back: bool
    optional: bool

    @property
    def words(self) -> str:
        """What errors call it."""
        return str(self.raw.get("message") or "").strip() or str(self.raw.get("rule") or "").strip()


@dataclass
class _Judged:
    """A schema as rules have it: those of its own, and what is below it that has rules."""

    schema: Schema
    rules: tuple[_Rule, ...] = ()
    view: View | None = None
    fields: dict[str, "_Judged"] = field(default_factory=dict)
    items: "_Judged | None" = None
    values: "_Judged | None" = None

    @property
    def kind(self) -> str:
        """The type that messages name."""
        return self.schema.get("type") or "object"


class _Held:
    """A schema, told apart by which one it is; held, so that no other takes its place."""

    __slots__ = ("schema",)

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.schema is self.schema


def broken_rules(value: Json, schema: Schema, old: Json = None, patience: Patience | None = None) -> list[Cause]:
    """Which rules an object breaks that is valid otherwise; `old` is what it was (None: it is created). TooLong.

    What broke a rule before and has not changed is Tolerated.
    """
    judged = _judged(_Held(schema)) if available() else None
    if judged is None:
        return []
    return list(
        _Judge(patience or Patience()).broken(value, judged, "", _UNKNOWN if old is None else old, (None, _UNKNOWN))
    )


@lru_cache(maxsize=256)
def _judged(held: _Held) -> _Judged | None:
    return _made(held.schema, root=True, depth=0)


def _made(schema: Schema, *, root: bool = False, depth: int) -> _Judged | None:
    if depth > _DEEPEST:
        return None
    root = root or bool(schema.get("x-kubernetes-embedded-resource"))
    made = _Judged(schema)
    shape = declared(schema, root=root) if schema.get(RULES) else None
    if shape is not None:
        made.rules = tuple(_rule(rule, shape) for rule in schema[RULES])
        made.view = view_of(schema)
    for name, child in (schema.get("properties") or {}).items():
        below = _made(child, depth=depth + 1)
        if below is not None:
            made.fields[name] = below
    items, extra = schema.get("items"), schema.get("additionalProperties")
    made.items = _made(items, depth=depth + 1) if isinstance(items, Mapping) else None
    made.values = _made(extra, depth=depth + 1) if isinstance(extra, Mapping) else None
    return made if made.rules or made.fields or made.items or made.values else None


def _rule(raw: Object, shape: Declared) -> _Rule:
    optional, message = bool(raw.get("optionalOldSelf")), str(raw.get("messageExpression") or "")
    made = _compiled(str(raw.get("rule") or ""), shape, optional)
    looks_back = made is not None and "oldSelf" in made.tree.names.values()
    return _Rule(raw, made, _compiled(message, shape, optional) if message else None, looks_back, optional)


def _compiled(text: str, shape: Declared, optional: bool) -> Expression | None:
    try:
        return typed(text, scope_of(shape, optional_old=optional))
    except BadExpression:
        return None


_Pair = tuple[Any, Any]  # a value, and what it was


class _Judge:
    """Judges one object; `_left` is what evaluating may still cost: less than nothing ends it."""

    def __init__(self, patience: Patience) -> None:
        self._left, self._patience = _OF_OBJECT, patience

    def broken(self, value: Json, judged: _Judged, at: str, old: Json, above: _Pair) -> Iterator[Cause]:
        """`above` is the nearest value around this one of which it is known what it was."""
        above = above if old is _UNKNOWN else (value, old)
        if judged.rules and value is not None:
            yield from self._own(value, judged, at, old, above)
        if isinstance(value, dict):
            was = old if isinstance(old, dict) else {}
            for name, child in value.items():
                below = judged.fields.get(name, judged.values)
                if below is not None and self._left >= 0:
                    known = name in judged.fields
                    where = f"{at}.{name}" if known and at else name if not at else f"{at}[{name}]"
                    yield from self.broken(child, below, where, was.get(name, _UNKNOWN), above)
        elif isinstance(value, list) and judged.items is not None:
            items = _by_key(old, judged.schema)
            for index, item in enumerate(value):
                if self._left >= 0:
                    before = items.get(_key(item, judged.schema), _UNKNOWN)
                    yield from self.broken(item, judged.items, f"{at}[{index}]", before, above)

    def _own(self, value: Json, judged: _Judged, at: str, old: Json, above: _Pair) -> Iterator[Cause]:
        if self._left <= 0:
            yield self._out(judged, at)
            return
        view = judged.view
        seen = value if view is None else view(value)
        before = old if old is _UNKNOWN or view is None else view(old)
        same: bool | None = None
        for rule in judged.rules:
            if rule.expression is None or (rule.looks_back and before is _UNKNOWN and not rule.optional):
                continue
            for told, fails in self._one(rule, judged, value, at, {"self": seen, "oldSelf": before}):
                same = same_json(*above) if same is None and not (fails or rule.looks_back) else same
                refused = fails or rule.looks_back or not same
                yield told if refused else Tolerated(told.field, told.reason, told.message)
            if self._left < 0:
                return

    def _one(
        self, rule: _Rule, judged: _Judged, value: Json, at: str, variables: Mapping[str, Any]
    ) -> Iterator[tuple[Cause, bool]]:
        """What a rule says; and whether it cannot be worked out."""
        assert rule.expression is not None  # _own passes over those
        known, old = variables["oldSelf"] is not _UNKNOWN, variables["oldSelf"]
        given = {**variables, "oldSelf": (Optional(old, True) if known else NOTHING) if rule.optional else old}
        failed = None
        try:
            passed, cost = self._patience.measured(rule.expression, given)
        except EvaluationFailed as error:
            passed, cost, failed = False, error.cost, error
        if cost > self._left:
            yield self._out(judged, at), True
            return
        self._left -= cost
        if failed is not None:
            yield invalid(at or "<nil>", judged.kind, self._failed(failed, rule)), True
            return
        if passed is not True:
            yield from self._refused(rule, judged, value, at, variables)

    def _out(self, judged: _Judged, at: str) -> Cause:
        self._left = -1
        return invalid(at or "<nil>", judged.kind, f"validation failed due to {_OUT}")

    def _failed(self, error: EvaluationFailed, rule: _Rule) -> str:
        if error.what.startswith("no such overload"):
            told = "call arguments did not match a supported operator, function or macro signature"
            return f"'{error.what}': {told} for rule: {rule.words}"
        if error.is_too_expensive:
            self._left = -1
            told = "no further validation rules will be run due to call cost exceeds limit"
            return f"'{error.what}': {told} for rule: {rule.words}"
        return f"{error.what} evaluating rule: {rule.words}"

    def _refused(
        self, rule: _Rule, judged: _Judged, value: Json, at: str, variables: Mapping[str, Any]
    ) -> Iterator[tuple[Cause, bool]]:
        where = (at + _suffix(str(rule.raw.get("fieldPath") or ""))).lstrip(".") or "<nil>"
        try:
            message = self._message(rule, variables)
        except EvaluationFailed as error:
            self._left = -1
            yield invalid(where, judged.kind, error.what), False
            return
        yield _told(rule.raw, where, value, message), False

    def _message(self, rule: _Rule, variables: Mapping[str, Any]) -> str:
        """What the rule says of a failure: by an expression, in words, or itself. EvaluationFailed where that costs too much."""
        if rule.message is not None:
            found, cost, expensive = None, 0, False
            try:
                found, cost = self._patience.measured(rule.message, variables)
            except EvaluationFailed as error:
                cost, expensive = error.cost, error.is_too_expensive
            if cost > self._left:
                raise EvaluationFailed(f"messageExpression evaluation failed due to {_OUT}")
            if expensive:
                words = "no further validation rules will be run due to call cost exceeds limit for messageExpression"
                raise EvaluationFailed(f'{words}: "{rule.raw["messageExpression"]}"')
            self._left -= cost
            told = found.strip() if isinstance(found, str) else ""
            if told and "\n" not in told and len(told.encode()) <= _MOST_BYTES:
                return told
        return str(rule.raw.get("message") or "").strip() or f"failed rule: {rule.words}"


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


def _suffix(path: str) -> str:
    """`.a.b['c']` → `.a.b[c]`."""
    return STEP.sub(lambda step: f".{step.group(1)}" if step.group(1) else f"[{step.group(2)}]", path)


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
