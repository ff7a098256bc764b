"""Hands the fields of objects from one controller's manager to the other's: one patch of managedFields an object, no field changed."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from kilde.core.apps.application import Application
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.basics.values import Object
from kilde.core.migrate.argocd import inventory
from kilde.core.migrate.ownership import ARGOCD, given_back, taken
from kilde.core.objects.ref import ObjectRef
from kilde.core.objects.typed.last_applied import ANNOTATION
from kilde.core.plan.policy import object_options
from kilde.core.plan.tracking import Tracking
from kilde.ports.cluster import Cluster, Resource

MANAGER = "kilde"
_AT_ONCE = 8
_TRIES = 5
_decode = msgspec.json.Decoder(dict).decode
Patch = tuple[list[dict[str, Any]], str]  # and who sends it
Find = Callable[[Object], Patch | None]  # None where nothing is to be changed


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How many objects changed hands, how many had before, and what could not be."""

    changed: int
    same: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One object, where it is, and what is to be changed in it."""

    cluster_of: Callable[[], Cluster]
    ref: ObjectRef
    find: Find


class Hands:
    """Patches many objects, some at once, each as it is at that moment."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def each(self, jobs: Iterable[Job]) -> HandedOver:
        """Every one of them, whatever becomes of the others."""
        found = await asyncio.gather(*map(self._one, jobs))
        failed = tuple(text for text in found if isinstance(text, str))
        return HandedOver(sum(1 for one in found if one is True), sum(1 for one in found if one is False), failed)

    async def _one(self, job: Job) -> bool | str:
        """True: changed; False: nothing to change; a text: why it could not."""
        async with self._gate:
            try:
                cluster = job.cluster_of()
                resource = (await cluster.discovery()).resource(job.ref.group, job.ref.kind)
                return resource is not None and await self._patched(cluster, resource, job)
            except (KildeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
                return f"{job.ref}: {error}"

    async def _patched(self, cluster: Cluster, resource: Resource, job: Job) -> bool:
        ref = job.ref
        for left in reversed(range(_TRIES)):
            raw = await cluster.get(resource, ref.namespace, ref.name)
            found = job.find(_decode(raw)) if raw else None
            if found is None:
                return False
            steps, sender = found
            try:
                await cluster.patch(resource, ref.namespace, ref.name, steps, kind="json", manager=sender)
            except ClusterError as error:
                if error.status == 404:
                    return False
                if error.status != 409 or not left:
                    raise
                continue
            return True
        return False


class Handover:
    """For one installation. `cluster_of` gives the cluster that an application deploys to."""

    def __init__(self, cluster_of: Callable[[Application], Cluster], tracking: Tracking) -> None:
        self._cluster_of, self._tracking = cluster_of, tracking

    async def take(self, apps: Sequence[Application]) -> HandedOver:
        """Argo CD's fields become Kilde's."""

        def patch(app: Application, live: Object) -> Patch | None:
            managed = taken(live, manager=MANAGER)
            return None if managed is None else (managed_steps(live, managed), MANAGER)

        return await self._each(apps, patch)

    async def give_back(self, apps: Sequence[Application]) -> HandedOver:
        """Kilde's fields become Argo CD's, in the way in which it applies them."""

        def patch(app: Application, live: Object) -> Patch | None:
            annotations = (live.get("metadata") or {}).get("annotations") or {}
            own = object_options(annotations)
            server_side = own.is_on("ServerSideApply") or app.policy.options.is_on("ServerSideApply")
            found = given_back(live, manager=MANAGER, server_side=server_side)
            if found is None:
                return None
            managed, said = found
            steps = managed_steps(live, managed)
            if said:
                steps.append({"op": "add", "path": f"/metadata/annotations/{_escaped(ANNOTATION)}", "value": said})
                if not annotations:
                    steps.insert(0, {"op": "add", "path": "/metadata/annotations", "value": {}})
            return steps, ARGOCD

        return await self._each(apps, patch)

    async def _each(
        self, apps: Iterable[Application], patch: Callable[[Application, Object], Patch | None]
    ) -> HandedOver:
        return await Hands().each(self._job(app, ref_of(one), patch) for app in apps for one in inventory(app))

    def _job(self, app: Application, ref: ObjectRef, patch: Callable[[Application, Object], Patch | None]) -> Job:
        def find(live: Object) -> Patch | None:
            is_own = self._tracking.owner(live.get("metadata") or {}, ref) == app.name
            return patch(app, live) if is_own else None

        return Job(lambda: self._cluster_of(app), ref, find)


def ref_of(listed: Mapping[str, Any]) -> ObjectRef:
    """The object that an entry of an application's status means."""
    group, namespace = str(listed.get("group") or ""), str(listed.get("namespace") or "")
    return ObjectRef(group, str(listed["kind"]), namespace, str(listed["name"]))


def managed_steps(live: Object, managed: list[Object]) -> list[dict[str, Any]]:
    """Refused by the server with 409 where the object has changed since."""
    return [{"op": "replace", "path": "/metadata/managedFields", "value": managed}, same_version(live)]


def same_version(live: Object) -> dict[str, Any]:
    """The step of a patch that holds it to the object as it was read."""
    version = (live.get("metadata") or {}).get("resourceVersion", "")
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": version}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
