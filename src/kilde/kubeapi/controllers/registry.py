"""The controllers there are: one line each."""

from kilde.kubeapi.controllers import (
    addresses,
    daemonset,
    deployment,
    endpoints,
    job,
    kubelet,
    namespaces,
    nodes,
    replicaset,
    scheduler,
    statefulset,
    volumes,
)
from kilde.kubeapi.controllers.script import FAST, Profile
from kilde.kubeapi.controllers.steps import Controller


def control_plane(*, ca: str, simulated: bool, profile: Profile = FAST) -> tuple[Controller, ...]:
    """What a kube-controller-manager runs; `simulated`: claims get volumes, as a cloud would make them."""
    return (
        namespaces.controller(ca),
        deployment.controller(),
        replicaset.controller(),
        replicaset.replication_controller(),
        statefulset.controller(),
        daemonset.controller(),
        job.controller(),
        *endpoints.controllers(),
        *volumes.controllers(profile if simulated else None),
        nodes.lifecycle(),
    )


def simulator(*, nodes: int, profile: Profile = FAST) -> tuple[Controller, ...]:
    """What a scheduler, the kubelets of so many nodes and a cloud do."""
    return (
        _registration(nodes),
        scheduler.controller(),
        kubelet.controller(profile),
        *addresses.controllers(profile),
    )


def _registration(count: int) -> Controller:
    return nodes.registration(count)
