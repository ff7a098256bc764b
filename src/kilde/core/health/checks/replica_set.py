"""ReplicaSet: degraded when it cannot make its pods, progressing until enough of them are available."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, is_observed, maybe_number, number, part, text
from kilde.core.health.health import HEALTHY, Health, degraded, progressing


def judge(obj: Object) -> Health:
    """Argo CD's getReplicaSetHealth."""
    if not is_observed(obj):
        return progressing(
            "Waiting for rollout to finish: observed replica set generation less than desired generation"
        )
    failure = next((item for item in conditions(obj) if text(item, "type") == "ReplicaFailure"), None)
    if failure is not None and text(failure, "status") == "True":
        return degraded(text(failure, "message"))
    wanted = maybe_number(part(obj, "spec"), "replicas")
    available = number(part(obj, "status"), "availableReplicas")
    if wanted is not None and available < wanted:
        return progressing(f"Waiting for rollout to finish: {available} out of {wanted} new replicas are available...")
    return HEALTHY
