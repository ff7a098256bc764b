"""OpenShift: routes by who admitted them, deployment configurations by two conditions."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, maybe_number, part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge

_WAITING: Final = progressing("replication controller is waiting for pods to run")
_ROLLED_OUT: Final = healthy("replication controller successfully rolled out")


def deployment_config(obj: Object) -> Health:
    """Available and Progressing, both True; the first alone does for one that shall have no replicas."""
    status = part(obj, "status")
    if not isinstance(status.get("conditions"), list):
        return _WAITING
    true = {
        (text(item, "type"), text(item, "reason"))
        for item in conditions(obj)
        if text(item, "type") in ("Available", "Progressing") and text(item, "status") == "True"
    }
    kinds = {kind for kind, _ in true}
    if ("Progressing", "NewReplicationControllerAvailable") in true and maybe_number(status, "replicas") == 0:
        return _ROLLED_OUT
    if ("Progressing", "ReplicationControllerUpdated") in true:
        return _WAITING
    if len(kinds) == 2:
        return _ROLLED_OUT
    return _WAITING if kinds else degraded("Deployment config is degraded")


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


KINDS: Final[Mapping[str, Judge]] = {"DeploymentConfig": deployment_config, "Route": route}
