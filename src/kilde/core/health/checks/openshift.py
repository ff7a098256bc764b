"""OpenShift: routes by who admitted them, deployment configurations by two conditions, ingress and storage by theirs."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, maybe_number, part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge, is_talking, said

_WAITING: Final = progressing("replication controller is waiting for pods to run")
_ROLLED_OUT: Final = healthy("replication controller successfully rolled out")


def deployment_config(obj: Object) -> Health:
    """Available, and Progressing for the reason of a new controller; one that shall have no replicas is well."""
    status = part(obj, "status")
    if not is_talking(obj) or status.get("replicas") is None:
        return _WAITING
    good = sum(text(item, "status") == "True" and _is_good(item) for item in conditions(obj))
    if good == 2 or maybe_number(status, "replicas") == 0:
        return _ROLLED_OUT
    return _WAITING if good == 1 else degraded("Deployment config is degraded")


def _is_good(item: Object) -> bool:
    kind, reason = text(item, "type"), text(item, "reason")
    return kind == "Available" or (kind, reason) == ("Progressing", "NewReplicationControllerAvailable")


def route(obj: Object) -> Health:
    """Admitted by every router named; refused by one is Degraded."""
    ingress = part(obj, "status").get("ingress")
    routers = parts(part(obj, "status"), "ingress")
    answers = [
        text(item, "status")
        for router in routers
        for item in parts(router, "conditions")
        if text(item, "type") == "Admitted"
    ]
    if isinstance(ingress, list) and answers.count("True") >= len(routers):
        return healthy("Route is healthy")
    return degraded("Route is degraded") if "False" in answers else progressing("Route is still getting admitted")


def ingress_controller(obj: Object) -> Health:
    for item in conditions(obj):
        match text(item, "type"), text(item, "status"):
            case "Degraded", "True":
                return degraded(said(item))
            case "DeploymentReplicasAllAvailable", "False":
                return progressing(said(item))
            case "Progressing", "True":
                return progressing(text(item, "reason"))
            case "Available", "True":
                return healthy("IngressController is available")
    return progressing("Status of IngressController is not known yet")


def storage_cluster(obj: Object) -> Health:
    """Degraded, then at work, then available: of each the last condition that says so."""
    true = {text(item, "type"): said(item) for item in conditions(obj) if text(item, "status") == "True"}
    for kind, verdict in (("Degraded", degraded), ("Progressing", progressing), ("Available", healthy)):
        if kind in true:
            return verdict(true[kind])
    return unknown("StorageCluster is in an unknown state.")


KINDS: Final[Mapping[str, Judge]] = {
    "DeploymentConfig": deployment_config,
    "IngressController": ingress_controller,
    "Route": route,
    "StorageCluster": storage_cluster,
}
