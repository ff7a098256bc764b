"""Spark's applications: a state for each step; a running one also needs as many executors as were asked for."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import maybe_number, number, part, text
from kilde.core.health.health import Health, HealthStatus, healthy, progressing
from kilde.core.health.judging import Judge

_RUNNING: Final = healthy("SparkApplication is Running")
_WAITING: Final = progressing("Waiting for Executor pods")
_ENDED: Final = (
    "The driver pod has been completed successfully. The executor pods terminate and are cleaned up.\n"
    f"{' ' * 32}Under this circumstances, we assume the executor pod are completed."
)
_LOST: Final = "because either driver pod or one or all executor pods in unknown state  "
_STATES: Final = {
    "": progressing("SparkApplication was added, enqueuing it for submission"),
    "COMPLETED": healthy("SparkApplication was Completed"),
    "INVALIDATING": Health(HealthStatus.MISSING, "SparkApplication is in InvalidatingState"),
    "PENDING_RERUN": progressing("SparkApplication is Pending Rerun"),
    "SUBMITTED": progressing("SparkApplication was submitted successfully"),
    "SUCCEEDING": progressing(_ENDED),
    "UNKNOWN": progressing(f"SparkApplication is in UnknownState {_LOST}"),
}
_FAILED: Final = ("FAILED", "SUBMISSION_FAILED", "FAILING")


def application(obj: Object) -> Health:
    told = part(obj, "status", "applicationState")
    state = told.get("state")
    if not isinstance(state, str):
        return _WAITING
    if state in _FAILED:
        return Health(HealthStatus.DEGRADED, text(told, "errorMessage"))
    if state == "RUNNING":
        return _RUNNING if _has_executors(obj) else _WAITING
    return _STATES.get(state, _WAITING)


def _has_executors(obj: Object) -> bool:
    """A fixed number of them, a number within the bounds of a dynamic allocation, or any where neither is said."""
    states = part(obj, "status").get("executorState")
    if not isinstance(states, dict):
        return False
    running = sum(one == "RUNNING" for one in states.values())
    wanted = maybe_number(part(obj, "spec", "executor"), "instances")
    if wanted is not None and wanted == running:
        return True
    if (bounds := _bounds(part(obj, "spec"))) is not None:
        return bounds[0] <= running and (bounds[1] is None or running <= bounds[1])
    return wanted is None and part(obj, "spec").get("dynamicAllocation") is None and running >= 1


def _bounds(spec: Object) -> tuple[int, int | None] | None:
    """The least and the most executors (None: no most); None where there is no dynamic allocation."""
    own, conf = part(spec, "dynamicAllocation"), part(spec, "sparkConf")
    if own.get("enabled") is True:
        return number(own, "minExecutors"), maybe_number(own, "maxExecutors")
    for prefix in ("spark.streaming.dynamicAllocation", "spark.dynamicAllocation"):
        if conf.get(f"{prefix}.enabled") == "true":
            return _count(conf, f"{prefix}.minExecutors") or 0, _count(conf, f"{prefix}.maxExecutors")
    return None


def _count(conf: Object, key: str) -> int | None:
    found = text(conf, key)
    return int(found) if found.isascii() and found.isdigit() and len(found) < 19 else None


KINDS: Final[Mapping[str, Judge]] = {"SparkApplication": application}
