"""Writes what the engine found out: an application's status (only when it changed), and events beside it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog

from kilde.core.apps.application import REFRESH_ANNOTATION, Application
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.moment import rfc3339
from kilde.core.objects.patches.merge_patch import patch_between
from kilde.core.plan.difference import writer_of
from kilde.engine.fleet.applications import APPLICATIONS, Fleet
from kilde.engine.requests import persist
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

log = structlog.get_logger()

_EVENTS = Resource("", "v1", "Event", "events", True)
Build = Callable[[Application], Mapping[str, Any]]


class Reporter:
    """The only writer of Applications."""

    def __init__(self, cluster: Cluster, fleet: Fleet, clock: Clock, *, manager: str) -> None:
        self._cluster, self._fleet, self._clock, self._manager = cluster, fleet, clock, manager
        self.writes = 0

    async def write(
        self,
        name: str,
        build: Build,
        *,
        begins: Mapping[str, Any] | None = None,
        ends: Mapping[str, Any] | None = None,
        refreshed: str = "",
    ) -> Application | None:
        """Brings the status to what `build` makes of the newest Application; writes nothing when it is that already.

        `begins`: the `operation` block that runs, put there beside a changed status if there is none; `ends`: the one that is over, taken
        away if it is still the one there. `refreshed`: the refresh annotation that this served, taken away if it is still that. None: the
        application is gone.
        """
        return await self._change(
            name, lambda app: self._patch(app, build(app), begins=begins, ends=ends, refreshed=refreshed)
        )

    async def _change(self, name: str, patch_of: Callable[[Application], dict[str, Any]]) -> Application | None:
        """Sends what `patch_of` makes of the newest Application, made anew where others come first; nothing where that is empty."""
        for _ in range(8):
            app = self._fleet.get(name)
            if app is None:
                return None
            patch = patch_of(app)
            if not patch:
                return app
            try:
                raw = await persist(partial(self._send, app, patch), self._clock, versioned=True)
            except ClusterError as error:
                if error.status == 404:
                    return None
                if error.status != 409:
                    raise
                await self._catch_up(app)
                continue
            return self._fleet.observe(raw)
        raise ClusterError("was changed by others eight times in a row", about=name)

    def _patch(
        self,
        app: Application,
        status: Mapping[str, Any],
        *,
        begins: Mapping[str, Any] | None,
        ends: Mapping[str, Any] | None,
        refreshed: str,
    ) -> dict[str, Any]:
        patch: dict[str, Any] = {}
        carried = {key: app.status[key] for key in ("reconciledAt",) if key in app.status}
        change = patch_between(dict(app.status), {**carried, **status})
        if change:
            change["reconciledAt"] = rfc3339(self._clock.now())
            patch["status"] = change
            if begins is not None and app.operation is None:
                patch["operation"] = dict(begins)
        if ends is not None and app.operation is not None and dict(app.operation.raw) == dict(ends):
            patch["operation"] = None
        if refreshed and app.refresh == refreshed:
            patch["metadata"] = {"annotations": {REFRESH_ANNOTATION: None}}
            patch.setdefault("status", {})["reconciledAt"] = rfc3339(self._clock.now())  # who asked waits for that
        if patch:
            patch.setdefault("metadata", {})["resourceVersion"] = app.resource_version
        return patch

    async def _send(self, app: Application, patch: dict[str, Any]) -> bytes:
        self.writes += 1
        return await self._cluster.patch(APPLICATIONS, app.namespace, app.own_name, patch, manager=self._manager)

    async def _catch_up(self, app: Application) -> None:
        raw = await persist(lambda: self._cluster.get(APPLICATIONS, app.namespace, app.own_name), self._clock)
        if raw is not None:
            self._fleet.take(raw)  # others changed it: the watch, when it comes to that, tells nothing new

    async def annotate(self, name: str, annotations: Mapping[str, str | None]) -> None:
        """Sets these annotations on the application (None: takes one away); nothing where it is gone."""
        app = self._fleet.get(name)
        if app is None or all(app.annotations.get(key) == text for key, text in annotations.items()):
            return
        patch = {"metadata": {"annotations": dict(annotations)}}
        try:
            self._fleet.take(
                await persist(partial(self._send, app, patch), self._clock)
            )  # others' changes may be in it
        except ClusterError as error:
            if error.status != 404:
                raise

    def writer_of(self, name: str, annotation: str) -> str:
        """The field manager that wrote an annotation of the application; "" where nobody tells."""
        if self._fleet.get(name) is None:
            return ""
        found = writer_of(self._fleet.raw(name), ("metadata", "annotations", annotation))
        return found.manager if found is not None else ""

    async def finalize(self, app: Application, finalizers: list[str]) -> None:
        """Brings the application's finalizers, as they were seen, to these; those that others add or take away meanwhile stay theirs."""
        gone = set(app.finalizers) - set(finalizers)
        more = [name for name in finalizers if name not in app.finalizers]

        def patch(newest: Application) -> dict[str, Any]:
            if newest.uid != app.uid:
                return {}  # it is gone, and there is another one of its name
            kept = [name for name in newest.finalizers if name not in gone]
            kept += [name for name in more if name not in kept]
            return {"metadata": {"finalizers": kept or None, "resourceVersion": newest.resource_version}}

        await self._change(app.name, patch)

    async def event(self, app: Application, *, kind: str, reason: str, message: str) -> None:
        """An event on the Application."""
        about = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "name": app.own_name,
            "namespace": app.namespace,
            "uid": app.uid,
        }
        await self.event_on(about, kind=kind, reason=reason, message=message)

    async def event_on(self, about: Mapping[str, str], *, kind: str, reason: str, message: str) -> None:
        """An event on the object that the reference names; that it cannot be written is logged, nothing more."""
        now = self._clock.now()
        stamp = f"{int(now * 1_000_000):x}"
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{about['name']}.{stamp}", "namespace": about["namespace"]},
            "involvedObject": dict(about),
            "type": kind,
            "reason": reason,
            "message": message[:1024],  # the API's own limit
            "source": {"component": "kilde"},
            "firstTimestamp": rfc3339(now),
            "lastTimestamp": rfc3339(now),
            "count": 1,
        }
        try:
            await self._cluster.create(_EVENTS, body, manager=self._manager)
        except ClusterError as error:
            log.warning("event not written", object=about["name"], reason=reason, error=str(error))
