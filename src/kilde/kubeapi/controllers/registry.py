"""The controllers there are: one line each."""

from collections.abc import Callable, Mapping

from kilde.kubeapi.controllers import (
    addresses,
    aggregation,
    autoscaling,
    certificates,
    cronjob,
    daemonset,
    deployment,
    disruption,
    endpoints,
    eviction,
    expiry,
    flow_control,
    job,
    kubelet,
    mirroring,
    namespaces,
    nodes,
    policies,
    quota,
    replicaset,
    scheduler,
    statefulset,
    volumes,
)
from kilde.kubeapi.controllers.certificates import Certifying
from kilde.kubeapi.controllers.node_marks import Marks
from kilde.kubeapi.controllers.nodes import VERSION
from kilde.kubeapi.controllers.script import FAST, Profile
from kilde.kubeapi.controllers.steps import Controller
from kilde.kubeapi.resources.policies.whole_schemas import Served


def control_plane(
    *, ca: str, cloud: bool, served: Callable[[], Served], profile: Profile = FAST, certifying: Certifying | None = None
) -> tuple[Controller, ...]:
    """What a kube-controller-manager runs; `cloud`: claims get volumes, and autoscalers see load, as with a cloud's parts.

    `served` tells what the API serves at that moment, `certifying` what certificates take.
    """
    return (
        namespaces.controller(ca),
        deployment.controller(),
        replicaset.controller(),
        replicaset.replication_controller(),
        statefulset.controller(),
        daemonset.controller(),
        job.controller(),
        cronjob.controller(),
        *endpoints.controllers(),
        mirroring.controller(),
        *volumes.controllers(profile if cloud else None),
        disruption.controller(),
        autoscaling.controller(measured=cloud),
        quota.controller(),
        aggregation.controller(),
        policies.controller(served),
        flow_control.controller(),
        nodes.lifecycle(),
        eviction.controller(),
        expiry.controller(),
        *(certificates.controllers(certifying) if certifying else ()),
    )


def simulator(
    *,
    nodes: int,
    cloud: bool = True,
    marks: Mapping[str, Marks] | None = None,
    profile: Profile = FAST,
    version: str = VERSION,
) -> tuple[Controller, ...]:
    """What a scheduler, the kubelets (of a version) of so many nodes and a cloud do."""
    return (
        _registration(nodes, marks or {}, version),
        scheduler.controller(),
        kubelet.controller(profile),
        *(addresses.controllers(profile) if cloud else ()),
    )


def _registration(count: int, marks: Mapping[str, Marks], version: str) -> Controller:
    return nodes.registration(count, marks, version)
