"""The OpenTelemetry operator's collectors: how many of how many replicas are ready, as the status writes it."""

import re
from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge

_REPLICAS: Final = re.compile(r"([0-9]{1,18})/([0-9]{1,18})")


def collector(obj: Object) -> Health:
    mode, replicas = part(obj, "spec").get("mode"), part(obj, "status", "scale").get("statusReplicas")
    if not isinstance(obj.get("status"), dict):
        return progressing("Waiting for OpenTelemetry Collector status")
    if replicas is None:
        is_beside = mode == "sidecar"
        return (
            healthy("Collector is running in sidecar mode") if is_beside else progressing("Scale status not available")
        )
    found = _REPLICAS.search(str(replicas))
    if found is None:
        return progressing(f"Unable to parse replica status: {replicas}")
    there, wanted = int(found[1]), int(found[2])
    if (there, wanted, mode) == (0, 0, "daemonset"):
        return healthy("DaemonSet has no eligible nodes (0/0)")
    if there == 0:
        return degraded("No replicas are ready")
    return healthy("All replicas are ready") if there == wanted else progressing("Replicas are starting up")


KINDS: Final[Mapping[str, Judge]] = {"OpenTelemetryCollector": collector}
