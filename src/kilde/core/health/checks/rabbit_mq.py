"""RabbitmqCluster: reconciled, formed, and every replica ready."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge, said


def cluster(obj: Object) -> Health:
    """Unknown, as the operator has it while a cluster forms, is progress."""
    last: dict[str, Object] = {}
    for item in conditions(obj):
        if text(item, "type") == "ReconcileSuccess" and text(item, "status") == "False":
            return degraded(said(item))
        last[text(item, "type")] = item
    formed, replicas = last.get("ClusterAvailable", {}), last.get("AllReplicasReady", {})
    answers = (text(formed, "status"), text(replicas, "status"))
    if "Unknown" in answers:
        return progressing("Waiting for RabbitMQ cluster readiness (conditions unknown)")
    is_zero = part(obj, "spec").get("replicas") == 0 and text(replicas, "reason") == "ScaledToZero"
    if is_zero and answers[1] == "False":
        return suspended("RabbitmqCluster is scaled to 0 replicas")
    if "False" in answers:
        what = "cluster formation" if answers[0] == "False" else "instances ready"
        return progressing(f"Waiting for RabbitMQ {what}")
    both = answers == ("True", "True")
    return healthy("RabbitMQ cluster ready") if both else progressing("Waiting for RabbitMQ Operator")


KINDS: Final[Mapping[str, Judge]] = {"RabbitmqCluster": cluster}
