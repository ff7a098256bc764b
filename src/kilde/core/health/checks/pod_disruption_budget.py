"""PodDisruptionBudget: a condition that is False is an illness, unless pods are merely few."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing


def judge(obj: Object) -> Health:
    """Argo CD's check; too few pods to evict any is how some budgets are meant."""
    verdict = progressing("Waiting for status")
    for item in conditions(obj):
        reason = text(item, "reason")
        message = f"PodDisruptionBudget has {reason}"
        if text(item, "status") == "False" and reason != "InsufficientPods":
            return degraded(message)
        verdict = healthy(message)
    return verdict
