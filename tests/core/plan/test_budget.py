"""The arithmetic of deletion budgets: its laws, its texts, and the window over all applications."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.plan.budget import (
    DEFAULT,
    FLEET_DEFAULT,
    Budget,
    FleetBudget,
    Limit,
    Spent,
    read_budget,
    read_fleet_budget,
)

budgets = st.builds(Budget, objects=st.integers(0, 50), percent=st.integers(0, 100), any_kind=st.booleans())
weights = st.lists(st.integers(1, 9), max_size=30)
specials = st.lists(st.sampled_from(["Namespace a: all goes", "StatefulSet b: state"]), max_size=3)


def is_over(budget: Budget, going: list[int], special: list[str], total: int) -> bool:
    return bool(Limit(budget, "x").excess(going, special, total=total))


@given(budgets, weights, specials, st.integers(0, 400))
def test_more_deletions_are_never_more_welcome(
    budget: Budget, going: list[int], special: list[str], total: int
) -> None:
    over = [is_over(budget, going[:n], special, total) for n in range(len(going) + 1)]
    assert all(before <= after for before, after in pairwise(over))


@given(budgets, weights, specials, st.integers(0, 400), st.integers(0, 20), st.integers(0, 20))
def test_a_larger_budget_holds_nothing_that_a_smaller_one_lets_through(
    budget: Budget, going: list[int], special: list[str], total: int, more: int, percent: int
) -> None:
    larger = Budget(objects=budget.objects + more, percent=min(100, budget.percent + percent), any_kind=budget.any_kind)
    assert is_over(larger, going, special, total) <= is_over(budget, going, special, total)


@given(budgets, weights, st.integers(0, 400))
def test_exactly_the_allowance_may_go(budget: Budget, going: list[int], total: int) -> None:
    assert is_over(budget, going, [], total) == (sum(going) > max(budget.objects, total * budget.percent // 100))


@given(budgets, weights.filter(bool), st.integers(0, 400))
def test_a_kind_that_takes_more_than_itself_is_over_unless_any_kind_may_go(
    budget: Budget, going: list[int], total: int
) -> None:
    by_count = is_over(budget, going, [], total)
    assert is_over(budget, going, ["Namespace a: all goes"], total) == (by_count or not budget.any_kind)


@given(budgets)
def test_a_budget_reads_as_it_is_written(budget: Budget) -> None:
    assert read_budget(str(budget)) == budget


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("5,10%", DEFAULT),
        (" 10% , 5 ", DEFAULT),
        ("0", Budget()),
        ("7", Budget(objects=7)),
        ("3%", Budget(percent=3)),
        ("7,any-kind", Budget(objects=7, any_kind=True)),
        ("off", Budget(off=True)),
    ],
)
def test_texts(text: str, budget: Budget) -> None:
    assert read_budget(text) == budget


@pytest.mark.parametrize("text", ["", "five", "-1", "5,6", "101%", "5%,6%", "off,5", "any-kind", "5;10", "٣", "1" * 9])
def test_what_cannot_be_read_permits_nothing(text: str) -> None:
    budget = read_budget(text)
    assert budget.problem == f"'{text}' is no deletion budget (write a number, a percentage or both (5,10%), or off)"
    assert Limit(budget, "the annotation").excess([1], [], total=1000) == f"the annotation: {budget.problem}"


def test_the_words_of_what_is_over() -> None:
    limit = Limit(DEFAULT, "--deletion-budget")
    assert limit.excess([1] * 6, [], total=12) == (
        "6 of 12 objects would be deleted, and the budget is 5 (5,10%, --deletion-budget)"
    )
    assert limit.excess([1] * 5, [], total=12) == ""
    assert limit.excess([1] * 12, [], total=120) == ""
    assert limit.excess([1, 1, 1, 1], ["a", "b", "c", "d"], total=99) == "a; b; c; and 1 more"


def test_texts_of_the_fleet() -> None:
    assert read_fleet_budget("20,5%/10m") == FLEET_DEFAULT
    assert read_fleet_budget("20,5%") == FLEET_DEFAULT
    assert read_fleet_budget("off").budget.off
    assert read_fleet_budget("9/1h") == FleetBudget(budget=Budget(objects=9), seconds=3600.0)
    for text in ("20/0s", "20/soon", "20/"):
        wanted = f"'{text}' has no time in which it may be spent (write 20,5%/10m)"
        assert read_fleet_budget(text).budget.problem == wanted


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.floats(0, 30)), max_size=40))
def test_the_window_never_lets_more_through_than_its_allowance(tries: list[tuple[int, int, float]]) -> None:
    """Whoever asks first and spends only what is let through stays within it in each stretch of that length."""
    fleet, spent, now = FleetBudget(budget=Budget(objects=10), seconds=20.0), Spent(), 0.0
    let: list[tuple[float, int]] = []
    seen: set[str] = set()
    for number, (uid, weight, pause) in enumerate(tries):
        now += pause
        key = f"{uid}-{number}"
        if not spent.excess({key: weight}, fleet, total=0, now=now):
            spent.spend({key: weight}, now=now)
            let.append((now, weight))
            seen.add(key)
        assert sum(w for at, w in let if now - at < 20.0) <= 10


def test_what_is_tried_again_counts_once() -> None:
    fleet, spent = FleetBudget(budget=Budget(objects=3), seconds=20.0), Spent()
    for _ in range(5):
        assert spent.excess({"a": 2, "b": 1}, fleet, total=0, now=1.0) == ""
        spent.spend({"a": 2, "b": 1}, now=1.0)
    assert spent.excess({"c": 1}, fleet, total=0, now=2.0) == (
        "all applications together would lose 4 objects within 20 s, and the budget is 3 (3/20s, --fleet-deletion-budget)"
    )
    assert spent.excess({"c": 1}, fleet, total=0, now=21.0) == ""
