"""The sets as the cluster has them, in every namespace they may be in: watched, and told of."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from kilde.core.access.namespaces import NONE
from kilde.core.apps.names import instance_name
from kilde.core.objects.resource_version import Horizon, is_newer
from kilde.core.sets.application_set import ApplicationSet, read_application_set
from kilde.ports.cluster import Cluster, EventType, Resource

_decode = msgspec.json.Decoder(dict).decode
SETS = Resource("argoproj.io", "v1alpha1", "ApplicationSet", "applicationsets", True)


class SetStore:
    """ApplicationSets by key, the newest version this process has seen of each."""

    def __init__(self, cluster: Cluster, namespace: str, on_change: Callable[[str, bool], None]) -> None:
        self._cluster, self._namespace, self._on_change = cluster, namespace, on_change
        self._known: dict[str, ApplicationSet] = {}
        self._told = Horizon()
        self.others = NONE  # where else sets may be, beside the namespace of the controller
        self.synced = asyncio.Event()

    def get(self, key: str) -> ApplicationSet | None:
        return self._known.get(key)

    def all(self) -> tuple[ApplicationSet, ...]:
        return tuple(self._known.values())

    def observe(self, raw: bytes) -> None:
        """What a write of ours gave; of a set that is gone since, nothing."""
        new = read_application_set(_decode(raw), home=self._namespace)
        if new.key in self._known or not self._told.covers(new.resource_version):
            self._take(new)

    def _take(self, new: ApplicationSet) -> None:
        """Takes in a newer version; tells whether more than the status changed."""
        old = self._known.get(new.key)
        if old is not None and not is_newer(new.resource_version, old.resource_version):
            return
        self._known[new.key] = new
        if old is None or _asked(old) != _asked(new):
            self._on_change(new.key, old is None or old.spec != new.spec or (new.refresh != "" and old.refresh == ""))

    def forget(self, key: str) -> None:
        if self._known.pop(key, None) is not None:
            self._on_change(key, True)

    async def follow(self) -> None:
        """Follows them for ever."""
        listed: set[str] = set()
        async for event in self._cluster.watch(SETS, "" if self.others else self._namespace):
            key = instance_name(event.namespace, event.name, self._namespace)
            if event.namespace not in ("", self._namespace) and not self.others.has(event.namespace):
                continue
            if event.type is not EventType.LISTED:
                self._told.reach(event.resource_version)
            if event.type is EventType.BROKEN:
                listed = set()
            elif event.type is EventType.SYNCED:
                for gone in set(self._known) - listed:
                    self.forget(gone)
                listed = set()
                self.synced.set()
            elif event.type is EventType.DELETED:
                self.forget(key)
            else:
                if event.type is EventType.LISTED:
                    listed.add(key)
                self._take(read_application_set(_decode(event.raw), home=self._namespace))


def _asked(one: ApplicationSet) -> tuple[Any, ...]:
    """What a person says of a set; its status is ours."""
    return one.uid, one.spec, one.annotations, one.finalizers, one.deleted_at
