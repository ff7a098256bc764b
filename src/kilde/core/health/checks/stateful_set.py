"""StatefulSet: progressing until its pods are ready and of the new revision; OnDelete and partitions are special."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import is_observed, maybe_number, number, part, text
from kilde.core.health.health import Health, healthy, progressing


def judge(obj: Object) -> Health:
    """Argo CD's getStatefulSetHealth. A partitioned roll-out is judged by the pods above the partition only."""
    spec, status = part(obj, "spec"), part(obj, "status")
    if number(status, "observedGeneration") == 0 or not is_observed(obj):
        return progressing("Waiting for statefulset spec update to be observed...")
    wanted, ready = maybe_number(spec, "replicas"), number(status, "readyReplicas")
    if wanted is not None and ready < wanted:
        return progressing(f"Waiting for {wanted - ready} pods to be ready...")
    strategy = part(spec, "updateStrategy")
    if text(strategy, "type") == "RollingUpdate" and isinstance(strategy.get("rollingUpdate"), dict):
        return _partitioned(wanted, maybe_number(part(strategy, "rollingUpdate"), "partition"), status)
    if text(strategy, "type") == "OnDelete":
        return healthy(f"statefulset has {ready} ready pods")
    update, current = text(status, "updateRevision"), text(status, "currentRevision")
    if update != current:
        updated = number(status, "updatedReplicas")
        return progressing(f"waiting for statefulset rolling update to complete {updated} pods at revision {update}...")
    pods = number(status, "currentReplicas")
    return healthy(f"statefulset rolling update complete {pods} pods at revision {current}...")


def _partitioned(wanted: int | None, partition: int | None, status: Object) -> Health:
    updated = number(status, "updatedReplicas")
    if wanted is not None and partition is not None and updated < wanted - partition:
        return progressing(
            f"Waiting for partitioned roll out to finish: {updated} out of {wanted - partition} "
            "new pods have been updated..."
        )
    return healthy(f"partitioned roll out complete: {updated} new pods have been updated...")
