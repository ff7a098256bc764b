"""HorizontalPodAutoscaler: the first condition that says something decides; v1 keeps them in an annotation."""

from typing import Final

import msgspec

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, unknown

_ANNOTATION: Final = "autoscaling.alpha.kubernetes.io/conditions"
_FAILED: Final = frozenset(
    {
        ("AbleToScale", "FailedGetScale"),
        ("AbleToScale", "FailedUpdateScale"),
        ("ScalingActive", "FailedGetResourceMetric"),
        ("ScalingActive", "InvalidSelector"),
    }
)


def judge(obj: Object) -> Health:
    """Argo CD's getHPAHealth."""
    found = list(conditions(obj))
    if text(obj, "apiVersion") == "autoscaling/v1":
        try:
            found = _annotated(obj)
        except (msgspec.DecodeError, RecursionError) as error:
            return unknown(f"failed to convert conditions annotation to typed: {error}")
    for item in found:
        kind = text(item, "type")
        if (kind, text(item, "reason")) in _FAILED:
            return degraded(text(item, "message"))
        if kind in ("AbleToScale", "ScalingLimited") and text(item, "status") == "True":
            return healthy(text(item, "message"))
    return progressing("Waiting to Autoscale")


def _annotated(obj: Object) -> list[Object]:
    raw = part(obj, "metadata", "annotations").get(_ANNOTATION)
    return msgspec.json.decode(raw, type=list[dict[str, object]]) if isinstance(raw, str) else []
