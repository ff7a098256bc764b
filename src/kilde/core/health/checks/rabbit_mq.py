"""RabbitMQ: a cluster is reconciled, formed, and every replica ready; what is in it was made, or not."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended, unknown
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


def _part(name: str) -> Judge:
    def judge(obj: Object) -> Health:
        for item in conditions(obj):
            told = (text(item, "type"), text(item, "status"), text(item, "reason"))
            if told == ("Ready", "True", "SuccessfulCreateOrUpdate"):
                return healthy(f"RabbitMQ {name} ready")
            if told == ("Ready", "False", "FailedCreateOrUpdate"):
                return degraded(f"RabbitMQ {name} failed to be created or updated")
        return unknown(f"RabbitMQ {name} status is unknown")

    return judge


_PARTS: Final = ("Binding", "Exchange", "Permission", "Policy", "Queue", "Shovel", "User", "Vhost")
KINDS: Final[Mapping[str, Judge]] = {"RabbitmqCluster": cluster, **{kind: _part(kind.lower()) for kind in _PARTS}}
