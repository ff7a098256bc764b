"""Cluster API: clusters and machines by phase, resource sets by condition, the EKS control plane by both."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge, When, by_conditions, by_word, ill, is_behind, said, well


def cluster(obj: Object) -> Health:
    """Paused, then a Ready condition that is False, then the phase."""
    if part(obj, "spec").get("paused") is True:
        return suspended("Cluster is paused")
    for item in conditions(obj):
        if text(item, "type") == "Ready" and text(item, "status") == "False" and text(item, "severity") != "Info":
            return degraded(said(item))
    return _cluster_phase(obj)


_cluster_phase: Final = by_word(
    "phase",
    {"Provisioned": healthy("Cluster is running"), "Failed": degraded("")},
    absent=progressing("Waiting for clusters"),
)


def machine(obj: Object) -> Health:
    """Running, or why it is not Ready."""
    phase = text(part(obj, "status"), "phase")
    if phase == "Running":
        return healthy("Machine is running")
    reasons = [
        said(item) for item in conditions(obj) if text(item, "type") == "Ready" and text(item, "status") == "False"
    ]
    message = reasons[0] if reasons else "Condition is unknown"
    return degraded(message) if phase == "Failed" else progressing(message)


def machine_deployment(obj: Object) -> Health:
    if part(obj, "spec").get("paused") is True:
        return suspended("MachineDeployment is paused")
    return _DEPLOYMENT.get(text(part(obj, "status"), "phase"), _NO_MACHINES)


def machine_pool(obj: Object) -> Health:
    """The phase, with every condition that is False."""
    phase = text(part(obj, "status"), "phase")
    amiss = ", ".join(
        f"Not {text(item, 'type')}" + (f" ({reason})" if (reason := text(item, "reason")) else "")
        for item in conditions(obj)
        if text(item, "type") and text(item, "status") == "False"
    )
    message = (f"MachinePool is {phase}" if phase else "") + (f": {amiss}" if amiss else "")
    return Health(_POOL.get(phase, HealthStatus.PROGRESSING), message)


def machine_health_check(obj: Object) -> Health:
    status = part(obj, "status")
    if status.get("currentHealthy") is None:
        return progressing("")
    return healthy("") if status.get("expectedMachines") == status.get("currentHealthy") else degraded("")


_POOL: Final = {
    "Running": HealthStatus.HEALTHY,
    "Scaling": HealthStatus.HEALTHY,
    "Failed": HealthStatus.DEGRADED,
    "Unknown": HealthStatus.DEGRADED,
}
_NO_MACHINES: Final = progressing("Waiting for machines")
_DEPLOYMENT: Final = {
    "Running": healthy("Machines are running under this deployment"),
    "ScalingUp": progressing("Cluster is spawning machines"),
    "ScalingDown": progressing("Cluster is stopping machines"),
    "Failed": degraded("MachineDeployment is failed"),
}


def eks_control_plane(obj: Object) -> Health:
    """A final failure, an update under way, Ready, then every error; they are told one after the other."""
    status, found = part(obj, "status"), list(conditions(obj))
    if is_behind(obj):
        return progressing("Waiting for the control plane spec to be reconciled")
    if failure := text(status, "failureMessage"):
        return degraded(failure)
    if not isinstance(status.get("conditions"), list):
        return progressing("Provisioning...")
    if any(_UPDATING.meets(item) for item in found):
        return progressing("EKS control plane is updating")
    if any(text(item, "type") == "Ready" and text(item, "status") == "True" for item in found):
        return healthy("Control plane is ready")
    errors = [item for item in found if text(item, "status") == "False" and text(item, "severity") == "Error"]
    if errors:
        return degraded("".join(f"{said(item)} " for item in errors))
    detail = " (.status.ready is false)" if status.get("ready") is False else ""
    return progressing(f"Control plane is not ready{detail}")


_UPDATING: Final = When("EKSControlPlaneUpdating", "True", HealthStatus.PROGRESSING)

KINDS: Final[Mapping[str, Judge]] = {
    "AWSManagedControlPlane": eks_control_plane,
    "Cluster": cluster,
    "ClusterResourceSet": by_conditions(
        well("ResourcesApplied", "cluster resource set is applied"),
        ill("ResourcesApplied", "False"),
        waiting="Initializing cluster resource set",
    ),
    "Machine": machine,
    "MachineDeployment": machine_deployment,
    "MachineHealthCheck": machine_health_check,
    "MachinePool": machine_pool,
}
