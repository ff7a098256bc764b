"""How an operation tells what it waits for and why it failed, in Argo CD's words."""

from collections.abc import Iterable, Sequence

from kilde.core.apply.tasks import State

BLOCKED = "Sync operation blocked by sync window"


def blocked_words(unread: str) -> str:
    """That a sync window is in the way. `unread`: why it cannot be read; "" where it can."""
    return f"{BLOCKED}: invalid sync windows: {unread}" if unread else BLOCKED


def waiting_words(states: Sequence[State], what: str = "") -> str:
    """`waiting for healthy state of apps/Deployment/web and 1 more resources`; hooks come first where there are any."""
    hooks = [s for s in states if s.task.hook is not None]
    first = (hooks or states)[0].task.change.ref
    reason = what or ("completion of hook" if hooks else "healthy state of")
    kind = "hooks" if len(hooks) == len(states) else "resources"
    more = f" and {len(states) - 1} more {kind}" if len(states) > 1 else ""
    return f"waiting for {reason} {first.group}/{first.kind}/{first.name}{more}"


def deletion_words(states: Sequence[State]) -> str:
    """`waiting for deletion of hook batch/Job/migrate`."""
    hooks = any(s.task.hook is not None for s in states)
    return waiting_words(states, "deletion of hook" if hooks else "deletion of")


def failure_words(message: str, reasons: Iterable[str]) -> str:
    """`message, reason: a,b`: each reason once."""
    found = list(dict.fromkeys(reasons))
    return f"{message}, reason: {','.join(found)}" if found else message


def clock_words(seconds: float) -> str:
    """A moment (seconds since the epoch) as `3:04PM`, UTC."""
    minutes = int(seconds // 60) % 1440
    hour, minute = divmod(minutes, 60)
    return f"{(hour - 1) % 12 + 1}:{minute:02d}{'AM' if hour < 12 else 'PM'}"
