"""Job: progressing until it is complete, failed or suspended."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended


def judge(obj: Object) -> Health:
    """Argo CD's getJobHealth.

    Its quirks are kept: a condition counts whatever its status, except that Suspended must be "True" to suspend. So a
    job that was resumed (Suspended "False") is healthy before it completes, and a suspended one has no message.
    """
    complete = is_suspended = False
    message = ""
    failure: str | None = None
    for item in conditions(obj):
        kind = text(item, "type")
        if kind == "Failed":
            failure = text(item, "message")
        elif kind in ("Complete", "Suspended"):
            complete, message = True, text(item, "message")
            is_suspended = is_suspended or (kind == "Suspended" and text(item, "status") == "True")
    if failure is not None:
        return degraded(failure)
    if not complete:
        return progressing("")
    return suspended("") if is_suspended else healthy(message)
