"""Percentiles and histograms of durations."""

import math

from hypothesis import given
from hypothesis import strategies as st

from kilde.core.doctor.durations import bars, drawn, spread, told

_DURATIONS = st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=200)


@given(_DURATIONS)
def test_a_percentile_is_a_duration_that_so_many_do_not_exceed(durations: list[float]) -> None:
    found = spread(durations)
    for share, value in ((0.5, found.p50), (0.9, found.p90), (0.99, found.p99), (0.999, found.p999)):
        assert value in durations
        assert sum(1 for each in durations if each <= value) >= share * len(durations)
        assert sum(1 for each in durations if each < value) < share * len(durations)
    assert (found.count, found.most) == (len(durations), max(durations))


@given(_DURATIONS)
def test_each_duration_is_in_one_bar(durations: list[float]) -> None:
    found = bars(durations)
    assert sum(bar.count for bar in found) == len(durations)
    for bar in found:
        inside = sum(1 for each in durations if bar.low <= each < bar.high)
        assert bar.count == inside
    assert [bar.low for bar in found[1:]] == [bar.high for bar in found[:-1]]
    assert found[0].count
    assert found[-1].count


def test_nothing_has_no_spread_and_no_bars() -> None:
    assert spread([]).numbers() == dict.fromkeys(("count", "p50", "p90", "p99", "p999", "most"), 0)
    assert drawn([]) == []


def test_it_is_drawn_so_that_people_see_it() -> None:
    assert drawn([0.00005, 0.00015, 0.00016, 0.003], width=4) == [
        "         0 – 100 µs │██   1",
        "    100 µs – 200 µs │████ 2",
        "    200 µs – 400 µs │     0",
        "    400 µs – 800 µs │     0",
        "    800 µs – 1.6 ms │     0",
        "    1.6 ms – 3.2 ms │██   1",
    ]


def test_durations_are_told_in_the_unit_that_fits() -> None:
    assert [told(each) for each in (0.0000123, 0.0042, 0.2, 1, 75.26)] == [
        "12.3 µs",
        "4.2 ms",
        "200 ms",
        "1 s",
        "75.3 s",
    ]
    assert math.isclose(spread([0.1]).p50, 0.1)
