"""How long a sync that failed waits for the next attempt."""

from typing import Any

import pytest

from kilde.core.basics.reading import Reader
from kilde.core.plan.policy import Retry, read_retry


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        ({}, [5, 10, 20, 40, 80, 160, 180]),
        ({"duration": "1", "factor": 3, "maxDuration": "10"}, [1, 3, 9, 10]),
        ({"duration": "+2", "maxDuration": "1m"}, [2, 4, 8, 16, 32, 60]),
        ({"duration": "1.5s", "factor": 1}, [1.5, 1.5]),
        ({"duration": ".5s", "factor": 1}, [0.5]),
        ({"duration": "1.m", "factor": 1}, [60]),
        ({"duration": "1h", "factor": 1, "maxDuration": "0"}, [3600, 3600]),
        ({"duration": "1h", "factor": 1, "maxDuration": "-1s"}, [3600, 3600]),
        ({"duration": "-1h"}, [0, 0]),
        ({"duration": "0", "factor": 0}, [0, 0]),
        ({"factor": 10**18}, [5, 180]),
    ],
)
def test_waits_grow_by_the_factor_up_to_the_longest(backoff: dict[str, Any], waits: list[float]) -> None:
    retry = read_retry(Reader({"limit": 1, "backoff": backoff}, "retry"))
    assert ([retry.delay(number) for number in range(len(waits))], retry.unread) == (waits, "")


def test_no_number_of_retries_is_too_much_to_wait_for() -> None:
    assert Retry(factor=10.0, ceiling=0.0).delay(5000) == Retry(factor=10.0, ceiling=-1.0).delay(100) > 10**9


@pytest.mark.parametrize(
    ("backoff", "text"),
    [
        ({"duration": "5 sec"}, "5 sec"),
        ({"duration": " 5s"}, " 5s"),
        ({"duration": "1d"}, "1d"),
        ({"maxDuration": "soon"}, "soon"),
        ({"duration": "never", "maxDuration": "soon"}, "never"),
        ({"duration": "9" * 5000}, "9" * 5000),
        ({"duration": "9" * 400 + "s"}, "9" * 400 + "s"),
    ],
)
def test_what_is_no_duration_is_kept_for_the_retry(backoff: dict[str, Any], text: str) -> None:
    at = Reader({"limit": 1, "backoff": backoff}, "retry")
    assert (read_retry(at).unread, at.problems) == (f"unable to parse {text} as a duration", [])
