"""DatadogMetric: well unless a condition says otherwise."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy
from kilde.core.health.judging import Judge, said


def metric(obj: Object) -> Health:
    """An error goes before a metric that is not valid."""
    for item in conditions(obj):
        if text(item, "type") == "Error" and text(item, "status") == "True":
            told = (text(item, "reason"), said(item, "DatadogMetric reported an error"))
            return degraded(": ".join(told) if told[0] else told[1])
    for item in conditions(obj):
        if text(item, "type") == "Valid" and text(item, "status") == "False":
            return degraded(said(item, "DatadogMetric is not valid"))
    return healthy("DatadogMetric is healthy")


KINDS: Final[Mapping[str, Judge]] = {"DatadogMetric": metric}
