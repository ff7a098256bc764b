"""Pages of metrics, read, and quantiles taken from them."""

import math

from hypothesis import given
from hypothesis import strategies as st

from kilde.core.doctor.exposition import between, buckets, quantile, samples, total

PAGE = """\
# HELP http_seconds How long.
# TYPE http_seconds histogram
http_seconds_bucket{verb="GET",le="0.1"} 50
http_seconds_bucket{verb="GET",le="0.2"} 90
http_seconds_bucket{verb="GET",le="+Inf"} 100
http_seconds_bucket{verb="PUT",le="0.1"} 10
http_seconds_bucket{verb="PUT",le="0.2"} 10
http_seconds_bucket{verb="PUT",le="+Inf"} 10
http_seconds_sum{verb="GET"} 12.5
http_seconds_count{verb="GET"} 100
other_total{path="a \\"quoted\\\\ one\\nin two lines"} 3 1700000000000
other_total 4
not a line at all
other_total{x="y"} NaNsense
"""


def test_a_page_is_read() -> None:
    found = samples(PAGE, ["other_total"])
    assert [(each.labels, each.value) for each in found] == [({"path": 'a "quoted\\ one\nin two lines'}, 3), ({}, 4)]
    assert total(found, "other_total") == 7
    assert total(found, "missing") is None


def test_a_quantile_is_that_of_prometheus() -> None:
    found = samples(PAGE, ["http_seconds"])
    gets = buckets(found, "http_seconds", lambda labels: labels["verb"] == "GET")
    assert gets == {0.1: 50, 0.2: 90, math.inf: 100}
    assert quantile(0.5, gets) == 0.1
    assert math.isclose(quantile(0.7, gets) or 0, 0.15)
    assert quantile(0.99, gets) == 0.2  # in the bucket without an end: its lower bound
    assert buckets(found, "http_seconds")[0.1] == 60
    assert quantile(0.5, {}) is None
    assert quantile(0.5, {0.1: 0, math.inf: 0}) is None


def test_between_two_readings_is_what_came_after_the_first() -> None:
    assert between({0.1: 60, math.inf: 100}, {0.1: 50, math.inf: 80}) == {0.1: 10, math.inf: 20}
    assert between({0.1: 3, math.inf: 5}, {0.1: 50, math.inf: 80}) == {0.1: 3, math.inf: 5}  # it has started anew


@given(st.lists(st.floats(0.001, 9.9), min_size=1, max_size=100), st.floats(0.01, 1.0))
def test_a_quantile_is_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    bounds = [0.01, 0.1, 0.5, 1.0, 5.0, 10.0]
    counts = {bound: float(sum(1 for value in values if value <= bound)) for bound in [*bounds, math.inf]}
    true = sorted(values)[math.ceil(share * len(values)) - 1]
    upper = next(bound for bound in bounds if true <= bound)
    lower = max((bound for bound in bounds if bound < upper), default=0.0)
    found = quantile(share, counts)
    assert found is not None
    assert lower - 1e-9 <= found <= upper + 1e-9
