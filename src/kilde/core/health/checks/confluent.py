"""Confluent for Kubernetes: its components by phase, connectors by their state and that of their tasks."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import number, part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word, said


def _component(name: str) -> Judge:
    words = {"RUNNING": healthy(f"{name} running"), "PROVISIONING": progressing(f"{name} provisioning")}
    return by_word("phase", words, absent=progressing(f"Waiting for {name}"))


def connector(obj: Object) -> Health:
    status = part(obj, "status")
    state, failed = text(status, "state"), status.get("failedTasksCount")
    if (state, text(status, "connectorState"), failed) == ("CREATED", "RUNNING", None):
        return healthy("Connector running")
    if state == "ERROR":
        told = parts(status, "conditions")
        return degraded(said(told[0]) if told else "No conditions available")
    has_failed = "state" in status and number(status, "failedTasksCount") > 0
    return degraded("Connector has failed tasks") if has_failed else progressing("Waiting for Kafka Connector")


_COMPONENTS: Final = ("Connect", "ControlCenter", "Kafka", "KsqlDB", "SchemaRegistry", "Zookeeper")
KINDS: Final[Mapping[str, Judge]] = {"Connector": connector, **{kind: _component(kind) for kind in _COMPONENTS}}
