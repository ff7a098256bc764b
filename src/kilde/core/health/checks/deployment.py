"""Deployment: paused is suspended; past its deadline is degraded; else as `kubectl rollout status` tells it."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, is_observed, maybe_number, name, number, part, quoted, text
from kilde.core.health.health import HEALTHY, Health, degraded, progressing, suspended


def judge(obj: Object) -> Health:
    """Argo CD's getDeploymentHealth. Replicas are compared only if spec.replicas is there."""
    spec, status = part(obj, "spec"), part(obj, "status")
    if spec.get("paused") is True:
        return suspended("Deployment is paused")
    if not is_observed(obj):
        return progressing("Waiting for rollout to finish: observed deployment generation less than desired generation")
    last = next((item for item in conditions(obj) if text(item, "type") == "Progressing"), None)
    if last is not None and text(last, "reason") == "ProgressDeadlineExceeded":
        return degraded(f"Deployment {quoted(name(obj))} exceeded its progress deadline")
    return _rollout(maybe_number(spec, "replicas"), status)


def _rollout(wanted: int | None, status: Object) -> Health:
    replicas, updated = number(status, "replicas"), number(status, "updatedReplicas")
    available = number(status, "availableReplicas")
    if wanted is not None and updated < wanted:
        what = f"{updated} out of {wanted} new replicas have been updated..."
    elif replicas > updated:
        what = f"{replicas - updated} old replicas are pending termination..."
    elif available < updated:
        what = f"{available} of {updated} updated replicas are available..."
    else:
        return HEALTHY
    return progressing(f"Waiting for rollout to finish: {what}")
