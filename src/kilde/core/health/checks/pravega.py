"""Pravega's ZooKeeper: every replica has joined."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part
from kilde.core.health.health import Health, healthy, progressing
from kilde.core.health.judging import Judge


def cluster(obj: Object) -> Health:
    status = part(obj, "status")
    ready = status.get("readyReplicas")
    if isinstance(obj.get("status"), dict) and ready != 0 and ready == status.get("replicas"):
        return healthy("All ZK Nodes have joined the ensemble")
    return progressing("Waiting for ZK Nodes to join the ensemble")


KINDS: Final[Mapping[str, Judge]] = {"ZookeeperCluster": cluster}
