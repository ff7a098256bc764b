"""APIService: healthy once the aggregator calls it available."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, healthy, progressing


def judge(obj: Object) -> Health:
    """Argo CD's getAPIServiceHealth: unavailable is still progressing, never degraded."""
    for item in conditions(obj):
        if text(item, "type") == "Available":
            message = f"{text(item, 'reason')}: {text(item, 'message')}"
            return healthy(message) if text(item, "status") == "True" else progressing(message)
    return progressing("Waiting to be processed")
