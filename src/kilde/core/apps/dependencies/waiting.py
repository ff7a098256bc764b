"""Whether what an application waits for is there and well; what it lacks where it is not."""

from collections.abc import Callable, Mapping

from kilde.core.apply.outcome import Phase
from kilde.core.apps.application import Application
from kilde.core.apps.dependencies.reading import Dependency
from kilde.core.basics.values import Object
from kilde.core.health.health import Health, HealthStatus


def application_lack(app: Application | None, until: str, *, at_newest: bool) -> str:
    """What an application lacks of being what is waited for; "" where it lacks nothing.

    `at_newest`: whether its status tells of what its repositories and its spec say by now.
    """
    if app is None:
        return "does not exist"
    if app.deleting:
        return "is being deleted"
    status = app.status
    sync, health = _word(status.get("sync")), _word(status.get("health"))
    if not at_newest:
        return "has yet to be compared with its newest revision"
    if app.operation is not None or _phase(status) in (Phase.RUNNING, Phase.TERMINATING):
        return "is being synced"
    if sync != "Synced" and until != "healthy":
        return f"is {sync or 'Unknown'}"
    if _phase(status) in (Phase.FAILED, Phase.ERROR) and until != "healthy":
        return "failed its last sync"
    if health != HealthStatus.HEALTHY and until != "synced":
        return f"is {health or 'Unknown'}"
    return ""


def _word(block: object) -> str:
    return str(block.get("status") or "") if isinstance(block, Mapping) else ""


def _phase(status: Mapping[str, object]) -> str:
    state = status.get("operationState")
    return str(state.get("phase") or "") if isinstance(state, Mapping) else ""


def object_lack(body: Object | None, wanted: Dependency, assess: Callable[[Object], Health | None]) -> str:
    """The same of an object: by its condition where it has one, else by the health of its kind."""
    if body is None:
        return "does not exist"
    if (body.get("metadata") or {}).get("deletionTimestamp"):
        return "is being deleted"
    if wanted.ready:
        from kilde.core.apps.dependencies.readiness import (
            is_ready,
        )  # the CEL engine is worth loading for a condition only

        ready, why = is_ready(wanted.ready, body)
        return "" if ready else f"is not ready: {why}"
    if wanted.until == "present":
        return ""
    health = assess(body)
    if health is None or health.status is HealthStatus.HEALTHY:
        return ""
    return f"is {health.status}" + (f": {health.message}" if health.message else "")
