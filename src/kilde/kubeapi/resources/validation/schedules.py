"""Cron schedules as Kubernetes reads them (robfig/cron's ParseStandard), with its messages."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from kilde.core.basics.reading import duration


class _Bounds(NamedTuple):
    low: int
    high: int
    names: Mapping[str, int]


_MONTHS = {
    name: index
    for index, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_DAYS = {name: index for index, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_FIELDS = (_Bounds(0, 59, {}), _Bounds(0, 23, {}), _Bounds(1, 31, {}), _Bounds(1, 12, _MONTHS), _Bounds(0, 6, _DAYS))
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY = "@every "


def schedule_problem(text: str) -> str:
    """What is wrong with a schedule; "" if nothing."""
    if not text:
        return "empty spec string"
    if text.startswith("@"):
        return _descriptor(text)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    for field, bounds in zip(fields, _FIELDS, strict=True):
        for part in re.split(",", field):
            problem = _range(part, bounds)
            if problem:
                return problem
    return ""


def _descriptor(text: str) -> str:
    if text in _DESCRIPTORS:
        return ""
    if text.startswith(_EVERY):
        rest = text.removeprefix(_EVERY)
        return "" if duration(rest) is not None else f'failed to parse duration {text}: time: invalid duration "{rest}"'
    return f"unrecognized descriptor: {text}"


class _Unreadable(Exception):
    """A part of a schedule is no number."""


def _range(text: str, bounds: _Bounds) -> str:
    try:
        start, end, step = _parts(text, bounds)
    except _Unreadable as problem:
        return str(problem)
    if start < bounds.low:
        return f"beginning of range ({start}) below minimum ({bounds.low}): {text}"
    if end > bounds.high:
        return f"end of range ({end}) above maximum ({bounds.high}): {text}"
    if start > end:
        return f"beginning of range ({start}) beyond end of range ({end}): {text}"
    return "" if step else f"step of range should be a positive number: {text}"


def _parts(text: str, bounds: _Bounds) -> tuple[int, int, int]:
    """First, last and step of a range such as `*/5`, `mon-fri`, `3`."""
    span, *steps = text.split("/")
    ends = span.split("-")
    if ends[0] in ("*", "?"):
        start, end = bounds.low, bounds.high
    else:
        if len(ends) > 2:
            raise _Unreadable(f"too many hyphens: {text}")
        start = _number(ends[0], bounds.names)
        end = _number(ends[1], bounds.names) if len(ends) == 2 else start
    if len(steps) > 1:
        raise _Unreadable(f"too many slashes: {text}")
    step = _number(steps[0], {}) if steps else 1
    return start, bounds.high if steps and len(ends) == 1 else end, step


def _number(text: str, names: Mapping[str, int]) -> int:
    known = names.get(text.lower())
    if known is not None:
        return known
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text, re.ASCII):
        raise _Unreadable(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise _Unreadable(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
