"""Rules of custom resources in CEL: which are accepted, what they say of objects."""

from typing import Any

import pytest

from kilde.kubeapi.resources.causes import Cause, Tolerated
from kilde.kubeapi.resources.custom.broken import broken_rules
from kilde.kubeapi.resources.custom.rules import RULES, check_rules
from kilde.kubeapi.resources.custom.schemas import check_schema

pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")


def schema(properties: dict[str, Any], *rules: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": properties, RULES: list(rules)}}}


def told(rule: str, properties: dict[str, Any], spec: Any, old: Any = None, **more: Any) -> list[str]:
    whole = schema(properties, {"rule": rule, **more})
    found = broken_rules({"spec": spec}, whole, None if old is None else {"spec": old})
    return [str(cause) for cause in found]


INTEGER, STRING, NUMBER = {"type": "integer"}, {"type": "string"}, {"type": "number"}


@pytest.mark.parametrize(
    ("rule", "properties", "spec", "holds"),
    [
        ("self.a < self.b", {"a": INTEGER, "b": INTEGER}, {"a": 1, "b": 2}, True),
        ("!has(self.b) || self.a < self.b", {"a": INTEGER, "b": INTEGER}, {"a": 1}, True),
        ("self.a / 2.0 == 0.5", {"a": NUMBER}, {"a": 1}, True),
        ("self.l.all(x, x.startsWith('a'))", {"l": {"type": "array", "items": STRING}}, {"l": ["a", "ab"]}, True),
        ("self.l.isSorted() && self.l.sum() == 6", {"l": {"type": "array", "items": INTEGER}}, {"l": [1, 2, 3]}, True),
        (
            "self.m.exists(k, self.m[k] == 'v')",
            {"m": {"type": "object", "additionalProperties": STRING}},
            {"m": {"a-b": "v"}},
            True,
        ),
        ("self.x__dash__y == 'z' && self.__in__ == 1", {"x-y": STRING, "in": INTEGER}, {"x-y": "z", "in": 1}, True),
        ("duration(self.d) > duration('1h')", {"d": {"type": "string", "format": "duration"}}, {"d": "61m"}, True),
        (
            "timestamp(self.t) < timestamp('2027-01-01T00:00:00Z')",
            {"t": {"type": "string", "format": "date-time"}},
            {"t": "2026-01-01T00:00:00Z"},
            True,
        ),
        ("quantity(self.q).isGreaterThan(quantity('500M'))", {"q": STRING}, {"q": "1Gi"}, True),
        ("isQuantity(self.q)", {"q": STRING}, {"q": "much"}, False),
        ("url(self.u).getHost() == 'example.com:8080'", {"u": STRING}, {"u": "https://example.com:8080/x"}, True),
        ("isIP(self.a) && ip(self.a).family() == 6", {"a": STRING}, {"a": "2001:db8::1"}, True),
        ("cidr('10.0.0.0/8').containsIP(self.a)", {"a": STRING}, {"a": "11.0.0.1"}, False),
        ("self.s.find('[0-9]+') == '42'", {"s": STRING}, {"s": "x42y"}, True),
        ("self.?a.orValue(3) == 3", {"a": INTEGER}, {}, True),
    ],
)
def test_a_rule_sees_values_as_their_schema_says(
    rule: str, properties: dict[str, Any], spec: Any, *, holds: bool
) -> None:
    assert told(rule, properties, spec) == ([] if holds else [f"spec: Invalid value: failed rule: {rule}"])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "spec: Invalid value: failed rule: self.a > 1"),
        ({"message": " too small "}, "spec: Invalid value: too small"),
        ({"messageExpression": "'a is ' + string(self.a)"}, "spec: Invalid value: a is 1"),
        ({"messageExpression": "string(1 / 0)", "message": "too small"}, "spec: Invalid value: too small"),
        ({"fieldPath": ".a"}, "spec.a: Invalid value: failed rule: self.a > 1"),
        ({"reason": "FieldValueForbidden"}, "spec: Forbidden: failed rule: self.a > 1"),
        ({"reason": "FieldValueRequired", "message": "more"}, "spec: Required value: more"),
    ],
)
def test_a_broken_rule_says_so_in_its_own_words(more: dict[str, Any], words: str) -> None:
    assert told("self.a > 1", {"a": INTEGER}, {"a": 1}, **more) == [words]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("self.a > self.missing", "no such key: missing evaluating rule: self.a > self.missing"),
        ("1 / (self.a - 1) > 0", "division by zero evaluating rule: 1 / (self.a - 1) > 0"),
    ],
)
def test_a_rule_without_a_value_is_an_error(rule: str, words: str) -> None:
    assert told(rule, {"a": INTEGER, "missing": INTEGER}, {"a": 1}) == [f'spec: Invalid value: "object": {words}']


def test_a_rule_that_would_never_end_is_ended() -> None:
    spec, rule = {"l": list(range(2000))}, "self.l.all(x, self.l.all(y, self.l.all(z, x + y + z >= 0)))"
    assert told(rule, {"l": {"type": "array", "items": INTEGER}}, spec) == [
        "spec: Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': "
        f"no further validation rules will be run due to call cost exceeds limit for rule: {rule}"
    ]


def test_the_rules_of_one_object_may_cost_so_much_together_and_no_more() -> None:
    lists = {"type": "array", "items": {"type": "array", "items": INTEGER, RULES: [RULE] * 3}}
    found = {"type": "object", "properties": {"l": lists, "z": {**STRING, RULES: [{"rule": "false"}]}}}
    (cause,) = broken_rules({"l": [list(range(300))] * 9, "z": "never looked at"}, found)
    assert str(cause) == (
        'l[5]: Invalid value: "array": validation failed due to running out of cost budget, '
        "no further validation rules will be run"
    )


RULE = {"rule": "self.all(x, self.all(y, x + y >= 0))"}


def test_a_transition_is_judged_on_change_only() -> None:
    immutable = "self.a == oldSelf.a"
    assert told(immutable, {"a": INTEGER}, {"a": 1}) == []
    assert told(immutable, {"a": INTEGER}, {"a": 1}, {"a": 1}) == []
    assert told(immutable, {"a": INTEGER}, {"a": 2}, {"a": 1}, message="is fixed") == ["spec: Invalid value: is fixed"]


@pytest.mark.parametrize(("old", "broken"), [(None, False), ({"a": 1}, True), ({"a": 2}, False)])
def test_an_optional_old_value_may_be_absent(old: Any, *, broken: bool) -> None:
    rule = "!oldSelf.hasValue() || oldSelf.value().a == self.a"
    assert bool(told(rule, {"a": INTEGER}, {"a": 2}, old, optionalOldSelf=True)) is broken


def test_a_time_that_stands_alone_is_a_time() -> None:
    field = {"type": "string", "format": "date-time", RULES: [{"rule": "self < timestamp('2026-06-01T00:00:00Z')"}]}
    whole = {"type": "object", "properties": {"t": field}}
    assert broken_rules({"t": "2026-01-01T00:00:00Z"}, whole) == []
    assert len(broken_rules({"t": "2027-01-01T00:00:00Z"}, whole)) == 1


def test_what_has_not_changed_is_only_warned_of_unless_it_cannot_be_worked_out() -> None:
    schema = {"type": "object", "properties": {"a": INTEGER}}
    small = {**schema, RULES: [{"rule": "self.a > 5"}]}
    assert [type(cause) for cause in broken_rules({"a": 1}, small, {"a": 1})] == [Tolerated]
    assert [type(cause) for cause in broken_rules({"a": 1}, small, {"a": 2})] == [Cause]
    divided = {**schema, RULES: [{"rule": "1 / self.a > 5"}]}
    assert [type(cause) for cause in broken_rules({"a": 0}, divided, {"a": 0})] == [Cause]


def test_items_of_an_associative_list_have_their_own_past() -> None:
    item = {
        "type": "object",
        "properties": {"name": STRING, "v": {"type": "integer", RULES: [{"rule": "self >= oldSelf"}]}},
    }
    listed = {"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    whole = {"type": "object", "properties": {"l": listed}}
    old = {"l": [{"name": "a", "v": 5}, {"name": "b", "v": 1}]}
    new = {"l": [{"name": "b", "v": 2}, {"name": "a", "v": 4}]}
    assert [str(cause) for cause in broken_rules(new, whole, old)] == [
        "l[1].v: Invalid value: 4: failed rule: self >= oldSelf"
    ]


SHORT = {"type": "string", "maxLength": 10}
ANY_LENGTH = {"type": "array", "items": STRING}


@pytest.mark.parametrize(
    ("rule", "listed", "refused"),
    [
        ("self.all(x, self.exists_one(y, x == y))", ANY_LENGTH, True),
        ("self.all(x, self.exists_one(y, x == y))", {**ANY_LENGTH, "maxItems": 10}, True),
        ("self.all(x, self.exists_one(y, x == y))", {**ANY_LENGTH, "items": SHORT, "maxItems": 10}, False),
        ("self.all(x, x != 'self.all(y, y)')", ANY_LENGTH, False),
        ("self.all(x, ['a', 'b'].exists(y, x == y))", ANY_LENGTH, True),
        ("self.all(x, x != '') && self.exists(x, x == '')", ANY_LENGTH, False),
    ],
)
def test_loops_within_loops_need_a_bound(rule: str, listed: dict[str, Any], *, refused: bool) -> None:
    causes = list(check_rules({**listed, RULES: [{"rule": rule}]}, "at"))
    assert bool(causes) is refused
    assert all(cause.message.startswith("Forbidden: ") for cause in causes)


def test_a_rule_that_does_not_compile_is_refused_and_passed_over_where_it_is_stored() -> None:
    rule = {"rule": "authorizer.path('/healthz').check('get').allowed()"}
    found = {"type": "object", "properties": {"l": {"type": "array", "items": STRING}}, RULES: [rule]}
    (cause,) = check_rules(found, "at")
    assert "undeclared reference to 'authorizer' (in container '')" in cause.message
    assert broken_rules({"l": []}, found) == []


@pytest.mark.parametrize(
    ("rule", "field", "begins"),
    [
        ({"rule": " "}, "rule", "Required value: rule is not specified"),
        ({"rule": "self.a.("}, "rule", "Invalid value"),
        ({"rule": "nothing == 1"}, "rule", "Invalid value"),
        ({"rule": "1 + 1"}, "rule", "Invalid value"),
        ({"rule": "true", "messageExpression": "1"}, "messageExpression", "Invalid value"),
        ({"rule": "true", "fieldPath": ".b"}, "fieldPath", 'Invalid value: ".b": must be a valid path'),
        ({"rule": "true", "fieldPath": "a"}, "fieldPath", 'Invalid value: "a": must be a valid path'),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: dict[str, Any], field: str, begins: str) -> None:
    (cause,) = check_schema({"type": "object", "properties": {"a": STRING}, RULES: [rule]}, "at")
    assert cause.field == f"at.{RULES}[0].{field}"
    assert cause.message.startswith(begins)
