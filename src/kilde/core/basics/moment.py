"""RFC 3339 times, as Kubernetes writes them: whole seconds, UTC, `Z`."""

from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """Seconds since the epoch → `2026-01-31T12:00:00Z`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; None if it is not one."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, TypeError):
        return None


def age(seconds: float) -> str:
    """How kubectl writes an age: 5s, 3m, 4h, 12d."""
    whole = max(0, int(seconds))
    for limit, unit, size in ((120, "s", 1), (7200, "m", 60), (172800, "h", 3600)):
        if whole < limit:
            return f"{whole // size}{unit}"
    return f"{whole // 86400}d"
