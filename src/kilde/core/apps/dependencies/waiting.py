"""Whether what an application waits for is there and well, and what to say where it is not."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from kilde.core.apply.outcome import Phase
from kilde.core.apps.application import Application
from kilde.core.apps.dependencies.reading import Dependency
from kilde.core.basics.moment import parse, rfc3339
from kilde.core.basics.values import Object
from kilde.core.health.health import Health, HealthStatus

WAITING, REFUSED, HOLDING = "DependencyWaiting", "DependencyError", "DeletionWaiting"  # types of conditions
OVERRIDE = "kilde.dev/delete-despite-dependants"
_SINCE = re.compile(r"^waits since (\S+) for ")


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


def waiting_words(lacks: Mapping[str, str], since: float) -> str:
    """`waits since 2026-01-01T10:00:00Z for application db, which is Progressing; …`."""
    return f"waits since {rfc3339(since)} for " + "; ".join(f"{what}, which {lack}" for what, lack in lacks.items())


def waiting_since(status: Mapping[str, object]) -> float | None:
    """Since when an application waits, as its status tells; None where it does not."""
    conditions = status.get("conditions")
    for each in conditions if isinstance(conditions, list) else ():
        if isinstance(each, Mapping) and each.get("type") == WAITING:
            found = _SINCE.match(str(each.get("message") or ""))
            return parse(found[1]) if found else None
    return None


def is_waiting_message(message: str) -> bool:
    """Whether an operation's message says that it waits for dependencies: it has not begun."""
    return _SINCE.match(message) is not None


def drawn_cycle(way: tuple[str, ...], written: Callable[[str, str], str]) -> str:
    """`depends on itself: a → b → a (a: item 1, 'app/b'; b: item 2, …)`. `written`: where the edge between two of them stands."""
    edges = "; ".join(f"{a}: {written(a, b)}" for a, b in pairwise(way))
    return f"depends on itself: {' → '.join(way)} ({edges})"


def held_words(going: list[str], staying: list[str]) -> str:
    """Why a deletion is held: applications that depend on it go first, or stay."""
    if staying:
        names = ", ".join(staying)
        which = "depends on it and stays" if len(staying) == 1 else "depend on it and stay"
        how = f'delete {"it" if len(staying) == 1 else "them"} too, take the dependency away, or annotate this one with {OVERRIDE}: "true"'
        return f"deletion is held: {names} {which} ({how})"
    one = len(going) == 1
    return f"deletion waits for {', '.join(going)}, which {'depends' if one else 'depend'} on it and {'is' if one else 'are'} being deleted"
