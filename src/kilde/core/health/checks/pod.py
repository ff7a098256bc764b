"""Pod: its phase tells, and for one that shall run for ever its containers' reasons for waiting."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, number, part, parts, quoted, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, unknown


def judge(obj: Object) -> Health:
    """Argo CD's getPodHealth.

    A container that cannot start makes the pod degraded only with restartPolicy Always: a hook's pod may yet get well,
    and a hook called failed too early would run again unasked.
    """
    status, policy = part(obj, "status"), text(part(obj, "spec"), "restartPolicy")
    if policy == "Always" and (stuck := _cannot_start(status)):
        return degraded(", ".join(stuck))
    message = text(status, "message")
    match text(status, "phase"):
        case "Pending":
            return progressing(message)
        case "Succeeded":
            return healthy(message)
        case "Failed":
            return degraded(message or _failure(status))
        case "Running" if policy == "Always":
            return Health(_running(obj, status), message)
        case "Running" if policy in ("OnFailure", "Never"):
            return progressing(message)
        case _:
            return unknown(message)


def _cannot_start(status: Object) -> list[str]:
    """Messages of containers that wait for a reason that is a failure."""
    waiting = [part(item, "state", "waiting") for item in parts(status, "containerStatuses")]
    return [
        text(item, "message")
        for item in waiting
        if (reason := text(item, "reason")).startswith("Err") or reason.endswith(("Error", "BackOff"))
    ]


def _failure(status: Object) -> str:
    """What the first failed container says, init containers first."""
    for item in parts(status, "initContainerStatuses") + parts(status, "containerStatuses"):
        ended = part(item, "state", "terminated")
        if message := text(ended, "message"):
            return message
        if text(ended, "reason") == "OOMKilled":
            return "OOMKilled"
        if code := number(ended, "exitCode"):
            return f"container {quoted(text(item, 'name'))} failed with exit code {code}"
    return ""


def _running(obj: Object, status: Object) -> HealthStatus:
    if any(text(item, "type") == "Ready" and text(item, "status") == "True" for item in conditions(obj)):
        return HealthStatus.HEALTHY
    ended = any(part(item, "lastState").get("terminated") for item in parts(status, "containerStatuses"))
    return HealthStatus.DEGRADED if ended else HealthStatus.PROGRESSING
