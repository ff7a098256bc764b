"""Sync windows: when an application may be synced, by whom. Schedule, length, time zone; the moment is an argument.

Argo CD's rules (app_project_types.go): no matching window permits; an active denial forbids; where windows allow, one has to be active;
one that cannot be read forbids, and of a time zone that there is not it says UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from kilde.core.access.globs import matches
from kilde.core.basics import cron
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import Reader, duration

WINDOW_KINDS = ("allow", "deny")
"""Windows of other kinds mean nothing, as with Argo CD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window. `problem`: why it cannot be read; it forbids whatever it matches, so that a typing error opens nothing."""

    denies: bool
    schedule: cron.Schedule | None
    problem: str = ""
    length: float  # seconds
    zone: tzinfo = UTC
    applications: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    manual: bool = False  # a sync that a person asks for is let through all the same
    overruns: bool = False  # a sync that was allowed to begin goes on
    all_of: bool = False  # every list that is given has to match, not just one

    def concerns(self, *, application: str, namespace: str, clusters: Iterable[str]) -> bool:
        """Whether the window is about an application: by its name, its namespace, or its cluster's server or name."""
        clusters = tuple(clusters)
        found = [
            any(matches(pattern, text) for pattern in patterns for text in texts)
            for patterns, texts in (
                (self.applications, (application,)),
                (self.namespaces, (namespace,)),
                (self.clusters, clusters),
            )
            if patterns
        ]
        return bool(found) and (all(found) if self.all_of else any(found))

    def is_active(self, now: float) -> bool:
        """Whether it began within its length before `now` (seconds since the epoch)."""
        begun = self.schedule.next(now - self.length, self.zone) if self.schedule is not None else None
        return begun is not None and begun < now


def may_sync(windows: Iterable[Window], *, now: float, manual: bool, begun: float | None = None) -> bool:
    """Whether the windows that concern an application let a sync begin now, or go on that began at `begun`."""
    windows = tuple(windows)
    if any(window.problem for window in windows):
        return False
    in_the_way = _in_the_way(windows, now)
    if not in_the_way or (manual and all(window.manual for window in in_the_way)):
        return True
    goes_on = begun is not None and all(window.overruns for window in in_the_way)
    return goes_on and begun is not None and may_sync(windows, now=begun, manual=manual)


def _in_the_way(windows: tuple[Window, ...], now: float) -> list[Window]:
    """The denials that are active; or else those that allow and are closed, unless one is open."""
    active = [window for window in windows if window.is_active(now)]
    denials = [window for window in active if window.denies]
    if denials or active:
        return denials
    return [window for window in windows if not window.denies]


def read_window(at: Reader) -> Window:
    """One item of `spec.syncWindows`. What is wrong with its type goes to the reader, with its times to its `problem`."""
    schedule, problem = _schedule(at.text("schedule"))
    length = duration(at.text("duration"))
    if length is None and not problem:
        problem = f"cannot parse duration '{at.text('duration')}': time: invalid duration \"{at.text('duration')}\""
    return Window(
        denies=at.text("kind") != "allow",
        schedule=schedule,
        problem=problem,
        length=length or 0.0,
        zone=_zone(at.text("timeZone")),
        applications=at.texts("applications"),
        namespaces=at.texts("namespaces"),
        clusters=at.texts("clusters"),
        manual=at.flag("manualSync"),
        overruns=at.flag("syncOverrun"),
        all_of=at.flag("andOperator"),
    )


def _schedule(text: str) -> tuple[cron.Schedule | None, str]:
    try:
        return cron.parse(text), ""
    except InvalidInput as error:
        return None, f"cannot parse schedule '{text}': {error.what}"


def _zone(name: str) -> tzinfo:
    try:
        return cron.zone(name)
    except InvalidInput:
        return UTC
