"""The MariaDB operator: conditions, read by each kind in its own way."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said

_SILENT: Final = progressing("No status info available")


def _talks(obj: Object) -> bool:
    return isinstance(part(obj, "status").get("conditions"), list)


def maria_db(obj: Object) -> Health:
    """The first False condition; where none is, the last one's message goes with Healthy."""
    message = ""
    for item in conditions(obj):
        message = said(item)
        if text(item, "status") == "False":
            return degraded(message) if text(item, "reason") == "Failed" else progressing(message)
    return healthy(message) if _talks(obj) else _SILENT


def _told(item: Object) -> str:
    return f"{text(item, 'reason')} {said(item)}"


def backup(obj: Object) -> Health:
    """As the database, but only a schedule that failed is Degraded."""
    message = ""
    for item in conditions(obj):
        message = _told(item)
        if text(item, "status") == "False":
            return degraded(message) if message == "CronJobScheduled Failed" else progressing(message)
    return healthy(message) if _talks(obj) else _SILENT


def sql_job(obj: Object) -> Health:
    """True for a reason: done or failed."""
    last = _SILENT
    for item in conditions(obj):
        last = progressing(_told(item))
        reason = text(item, "reason")
        if text(item, "status") == "True" and reason in ("JobComplete", "JobFailed"):
            return healthy(last.message) if reason == "JobComplete" else degraded(last.message)
    return last


def ready_or_not(obj: Object) -> Health:
    """Ready, or Degraded for anything but True."""
    last = _SILENT
    for item in conditions(obj):
        last = progressing(said(item))
        if text(item, "type") == "Ready":
            return healthy(last.message) if text(item, "status") == "True" else degraded(last.message)
    return last


KINDS: Final[Mapping[str, Judge]] = {
    "Backup": backup,
    "Database": ready_or_not,
    "Grant": ready_or_not,
    "MariaDB": maria_db,
    "SqlJob": sql_job,
    "User": ready_or_not,
}
