"""SmallApi: an API in memory that keeps the contract of kilde.kubeapi.interface as far as the controllers lean on it."""

import asyncio
import copy
from collections.abc import AsyncIterator, Iterable
from typing import Any

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.naming import safe_suffix
from kilde.kubeapi.interface import ApiError, Event

Place = tuple[str, str, str]


class SmallApi:
    """No defaults, no validation, no field managers: versions, uids, generations, finalizers, grace, watches."""

    def __init__(self, now: Any) -> None:
        self._now = now
        self.objects: dict[Place, Object] = {}
        self.version = 0
        self.writes: list[tuple[str, str, str]] = []
        self._watchers: list[tuple[frozenset[str], asyncio.Queue[Event]]] = []

    def _next(self) -> int:
        self.version += 1
        return self.version

    def _put(self, resource: str, obj: Object, kind: str) -> Object:
        meta = obj["metadata"]
        meta["resourceVersion"] = str(self._next())
        place = (resource, meta.get("namespace", ""), meta["name"])
        if kind == "DELETED":
            self.objects.pop(place)
        else:
            self.objects[place] = obj
        for resources, queue in self._watchers:
            if resource in resources:
                queue.put_nowait(Event(resource, kind, copy.deepcopy(obj)))
        return copy.deepcopy(obj)

    def _find(self, resource: str, namespace: str, name: str) -> Object:
        found = self.objects.get((resource, namespace, name))
        if found is None:
            raise ApiError(404, "NotFound", f'{resource} "{name}" not found')
        return copy.deepcopy(found)

    async def get(self, resource: str, namespace: str, name: str) -> Object:
        return self._find(resource, namespace, name)

    async def list(self, resource: str, namespace: str | None = None, *, label_selector: str = "") -> list[Object]:
        return [
            copy.deepcopy(obj)
            for (res, ns, _), obj in sorted(self.objects.items())
            if res == resource and (namespace is None or ns == namespace)
        ]

    async def create(
        self, resource: str, namespace: str, body: Object, *, manager: str, name: str = "", subresource: str = ""
    ) -> Object:
        await asyncio.sleep(0)
        if subresource == "binding":
            pod = self._find("pods", namespace, name)
            pod["spec"]["nodeName"] = body["target"]["name"]
            pod.get("status", {}).pop("nominatedNodeName", None)
            self.writes.append(("bind", resource, name))
            self._put("pods", pod, "MODIFIED")
            return {"kind": "Status", "status": "Success"}
        obj = copy.deepcopy(body)
        meta = obj["metadata"]
        if meta.get("generateName") and not meta.get("name"):
            meta["name"] = meta["generateName"] + safe_suffix((self.version * 0.6180339887) % 1)
        if (resource, namespace, meta["name"]) in self.objects:
            raise ApiError(409, "AlreadyExists", f'{resource} "{meta["name"]}" already exists')
        meta |= {"uid": f"uid-{self.version + 1}", "creationTimestamp": rfc3339(self._now()), "generation": 1}
        if resource == "persistentvolumeclaims":
            meta["finalizers"] = ["kubernetes.io/pvc-protection"]
            obj.setdefault("status", {"phase": "Pending"})
        self.writes.append(("create", resource, meta["name"]))
        return self._put(resource, obj, "ADDED")

    async def update(self, resource: str, body: Object, *, manager: str, subresource: str = "") -> Object:
        await asyncio.sleep(0)
        meta = body["metadata"]
        held = self._find(resource, meta.get("namespace", ""), meta["name"])
        if meta.get("resourceVersion") != held["metadata"]["resourceVersion"]:
            raise ApiError(409, "Conflict", "the object has been modified")
        new = copy.deepcopy(body)
        if subresource == "status":
            new = {
                **held,
                "status": new.get("status"),
                "metadata": {**held["metadata"], "annotations": meta.get("annotations")},
            }
            if not new["metadata"]["annotations"]:
                del new["metadata"]["annotations"]
        elif new.get("spec") != held.get("spec"):
            new["metadata"]["generation"] = held["metadata"].get("generation", 0) + 1
        if new == held:
            return held
        self.writes.append(("status" if subresource else "update", resource, meta["name"]))
        return self._finish(resource, new)

    async def update_status(self, resource: str, body: Object, *, manager: str) -> Object:
        return await self.update(resource, body, manager=manager, subresource="status")

    async def patch(
        self, resource: str, namespace: str, name: str, change: Object, *, manager: str, subresource: str = ""
    ) -> Object:
        await asyncio.sleep(0)
        held = self._find(resource, namespace, name)
        version = change.get("metadata", {}).get("resourceVersion")
        if version is not None and version != held["metadata"]["resourceVersion"]:
            raise ApiError(409, "Conflict", "the object has been modified")
        new = _merged(held, change)
        if new == held:
            return held
        if new.get("spec") != held.get("spec"):
            new["metadata"]["generation"] = held["metadata"].get("generation", 0) + 1
        self.writes.append(("patch", resource, name))
        return self._finish(resource, new)

    async def apply(
        self, resource: str, body: Object, *, manager: str, force: bool = False, subresource: str = ""
    ) -> Object:
        """Nobody else owns anything here, so that an apply is a merge."""
        meta = body["metadata"]
        return await self.patch(
            resource, meta.get("namespace", ""), meta["name"], body, manager=manager, subresource=subresource
        )

    def _finish(self, resource: str, new: Object) -> Object:
        meta = new["metadata"]
        if meta.get("deletionTimestamp") and not meta.get("finalizers") and resource != "pods":
            return self._put(resource, new, "DELETED")
        if resource == "pods" and meta.get("deletionGracePeriodSeconds") == 0 and not meta.get("finalizers"):
            return self._put(resource, new, "DELETED")
        return self._put(resource, new, "MODIFIED")

    async def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        grace: int | None = None,
        propagation: str = "",
        uid: str = "",
        resource_version: str = "",
    ) -> Object:
        await asyncio.sleep(0)
        held = self._find(resource, namespace, name)
        meta = held["metadata"]
        if uid and meta["uid"] != uid:
            raise ApiError(409, "Conflict", "the UID in the precondition does not match")
        self.writes.append(("delete", resource, name))
        scheduled = resource == "pods" and held["spec"].get("nodeName")
        finished = held.get("status", {}).get("phase") in ("Succeeded", "Failed")
        wait = 0 if grace == 0 or not scheduled or finished else held["spec"].get("terminationGracePeriodSeconds", 30)
        if meta.get("finalizers") or wait:
            meta.setdefault("deletionTimestamp", rfc3339(self._now() + wait))
            meta["deletionGracePeriodSeconds"] = wait
            return self._put(resource, held, "MODIFIED")
        answer = self._put(resource, held, "DELETED")
        for place, obj in list(self.objects.items()):
            if any(owner["uid"] == meta["uid"] for owner in obj["metadata"].get("ownerReferences") or ()):
                await self.delete(place[0], place[1], place[2])
        return {"kind": "Status", "status": "Success", "details": {"uid": answer["metadata"]["uid"]}}

    async def watch(self, resources: Iterable[str]) -> AsyncIterator[Event]:
        wanted, queue = frozenset(resources), asyncio.Queue[Event]()
        for (resource, _, _), obj in sorted(self.objects.items()):
            if resource in wanted:
                queue.put_nowait(Event(resource, "ADDED", copy.deepcopy(obj)))
        self._watchers.append((wanted, queue))
        while True:
            yield await queue.get()


def _merged(held: Object, change: Object) -> Object:
    new = dict(held)
    for key, value in change.items():
        if value is None:
            new.pop(key, None)
        elif isinstance(value, dict):
            new[key] = _merged(new.get(key) or {}, value)
        else:
            new[key] = value
    return new
