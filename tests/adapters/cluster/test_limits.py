"""The token bucket holds us to its rate."""

from hypothesis import given
from hypothesis import strategies as st

from kilde.adapters.cluster.limits import TokenBucket, budget


@given(st.lists(st.floats(0, 0.5), max_size=60), st.integers(1, 10), st.integers(1, 50))
def test_a_bucket_never_lets_more_through_than_it_holds(gaps: list[float], burst: int, rate: int) -> None:
    bucket, now, uses = TokenBucket(rate, burst), 100.0, []
    for gap in gaps:
        now += gap
        uses.append(now + bucket.reserve(now))
    for index, first in enumerate(uses):
        for count, last in enumerate(uses[index:], start=1):
            assert count <= burst + (last - first) * rate + 1e-6


def test_without_a_rate_nobody_waits() -> None:
    bucket = TokenBucket(0, 1)
    assert [bucket.reserve(1.0) for _ in range(1000)] == [0.0] * 1000


@given(st.integers(1, 200), st.lists(st.floats(0, 20), min_size=1, max_size=200))
def test_a_budget_holds_within_any_minute(writes: int, gaps: list[float]) -> None:
    bucket, now, uses = budget(writes), 100.0, []
    for gap in gaps:
        now += gap
        uses.append(now + bucket.reserve(now))
    if writes == 1:  # one at once and one a minute: two may fall into a minute that begins with the first
        writes = 2
    for index, first in enumerate(uses):
        assert sum(1 for use in uses[index:] if use < first + 60) <= writes + 1e-6


def test_no_budget_is_no_limit() -> None:
    bucket = budget(0)
    assert [bucket.reserve(1.0) for _ in range(1000)] == [0.0] * 1000
