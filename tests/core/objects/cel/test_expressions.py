"""CEL as it is evaluated here: what cel-go gives and counts for the same expressions, and laws that hold for whatever values."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.cel.expressions import EvaluationFailed, Scope, expression, typed
from kilde.core.objects.cel.times import read_timestamp
from kilde.core.objects.cel.types import read
from kilde.core.objects.cel.values import INT_LEAST, INT_MOST

pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")

RECORDED = [json.loads(line) for line in (Path(__file__).parent / "recorded.jsonl").read_text().splitlines()]
# name → (type, value): those of recorder/main.go
VARIABLES: dict[str, tuple[str, Any]] = {
    "self": (
        "dyn",
        {
            "a": {"b": 1, "s": "text"},
            "l": [1, 2, 3],
            "s": "hello world",
            "e": [],
            "f": 1.5,
            "t": True,
            "n": None,
            "o": [{"name": "x", "n": 1}, {"name": "y", "n": 2}],
        },
    ),
    "s": ("string", "some text"),
    "n": ("int", 7),
    "d": ("double", 2.5),
    "b": ("bool", True),
    "l": ("list(string)", ["a", "bb", "ccc"]),
    "ln": ("list(int)", [3, 1, 2]),
    "m": ("map(string,int)", {"x": 1, "y": 2}),
    "t": ("timestamp", read_timestamp("2024-02-29T13:14:15.678Z")),
    "big": ("list(int)", list(range(200))),
}


def evaluated(text: str) -> tuple[Any, int, str | None]:
    """(value, cost, error)."""
    made = typed(text, Scope({name: read(kind) for name, (kind, _) in VARIABLES.items()}))
    try:
        value, cost = made.measured({name: value for name, (_, value) in VARIABLES.items()})
    except EvaluationFailed as error:
        return None, error.cost, error.what
    return value, cost, None


def test_expressions_give_and_cost_what_they_do_in_kubernetes() -> None:
    different = []
    for row in RECORDED:
        _, cost, error = evaluated(row["text"])
        found: dict[str, Any] = {"text": row["text"], "cost": cost}
        if error is not None:
            found["error"] = error
        elif "shown" in row:
            found["shown"] = evaluated(f"'%s'.format([{row['text']}])")[0]
        different += [f"{row}\n{found}"] if found != row else []
    assert not different, "\n".join(different)


def test_what_costs_too_much_is_ended() -> None:
    made = expression("l.all(x, l.all(y, l.all(z, x + y + z >= 0)))", ("l",))
    with pytest.raises(EvaluationFailed, match="operation cancelled: actual cost limit exceeded") as failure:
        made.run({"l": list(range(2000))})
    assert failure.value.is_too_expensive
    assert 1_000_000 < failure.value.cost < 1_000_100


def value(text: str, **variables: Any) -> Any:
    return expression(text, tuple(sorted(variables))).run(variables)


def or_error(text: str, **variables: Any) -> Any:
    try:
        return value(text, **variables)
    except EvaluationFailed as error:
        return error.what


WHOLE = st.integers(INT_LEAST, INT_MOST)


@given(WHOLE, WHOLE)
def test_numbers_are_whole_in_64_bits_or_overflow(a: int, b: int) -> None:
    for sign, found in (("+", a + b), ("-", a - b), ("*", a * b)):
        fits = INT_LEAST <= found <= INT_MOST
        assert or_error(f"a {sign} b", a=a, b=b) == (found if fits else "integer overflow")
    if b and (a, b) != (INT_LEAST, -1):
        assert value("a / b * b + a % b == a", a=a, b=b) is True
    assert value("(a < b) == (b > a) && (a <= b) == !(a > b)", a=a, b=b) is True


@given(st.lists(st.sampled_from(["yes", "no", "fails"]), max_size=5))
def test_one_item_decides_whatever_fails_beside_it(items: list[str]) -> None:
    judged = "(x == 'fails' ? 1 / 0 == 1 : x == 'yes')"
    failed = "division by zero"
    every = False if "no" in items else failed if "fails" in items else True
    some = True if "yes" in items else failed if "fails" in items else False
    assert or_error(f"l.all(x, {judged})", l=items) == every
    assert or_error(f"l.exists(x, {judged})", l=items) == some
    if items:
        chain = [f"(l[{place}] == 'fails' ? 1 / 0 == 1 : l[{place}] == 'yes')" for place in range(len(items))]
        assert or_error(" && ".join(chain), l=items) == every
        assert or_error(" || ".join(chain), l=items) == some


TEXTS = st.lists(st.text("ab-é", max_size=4), max_size=5)


@given(TEXTS, TEXTS)
def test_sets_and_lists_are_as_those_of_mathematics(a: list[str], b: list[str]) -> None:
    assert value("sets.contains(a, b)", a=a, b=b) == (set(b) <= set(a))
    assert value("sets.equivalent(a, b)", a=a, b=b) == (set(a) == set(b))
    assert value("sets.intersects(a, b)", a=a, b=b) == bool(set(a) & set(b))
    assert value("(a + b).distinct()", a=a, b=b) == list(dict.fromkeys(a + b))
    assert value("(a + b).sort()", a=a, b=b) == sorted(a + b, key=str.encode)
    assert value("a.reverse().reverse() == a && a.map(x, x) == a", a=a) is True
    assert value("a.join('/').split('/') == (a.size() == 0 ? [''] : a)", a=a) is True


@given(st.text("ab.é", max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_a_text_is_cut_and_found_by_characters(text: str, start: int, end: int) -> None:
    found = or_error("t.substring(a, b)", t=text, a=start, b=end)
    if start <= end <= len(text):
        assert found == text[start:end]
        assert value("t.indexOf(u) <= a && t.contains(u)", t=text, u=found, a=start) is True
    else:
        assert found.startswith(("index out of range", "invalid substring range"))


def test_a_pattern_takes_time_linear_in_the_text() -> None:
    assert value("t.matches('^(a+)+$')", t="a" * 5000 + "b") is False


@pytest.mark.parametrize("grows", ["a + a", "[a, a].join()", "a.replace('', a)"])
def test_nothing_grows_without_bound(grows: str) -> None:
    text = "[t]" + f".map(a, {grows})" * 20
    with pytest.raises(EvaluationFailed, match="operation cancelled"):
        value(text, t="x" * 1000)
