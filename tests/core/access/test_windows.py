"""When the windows let a sync begin."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kilde.core.access.windows import Window, may_sync, read_window
from kilde.core.basics.reading import Reader

NINE = datetime(2026, 3, 2, 9, 30, tzinfo=UTC).timestamp()  # a Monday


def window(**fields: Any) -> Window:
    return read_window(Reader({"kind": "deny", "duration": "1h", "applications": ["*"], **fields}, "window"))


OPEN, CLOSED = "0 9 * * *", "0 3 * * *"


@pytest.mark.parametrize(
    ("windows", "automatic", "manual"),
    [
        ([], True, True),
        ([window(schedule=OPEN)], False, False),
        ([window(schedule=CLOSED)], True, True),
        ([window(schedule=OPEN, manualSync=True)], False, True),
        ([window(schedule=OPEN, manualSync=True), window(schedule=OPEN)], False, False),
        ([window(kind="allow", schedule=OPEN)], True, True),
        ([window(kind="allow", schedule=CLOSED)], False, False),
        ([window(kind="allow", schedule=CLOSED, manualSync=True)], False, True),
        ([window(kind="allow", schedule=CLOSED), window(kind="allow", schedule=OPEN)], True, True),
        ([window(kind="allow", schedule=OPEN), window(schedule=OPEN)], False, False),
        ([window(kind="allow", schedule="often")], False, False),
        (
            [window(kind="allow", schedule=OPEN), window(schedule=CLOSED, duration="long", manualSync=True)],
            False,
            False,
        ),
    ],
)
def test_denials_win_and_where_windows_allow_one_has_to_be_open(
    windows: list[Window], automatic: bool, manual: bool
) -> None:
    assert may_sync(windows, now=NINE, manual=False) is automatic
    assert may_sync(windows, now=NINE, manual=True) is manual


def test_a_window_is_open_from_its_start_for_its_length_in_its_zone() -> None:
    one = window(schedule=OPEN, timeZone="Europe/Oslo")  # 08:00 to 09:00 UTC in winter
    assert [one.is_active(NINE - 3600 * hours) for hours in (0, 1, 2)] == [False, True, False]


def test_a_time_zone_that_there_is_not_is_utc() -> None:
    assert may_sync([window(kind="allow", schedule=OPEN, timeZone="Mars/One")], now=NINE, manual=False)


@pytest.mark.parametrize(
    ("fields", "concerned"),
    [
        ({"applications": ["web-*"]}, True),
        ({"applications": ["api"]}, False),
        ({"applications": [], "namespaces": ["shop"]}, True),
        ({"applications": [], "clusters": ["https://a"]}, True),
        ({"applications": ["api"], "namespaces": ["shop"]}, True),
        ({"applications": ["api"], "namespaces": ["shop"], "andOperator": True}, False),
        ({"applications": []}, False),
    ],
)
def test_whom_a_window_is_about(fields: dict[str, Any], concerned: bool) -> None:
    one = window(schedule=OPEN, **fields)
    assert one.concerns(application="web-1", namespace="shop", clusters=["https://a", "in-cluster"]) is concerned


@pytest.mark.parametrize(
    ("windows", "begun", "goes_on"),
    [
        ([window(kind="deny", schedule="0 9 * * *", syncOverrun=True)], NINE - 3600, True),
        ([window(kind="deny", schedule="0 9 * * *")], NINE - 3600, False),
        ([window(kind="deny", schedule="0 9 * * *", syncOverrun=True)], NINE - 60, False),
        ([window(kind="allow", schedule="0 8 * * *", syncOverrun=True)], NINE - 3500, True),
        ([window(kind="allow", schedule="0 8 * * *")], NINE - 3500, False),
        ([window(kind="allow", schedule="0 8 * * *", syncOverrun=True)], NINE - 60, False),
        (
            [
                window(kind="allow", schedule="0 8 * * *", syncOverrun=True),
                window(kind="allow", schedule="0 7 * * *"),
            ],
            NINE - 3500,
            False,
        ),
    ],
)
def test_a_sync_that_was_allowed_to_begin_goes_on_where_every_window_in_its_way_says_so(
    windows: list[Window], begun: float, goes_on: bool
) -> None:
    assert may_sync(windows, now=NINE, manual=False, begun=begun) is goes_on
    assert not may_sync(windows, now=NINE, manual=False)
