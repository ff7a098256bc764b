"""Timestamps and durations: reading, showing, arithmetic and what they are made of."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from kilde.core.objects.cel.overloads import Overload, overloads
from kilde.core.objects.cel.values import INT_LEAST, INT_MOST, CelError, Duration, Timestamp

_SECOND = 10**9
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)([.,]\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_PART = re.compile(r"(\d++\.?\d*+|\.\d++)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": _SECOND, "m": 60 * _SECOND}
_UNITS["h"] = 3600 * _SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62135596800 * _SECOND, 253402300800 * _SECOND - 1
_OFFSET = re.compile(r"([+-]?)(\d\d?):(\d\d)", re.ASCII)


def read_timestamp(text: str) -> Timestamp:
    """An RFC 3339 time. CelError."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise _unread(text)
    *numbers, fraction, zone = found.groups()
    try:
        moment = datetime(*map(int, numbers), tzinfo=_offset(zone))  # type: ignore[arg-type, misc]
        whole = (moment - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError) as error:
        raise _unread(text) from error
    told = _moment(whole * _SECOND + int((fraction or ".0")[1:10].ljust(9, "0")))
    away = moment.utcoffset()
    return Timestamp(told.nanos, int(away.total_seconds()) // 60 if away else 0)


def _unread(text: str) -> CelError:
    layout = "2006-01-02T15:04:05Z07:00"
    return CelError(f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"')


def _moment(nanos: int) -> Timestamp:
    if not _FIRST <= nanos <= _LAST:
        raise CelError("timestamp overflow")
    return Timestamp(nanos)


def _length(nanos: int) -> Duration:
    if not INT_LEAST <= nanos <= INT_MOST:
        raise CelError("integer overflow")
    return Duration(nanos)


def show_timestamp(value: Timestamp) -> str:
    """RFC 3339 with as many digits of a second as are needed."""
    seconds, nanos = divmod(value.nanos, _SECOND)
    moment = _EPOCH + timedelta(seconds=seconds, minutes=value.offset)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    hours, minutes = divmod(abs(value.offset), 60)
    zone = f"{'-' if value.offset < 0 else '+'}{hours:02d}:{minutes:02d}" if value.offset else "Z"
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}{fraction}{zone}"


def read_duration(text: str) -> Duration:
    """A duration as Go writes it (`1h30m`). CelError."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return Duration(0)
    total, at = 0, 0
    while at < len(rest):
        found = _PART.match(rest, at)
        if found is None:
            break
        whole, _, part = found[1].partition(".")
        unit = _UNITS[found[2]]
        total += int(whole or "0") * unit + (int(part) * unit // 10 ** len(part) if part else 0)
        at = found.end()
    if not rest or at < len(rest) or total > INT_MOST:
        raise CelError(f'time: invalid duration "{text}"')
    return Duration(sign * total)


def show_duration(value: Duration) -> str:
    """In seconds."""
    seconds, nanos = divmod(abs(value.nanos), _SECOND)
    sign = "-" if value.nanos < 0 else ""
    return f"{sign}{seconds}" + (f".{nanos:09d}".rstrip("0") if nanos else "") + "s"


def _offset(zone: str) -> tzinfo:
    if zone in ("Z", "z"):
        return UTC
    found = _OFFSET.fullmatch(zone)
    if found is None:
        raise ValueError(zone)
    length = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-length if found[1] == "-" else length)


def _zone(name: str) -> tzinfo:
    if _OFFSET.fullmatch(name):
        return _offset(name)
    try:
        return UTC if name in ("", "UTC", "Z") else ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise CelError(f"unknown time zone {name}") from error


def _part(of: Callable[[datetime], int]) -> Callable[..., int]:
    def part(value: Timestamp, zone: str = "") -> int:
        return of((_EPOCH + timedelta(seconds=value.nanos // _SECOND)).astimezone(_zone(zone)))

    return part


def _thousandths(value: Timestamp, zone: str = "") -> int:
    _zone(zone)
    return value.nanos % _SECOND // 10**6


_PARTS = {
    "getFullYear": _part(lambda moment: moment.year),
    "getMonth": _part(lambda moment: moment.month - 1),
    "getDayOfYear": _part(lambda moment: moment.timetuple().tm_yday - 1),
    "getDayOfMonth": _part(lambda moment: moment.day - 1),
    "getDate": _part(lambda moment: moment.day),
    "getDayOfWeek": _part(lambda moment: moment.isoweekday() % 7),
    "getHours": _part(lambda moment: moment.hour),
    "getMinutes": _part(lambda moment: moment.minute),
    "getSeconds": _part(lambda moment: moment.second),
    "getMilliseconds": _thousandths,
}


def _in(unit: int) -> Callable[[Duration], int]:
    return lambda value: (abs(value.nanos) // unit) * (-1 if value.nanos < 0 else 1)


_LENGTHS = {
    "getHours": _in(3600 * _SECOND),
    "getMinutes": _in(60 * _SECOND),
    "getSeconds": _in(_SECOND),
    "getMilliseconds": _in(10**6),
}


def _made() -> Iterator[Overload]:
    yield from overloads((Timestamp,), _PARTS)
    yield from overloads((Timestamp, str), _PARTS)
    yield from overloads((Duration,), _LENGTHS)
    yield Overload("_+_", (Timestamp, Duration), lambda a, b: _moment(a.nanos + b.nanos))
    yield Overload("_+_", (Duration, Timestamp), lambda a, b: _moment(a.nanos + b.nanos))
    yield Overload("_+_", (Duration, Duration), lambda a, b: _length(a.nanos + b.nanos))
    yield Overload("_-_", (Timestamp, Timestamp), lambda a, b: _length(a.nanos - b.nanos))
    yield Overload("_-_", (Timestamp, Duration), lambda a, b: _moment(a.nanos - b.nanos))
    yield Overload("_-_", (Duration, Duration), lambda a, b: _length(a.nanos - b.nanos))
    yield Overload("-_", (Duration,), lambda a: _length(-a.nanos))


TABLE = (*_made(),)
