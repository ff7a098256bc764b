"""Koperator's KafkaCluster: every broker in step, then the topic of Cruise Control and the cluster."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge

_SCALED: Final = ("GracefulUpscaleSucceeded", "GracefulDownscaleSucceeded")


def cluster(obj: Object) -> Health:
    status = part(obj, "status")
    state, topic = text(status, "state"), status.get("cruiseControlTopicStatus")
    if state == "ClusterRollingUpgrading":
        return progressing("Kafka Cluster is Rolling Upgrading.")
    if isinstance(status.get("brokersState"), dict):
        if not all(map(_is_good, part(status, "brokersState").values())):
            return degraded("Broker Config is out of Sync or CruiseControlState is not Ready")
        if topic == "CruiseControlTopicReady" and state == "ClusterRunning":
            return healthy("Kafka Brokers, CruiseControl and cluster are in Healthy State.")
        if topic in ("CruiseControlTopicNotReady", None) and state == "ClusterReconciling":
            return progressing("Kafka Cluster is Reconciling.")
    return progressing("Waiting for KafkaCluster")


def _is_good(broker: object) -> bool:
    found = part(broker)
    scaled = text(part(found, "gracefulActionState"), "cruiseControlState") in _SCALED
    return scaled and text(found, "configurationState") == "ConfigInSync"


KINDS: Final[Mapping[str, Judge]] = {"KafkaCluster": cluster}
