"""A small cluster for the controllers: SmallApi, a clock moved by hand, and everything that simulates."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.clock import manual
from kilde.kubeapi.controllers.loop import Loop
from kilde.kubeapi.controllers.registry import control_plane, simulator
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.policies.whole_schemas import Served
from kilde.kubeapi.resources.release import release
from kubeapi.controllers.small_api import SmallApi

_LATE = 200  # times in a row


def served() -> Served:
    """The built-in kinds."""
    return Served(Catalog(), {}, release().types)


class Cluster:
    """The API, its clock, and the loop of controllers over it."""

    def __init__(self, nodes: int = 2, *, cloud: bool = True) -> None:
        self.clock = manual()
        self.api = SmallApi(self.clock.now)
        self.loop = Loop(
            self.api,
            [*control_plane(ca="PEM", cloud=cloud, served=served), *simulator(nodes=nodes, cloud=cloud)],
            self.clock,
        )

    async def settle(self, seconds: float = 0.0) -> None:
        """Lets everything happen that is due within so many seconds."""
        end = self.clock.now() + seconds
        await self._quiet()
        late = 0
        while self.clock.now() < end - 1e-9:
            due = self.loop.timers.next
            late = late + 1 if due is not None and due < self.clock.now() else 0
            assert late < _LATE, "a controller asks again and again for a moment that is past: it would never rest"
            self.clock.advance(max(1e-6, min(end, due if due is not None else end) - self.clock.now()))
            self.loop.timers.fire()
            await self._quiet()

    async def _quiet(self) -> None:
        calm, version = 0, -1
        while calm < 5:
            await asyncio.sleep(0)
            calm = calm + 1 if self.loop.idle and version == self.api.version else 0
            version = self.api.version

    async def make(self, resource: str, body: Object) -> Object:
        return await self.api.create(resource, body["metadata"].get("namespace", ""), body, manager="test")

    async def change(self, resource: str, namespace: str, name: str, change: dict[str, Any]) -> Object:
        return await self.api.patch(resource, namespace, name, change, manager="test")

    def all(self, resource: str) -> list[Object]:
        return [obj for (res, _, _), obj in sorted(self.api.objects.items()) if res == resource]

    def one(self, resource: str, name: str, namespace: str = "shop") -> Object:
        return self.api.objects[(resource, namespace, name)]

    def told(self) -> list[tuple[str, str, str]]:
        """(kind of object, reason, message) of every event, in order."""
        events = sorted(self.all("events"), key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [(event["involvedObject"]["kind"], event["reason"], event["message"]) for event in events]


@asynccontextmanager
async def running(nodes: int = 2, *, cloud: bool = True) -> AsyncIterator[Cluster]:
    """A cluster with the namespaces `shop` and `kube-node-lease`, settled."""
    cluster = Cluster(nodes, cloud=cloud)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job(), name=name) for name, job in cluster.loop.jobs().items()]
        for name in ("kube-node-lease", "shop"):
            await cluster.make("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        await cluster.settle(0.1)
        yield cluster
        for task in tasks:
            task.cancel()


def workload(kind: str, name: str, **spec: Any) -> Object:
    """A Deployment, StatefulSet, DaemonSet or ReplicaSet in `shop` that selects `app: <name>` and runs `app:1`."""
    selected = {"selector": {"matchLabels": {"app": name}}, "template": template(name)}
    meta = {"name": name, "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": {**selected, **spec}}


def template(app: str, image: str = "app:1", script: str = "", **spec: Any) -> Object:
    """A pod template with one container `c`; `script` goes into the annotation sim.kilde.dev/pod."""
    meta: Object = {"labels": {"app": app}}
    if script:
        meta["annotations"] = {"sim.kilde.dev/pod": script}
    return {"metadata": meta, "spec": {"containers": [{"name": "c", "image": image}], **spec}}


def deployment(name: str = "web", **spec: Any) -> Object:
    """A Deployment as the server would have completed it."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    defaults = {"replicas": 2, "strategy": rolling, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
    return workload("Deployment", name, **{**defaults, **spec})


def job(name: str, script: str = "", **spec: Any) -> Object:
    """A Job of one pod that is not restarted."""
    body = {
        "completions": 1,
        "parallelism": 1,
        "backoffLimit": 6,
        "selector": {"matchLabels": {"app": name}},
        "template": template(name, "job:1", script, restartPolicy="Never"),
    }
    meta = {"name": name, "namespace": "shop"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {**body, **spec}}


def pod(name: str, image: str = "app:1", script: str = "", **spec: Any) -> Object:
    """A pod of one container that is always restarted."""
    meta: Object = {"name": name, "namespace": "shop"}
    if script:
        meta["annotations"] = {"sim.kilde.dev/pod": script}
    body = {"restartPolicy": "Always", "containers": [{"name": "c", "image": image}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": body}


def verdicts(obj: Object) -> list[tuple[str, str, str, str]]:
    """(type, status, reason, message) of each condition of an object."""
    found = (obj.get("status") or {}).get("conditions") or []
    return [(c["type"], c["status"], c.get("reason", ""), c.get("message", "")) for c in found]
