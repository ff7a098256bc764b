"""Events on what Secrets are derived from, and on Secrets: one object for each thing said, counted up when it is said again."""

import structlog

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

log = structlog.get_logger()

EVENTS = Resource("", "v1", "Event", "events", True)
_LONGEST = 1024  # characters of an event's message, as the API server takes them
_REMEMBERED = 10_000
_AGAIN = 600.0  # seconds within which a repeated event is counted up


class Events:
    """Says things about objects; what cannot be said is logged, and no reason to stop."""

    def __init__(self, cluster: Cluster, clock: Clock, *, manager: str, component: str) -> None:
        self._cluster, self._clock, self._manager, self._component = cluster, clock, manager, component
        self._said: dict[tuple[str, str, str], tuple[str, int, float]] = {}

    async def say(self, about: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """One event. The message holds no sealed value."""
        metadata = about["metadata"]
        namespace, message = metadata["namespace"], message[:_LONGEST]
        key = (str(metadata.get("uid")), reason, message)
        now = self._clock.now()
        name, count, at = self._said.get(key, ("", 0, 0.0))
        try:
            if count and now - at < _AGAIN:
                patch = {"count": count + 1, "lastTimestamp": rfc3339(now)}
                await self._cluster.patch(EVENTS, namespace, name, patch, manager=self._manager)
            else:
                name, count = f"{metadata['name']}.{int(now * 1e6):x}{int(self._clock.dice() * 0xFFFF):04x}", 0
                await self._cluster.create(
                    EVENTS, self._event(about, name, reason, message, warning), manager=self._manager
                )
        except ClusterError as error:
            log.warning("an event cannot be written", about=f"{namespace}/{metadata['name']}", problem=str(error))
            return
        while len(self._said) >= _REMEMBERED:
            del self._said[next(iter(self._said))]
        self._said[key] = (name, count + 1, now)

    def _event(self, about: Object, name: str, reason: str, message: str, warning: bool) -> Object:
        metadata, now = about["metadata"], rfc3339(self._clock.now())
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name[-253:], "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata.get("uid", ""),
                "resourceVersion": metadata.get("resourceVersion", ""),
            },
            "reason": reason,
            "message": message,
            "type": "Warning" if warning else "Normal",
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "reportingInstance": "",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
