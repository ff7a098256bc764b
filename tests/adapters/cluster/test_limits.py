"""The token bucket holds us to its rate."""

from hypothesis import given
from hypothesis import strategies as st

from kilde.adapters.cluster.limits import TokenBucket


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
