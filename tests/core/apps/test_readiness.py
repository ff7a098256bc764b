"""Conditions of dependencies: what they say of an object, what is refused, and that none costs more than it may."""

from typing import Any

import pytest

pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")

from kilde.core.apps.dependencies.readiness import MOST, cost, is_ready, refusal
from kilde.core.objects.cel.expressions import expression

READY = {"type": "Ready", "status": "True", "message": "all is well"}
BODY: dict[str, Any] = {
    "kind": "Cluster",
    "status": {"conditions": [{"type": "Synced", "status": "False"}, READY], "ready": 3},
}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("object.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')", (True, "")),
        ("object.status.ready >= 4", (False, "its condition does not hold")),
        ("object.?status.?missing.orValue(1) == 1", (True, "")),
        ("has(object.status) && object.status.conditions.all(c, c.type in ['Ready', 'Synced'])", (True, "")),
        ("object.status.missing == 1", (False, "the condition has no value: no such key: missing")),
        ("object.status.ready", (False, "the condition gives neither true nor false")),
        ("size(object.status.conditions)", (False, "the condition gives int, not true or false")),
        ("object.x.findAll('(a+)+$').size() == 0", (False, "the condition calls findAll, which is not available here")),
        ("object.x.map(a, string(a)).join('') == ''", (False, "the condition calls join, which is not available here")),
    ],
)
def test_conditions(condition: str, found: tuple[bool, str]) -> None:
    assert is_ready(condition, BODY) == found


def test_what_does_not_compile_is_said_in_one_line() -> None:
    assert refusal("object.a ==").startswith("the condition does not compile: ")
    assert "\n" not in refusal("object.a ==")


def test_values_of_secrets_are_not_shown_to_conditions() -> None:
    secret = {"kind": "Secret", "data": {"password": "Y2FuYXJ5"}, "type": "Opaque"}
    assert is_ready("object.data.password.startsWith('Y')", secret) == (
        False,
        "the condition has no value: no such key: data",
    )
    assert is_ready("object.type == 'Opaque'", secret) == (True, "")


@pytest.mark.parametrize(
    "condition",
    [
        "object.data.all(k, object.data.all(l, object.data[k] != object.data[l] || k == l))",
        "object.data.all(k, object == object)",
        "cel.bind(a, object.data.k1 + object.data.k1, "
        + "".join(f"cel.bind({b}, {a} + {a}, " for a, b in zip("abcdefghijklmnop", "bcdefghijklmnopq", strict=True))
        + "q.size() > 1"
        + ")" * 17,
        "object.data.k1.matches(object.data.k1) && object.data.all(k, object.data[k].contains(object.data.k1))",
    ],
)
def test_what_would_take_too_long_or_too_much_is_not_evaluated(condition: str) -> None:
    large = {"kind": "ConfigMap", "data": {f"k{number}": "x" * 200 for number in range(2000)}}
    assert refusal(condition) == ""
    ready, why = is_ready(condition, large)
    assert not ready
    assert why.endswith(f"steps on an object of this size, and {MOST:,} are the most")


def test_what_people_write_costs_little() -> None:
    conditions = [{"type": f"Kind{number}", "status": "True", "message": "m" * 200} for number in range(50)]
    body = {"kind": "Cluster", "status": {"conditions": conditions}}
    usual = "object.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')"
    assert cost(expression(usual, ("object",)), body) < MOST / 100
