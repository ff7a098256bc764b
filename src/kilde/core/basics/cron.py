"""Cron schedules as robfig/cron's standard parser reads them: five fields, names, steps, macros; in a time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import duration

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_HORIZON = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Minutes, hours, days, months and weekdays that match; `every` (seconds) instead, for `@every 90s`."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = True
    any_weekday: bool = True
    every: float = 0.0

    def next(self, after: float, zone: tzinfo = UTC) -> float | None:
        """The first time of the schedule later than `after` (seconds since the epoch); None if there is none in 5 years."""
        if self.every:
            return after + self.every
        moment = datetime.fromtimestamp(after, zone).replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = moment + _HORIZON
        while moment < end:
            if moment.month not in self.months:
                moment = (moment.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
            elif not self._on(moment):
                moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
            elif moment.hour not in self.hours:
                moment = moment.replace(minute=0) + timedelta(hours=1)
            elif moment.minute not in self.minutes:
                moment += timedelta(minutes=1)
            elif moment.timestamp() > after:
                return moment.timestamp()
            else:  # the hour that a change of the clocks repeats
                moment += timedelta(minutes=1)
        return None

    def _on(self, moment: datetime) -> bool:
        """If both days of the month and of the week are given, one of them is enough (as in every cron)."""
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return (day and weekday) if self.any_day or self.any_weekday else (day or weekday)


def parse(text: str) -> Schedule:
    """A schedule; InvalidInput in the words of the original parser."""
    text = text.strip()
    if text.startswith("@every "):
        every = duration(text.removeprefix("@every "))
        if not every or every < 1:
            raise InvalidInput(f"failed to parse duration {text}")
        return Schedule(every=float(int(every)))
    if text.startswith("@") and text not in _MACROS:
        raise InvalidInput(f"unrecognized descriptor: {text}")
    fields = _MACROS.get(text, text).split()
    if len(fields) != len(_FIELDS):
        raise InvalidInput(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    minutes, hours, days, months, weekdays = (
        _field(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)
    )
    stars = [field.startswith(("*", "?")) for field in fields]
    return Schedule(minutes, hours, days, months, weekdays, any_day=stars[2], any_weekday=stars[4])


def _field(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, {}) if slash else 1
        if step == 0:
            raise InvalidInput(f"step of range should be a positive number: {part}")
        first, last = _span(span, low, high, names, stepped=bool(slash))
        if first < low:
            raise InvalidInput(f"beginning of range ({first}) below minimum ({low}): {part}")
        if last > high:
            raise InvalidInput(f"end of range ({last}) above maximum ({high}): {part}")
        if first > last:
            raise InvalidInput(f"beginning of range ({first}) beyond end of range ({last}): {part}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _span(text: str, low: int, high: int, names: dict[str, int], *, stepped: bool) -> tuple[int, int]:
    if text in ("*", "?"):
        return low, high
    begin, dash, end = text.partition("-")
    first = _number(begin, names)
    if dash:
        return first, _number(end, names)
    return first, high if stepped else first


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def zone(name: str | None) -> tzinfo:
    """The time zone of that name; UTC without one; InvalidInput if there is none."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise InvalidInput(f"unknown time zone {name}") from error
