"""DaemonSet: progressing until every node that should has a new, available pod."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import is_observed, name, number, part, quoted, text
from kilde.core.health.health import HEALTHY, Health, healthy, progressing


def judge(obj: Object) -> Health:
    """Argo CD's getDaemonSetHealth; with OnDelete nothing is waited for."""
    if not is_observed(obj):
        return progressing("Waiting for rollout to finish: observed daemon set generation less than desired generation")
    status = part(obj, "status")
    wanted, updated = number(status, "desiredNumberScheduled"), number(status, "updatedNumberScheduled")
    available = number(status, "numberAvailable")
    if text(part(obj, "spec", "updateStrategy"), "type") == "OnDelete":
        return healthy(f"daemon set {updated} out of {wanted} new pods have been updated")
    waiting = f"Waiting for daemon set {quoted(name(obj))} rollout to finish: "
    if updated < wanted:
        return progressing(f"{waiting}{updated} out of {wanted} new pods have been updated...")
    if available < wanted:
        return progressing(f"{waiting}{available} of {wanted} updated pods are available...")
    return HEALTHY
