"""Kyverno: a policy is ready, or does not load."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said


def cluster_policy(obj: Object) -> Health:
    """Anything but True is Degraded."""
    for item in conditions(obj):
        if text(item, "type") == "Ready":
            return healthy(said(item)) if text(item, "status") == "True" else degraded(said(item))
    return progressing("Waiting for ClusterPolicy to become ready")


KINDS: Final[Mapping[str, Judge]] = {"ClusterPolicy": cluster_policy}
