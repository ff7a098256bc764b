"""Fleet: a Deployment and its ReplicaSets; the arithmetic of surge and unavailability (upstream: deployment/util)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import annotations_of, name_of
from kilde.kubeapi.controllers.naming import scaled

RESOURCE = "deployments.apps"
REPLICA_SETS = "replicasets.apps"
COMPONENT = "deployment-controller"
HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


@dataclass(frozen=True, slots=True)
class Fleet:
    """`new` has the Deployment's template (None: not made yet); `old` are the others, oldest first."""

    deployment: Object
    new: Object | None
    old: tuple[Object, ...]

    @property
    def every(self) -> tuple[Object, ...]:
        return (*self.old, self.new) if self.new is not None else self.old

    @property
    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = self.deployment["spec"]
        return found

    @property
    def wanted(self) -> int:
        return int(self.spec.get("replicas", 1))

    @property
    def rolling(self) -> bool:
        return bool((self.spec.get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")

    @property
    def fenceposts(self) -> tuple[int, int]:
        """(surge, unavailable); never both 0, or nothing could move."""
        rules = (self.spec.get("strategy") or {}).get("rollingUpdate") or {}
        surge = scaled(rules.get("maxSurge", "25%"), self.wanted, round_up=True)
        unavailable = scaled(rules.get("maxUnavailable", "25%"), self.wanted, round_up=False)
        return (surge, unavailable) if surge or unavailable else (0, 1)

    @property
    def max_surge(self) -> int:
        return self.fenceposts[0] if self.rolling else 0

    @property
    def max_unavailable(self) -> int:
        if not self.rolling or self.wanted == 0:
            return 0
        return min(self.fenceposts[1], self.wanted)


def gather(deployment: Object, replica_sets: Iterable[Object]) -> Fleet:
    """Sorts the ReplicaSets; if several have the Deployment's template the oldest is the new one."""
    ordered = sorted(replica_sets, key=lambda rs: (rs["metadata"].get("creationTimestamp", ""), name_of(rs)))
    template = plain(deployment["spec"]["template"])
    new = next((rs for rs in ordered if plain(rs["spec"].get("template") or {}) == template), None)
    return Fleet(deployment, new, tuple(rs for rs in ordered if rs is not new))


def plain(template: Object) -> Object:
    """The template without the hash label that the controller adds."""
    meta = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH_LABEL}
    meta = {key: value for key, value in {**meta, "labels": labels}.items() if value}
    return {"metadata": meta, "spec": template.get("spec")}


def replicas(rs: Object) -> int:
    return int(rs["spec"].get("replicas", 1))


def total(replica_sets: Iterable[Object]) -> int:
    return sum(replicas(rs) for rs in replica_sets)


def counted(replica_sets: Iterable[Object], field: str) -> int:
    """The sum of a number in the ReplicaSets' statuses."""
    return sum(int((rs.get("status") or {}).get(field) or 0) for rs in replica_sets)


def active(replica_sets: Iterable[Object]) -> list[Object]:
    return [rs for rs in replica_sets if replicas(rs) > 0]


def revision(obj: Object) -> int:
    """The revision annotation as a number; 0 where it is absent or no number."""
    text = annotations_of(obj).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def saturated(fleet: Fleet) -> bool:
    """Whether the new ReplicaSet has all replicas of the Deployment, and all are available."""
    rs = fleet.new
    return (
        rs is not None
        and replicas(rs) == fleet.wanted
        and annotations_of(rs).get(DESIRED) == str(fleet.wanted)
        and counted([rs], "availableReplicas") == fleet.wanted
    )


def new_replicas(fleet: Fleet) -> int:
    """How many replicas the new ReplicaSet may have now (upstream: NewRSNewReplicas)."""
    have = replicas(fleet.new) if fleet.new is not None else 0
    if not fleet.rolling:
        return fleet.wanted
    room = fleet.wanted + fleet.max_surge - total(fleet.every)
    return have + max(0, min(room, fleet.wanted - have))
