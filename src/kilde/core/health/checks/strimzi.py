"""Strimzi: Ready is well and silent, NotReady tells what is wrong; a Kafka that is being created is neither."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import HEALTHY, Health, degraded, progressing
from kilde.core.health.judging import Judge, by_conditions, ill, said, well


def kafka(obj: Object) -> Health:
    for item in conditions(obj):
        if text(item, "status") == "True" and text(item, "type") == "NotReady" and text(item, "reason") != "Creating":
            return degraded(said(item))
        if text(item, "status") == "True" and text(item, "type") == "Ready":
            return HEALTHY
    return progressing("Waiting for Kafka Cluster")


def _kind(name: str) -> Judge:
    return by_conditions(ill("NotReady"), well("Ready", ""), waiting=f"Waiting for {name}")


KINDS: Final[Mapping[str, Judge]] = {
    "Kafka": kafka,
    "KafkaBridge": _kind("KafkaBridge"),
    "KafkaConnect": _kind("Kafka Connect"),
    "KafkaConnector": _kind("KafkaConnector"),
    "KafkaTopic": _kind("Kafka Topic"),
    "KafkaUser": _kind("Kafka User"),
}
