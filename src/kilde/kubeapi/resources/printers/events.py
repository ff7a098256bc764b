"""How events of both groups are printed."""

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.printers.column import NAME as NAME_COLUMN
from kilde.kubeapi.resources.printers.column import UNKNOWN, Column, Printer, field, get, since, wide


def _either(event: Object, *names: str) -> Json:
    """The first of these fields that is there: the two groups name the same thing differently."""
    return next((event[name] for name in names if event.get(name)), None)


def _first_seen(event: Object, now: float) -> str:
    first = since(_either(event, "firstTimestamp", "deprecatedFirstTimestamp"), now)
    return since(event.get("eventTime"), now) if first == UNKNOWN else first


def _last_seen(event: Object, now: float) -> str:
    series = get(event, "series", "lastObservedTime")
    if series is not None:
        return since(series, now)
    last = since(_either(event, "lastTimestamp", "deprecatedLastTimestamp"), now)
    return _first_seen(event, now) if last == UNKNOWN else last


def _count(event: Object, now: float) -> Json:
    return get(event, "series", "count") or _either(event, "count", "deprecatedCount") or 1


def _object(event: Object, now: float) -> str:
    target = _either(event, "involvedObject", "regarding") or {}
    kind = str(target.get("kind", "")).lower()
    return f"{kind}/{target['name']}" if target.get("name") else kind


def _source(event: Object, now: float) -> str:
    source = _either(event, "source", "deprecatedSource") or {}
    component = source.get("component") or _either(event, "reportingComponent", "reportingController") or ""
    host = source.get("host") or event.get("reportingInstance")
    return f"{component}, {host}" if host else str(component)


def _part(event: Object, now: float) -> Json:
    return (_either(event, "involvedObject", "regarding") or {}).get("fieldPath", "")


EVENT = Printer(
    (
        Column("Last Seen", _last_seen),
        Column("Type", field("type")),
        Column("Reason", field("reason")),
        Column("Object", _object),
        wide("Subobject", _part),
        wide("Source", _source),
        Column("Message", lambda event, now: str(_either(event, "message", "note") or "").strip()),
        wide("First Seen", _first_seen),
        wide("Count", _count),
        Column("Name", NAME_COLUMN.cell, priority=1, format="name", description=NAME_COLUMN.description),
    )
)
