"""A small world of fakes for engine tests: one repository, one cluster, one controller, and words for what happens in them."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from kilde import crds
from kilde.adapters.clock import SystemClock
from kilde.adapters.programs.jsonnet import JsonnetProgram
from kilde.core.objects.ref import ObjectRef
from kilde.core.render.outside import Helm, Outside, Plugins
from kilde.engine.assembling import ChooseCredentials
from kilde.engine.controller import Controller
from kilde.engine.report import Reporter
from kilde.engine.settings import EngineSettings
from kilde.engine.world import World
from kilde.ports.cluster import Cluster, Resource
from kilde.ports.downloads import Downloads
from kilde.ports.sources import Credentials, Sources
from kilde.testing.cluster import FakeCluster
from kilde.testing.records import MemoryRecords
from kilde.testing.sources import FakeSources
from kilde.testing.undo import MemoryUndo
from kilde.testing.web import FakeWeb

URL = "https://git.example/shop.git"
APPLICATIONS = Resource("argoproj.io", "v1alpha1", "Application", "applications", True)
PROJECTS = Resource("argoproj.io", "v1alpha1", "AppProject", "appprojects", True)
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True)
SECRETS = Resource("", "v1", "Secret", "secrets", True)
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
PATIENCE = 30.0


def config_map(name: str, **data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {"k": "v"}})


class Play:
    """What a test does upstream, in the cluster and by hand, and what it waits for."""

    def __init__(self, cluster: FakeCluster, sources: FakeSources, records: MemoryRecords, made: Controller) -> None:
        self.cluster, self.sources, self.records, self.controller = cluster, sources, records, made
        self.running: asyncio.Task[None] | None = None
        self.web = FakeWeb()
        self.undo = MemoryUndo()
        self.others: dict[str, FakeCluster] = {}  # clusters that Secrets may name, by server
        self.opened: list[str] = []

    def reach(self, secret: dict[str, Any]) -> FakeCluster:
        server = base64.b64decode(secret["data"]["server"]).decode().rstrip("/")
        self.opened.append(server)
        return self.others[server]

    async def another_cluster(self, server: str) -> FakeCluster:
        """One more cluster, with the namespace `shop`; nobody knows of it yet."""
        made = self.others[server] = FakeCluster(SystemClock())
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        await made.create(NAMESPACES, body, manager="person")
        return made

    async def cluster_secret(self, name: str, /, **data: str) -> None:
        """Makes or changes a cluster Secret; `data` is its own."""
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": "argocd",
                "labels": {"argocd.argoproj.io/secret-type": "cluster"},
            },
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
        }
        await self.cluster.apply(SECRETS, body, manager="person")

    async def guests_of_teams(self, *namespaces: str) -> None:
        """The project `teams` allows everything, to Applications of these namespaces (globs) too."""
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": "teams", "namespace": "argocd"},
            "spec": {
                "sourceRepos": ["*"],
                "destinations": [{"server": "*", "namespace": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                "sourceNamespaces": list(namespaces),
            },
        }
        await self.cluster.apply(PROJECTS, body, manager="person")

    async def commit(self, **files: str) -> str:
        """A commit whose whole content is these files below app/ (name → text), and its push."""
        sha = self.sources.commit(URL, {f"app/{name}.yaml": text.encode() for name, text in files.items()})
        await self.controller.push(frozenset([URL]))
        return sha

    async def application(self, name: str = "shop", **spec: Any) -> None:
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd", "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
            "spec": {
                "project": "default",
                "source": {"repoURL": URL, "path": "app", "targetRevision": "HEAD"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
                **spec,
            },
        }
        await self.cluster.create(APPLICATIONS, body, manager="person")

    async def patch_application(self, patch: dict[str, Any], name: str = "shop") -> None:
        await self.cluster.patch(APPLICATIONS, "argocd", name, patch, manager="person")

    async def by_hand(self, name: str, **data: str | None) -> None:
        await self.cluster.patch(CONFIG_MAPS, "shop", name, {"data": data}, manager="kubectl-edit")

    async def delete_by_hand(self, name: str) -> None:
        await self.cluster.delete(CONFIG_MAPS, "shop", name, propagation="Background")

    def data(self, name: str, namespace: str = "shop") -> dict[str, str] | None:
        body = self.cluster.objects().get(ObjectRef("", "ConfigMap", namespace, name))
        return None if body is None else body.get("data") or {}

    def status(self, name: str = "shop") -> dict[str, Any]:
        body = self.cluster.objects().get(ObjectRef("argoproj.io", "Application", "argocd", name)) or {}
        return body.get("status") or {}

    def sync(self, name: str = "shop") -> str:
        return str((self.status(name).get("sync") or {}).get("status", ""))

    def phase(self, name: str = "shop") -> str:
        return str((self.status(name).get("operationState") or {}).get("phase", ""))

    def conditions(self, name: str = "shop") -> list[str]:
        return [f"{c['type']}: {c['message']}" for c in self.status(name).get("conditions") or ()]

    def events(self) -> list[str]:
        found = [(r, b) for r, b in self.cluster.objects().items() if r.kind == "Event"]
        return [f"{body['reason']}: {body['message']}" for _, body in sorted(found, key=lambda pair: pair[0].name)]

    def tasks(self) -> list[str]:
        """The names of all tasks that run."""
        return sorted(task.get_name() for task in asyncio.all_tasks())

    async def until(self, holds: Callable[[], Any], what: str = "") -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while not holds():
            if self.running is not None and self.running.done():
                self.running.result()
            assert loop.time() < end, f"never came: {what or holds}; {json.dumps(self.status(), indent=1)}"
            await asyncio.sleep(0.005)

    async def quiet(self, seconds: float = 0.4) -> None:
        """Long enough for whatever would happen to have happened."""
        await asyncio.sleep(seconds)


@contextlib.asynccontextmanager
async def play(
    *,
    helm: Helm | None = None,
    git: FakeSources | None = None,
    sources: Sources | None = None,
    downloads: Downloads | None = None,
    plugins: Plugins | None = None,
    choose: ChooseCredentials = lambda url, project, config: Credentials(),
    report: Callable[..., Reporter] = Reporter,
    view: Callable[[FakeCluster], Cluster] = lambda cluster: cluster,
    **settings: Any,
) -> AsyncIterator[Play]:
    """`sources`: what the controller is given instead of `git`, which is in it; `view`: instead of the cluster."""
    clock = SystemClock()
    cluster, records, web = FakeCluster(clock), MemoryRecords(), FakeWeb()
    git = git or FakeSources()
    for definition in crds.definitions():
        names = definition["spec"]["names"]
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        has_status = "status" in definition["spec"]["versions"][0].get("subresources", {})
        kind = Resource("argoproj.io", "v1alpha1", names["kind"], names["plural"], True)
        cluster.serve(kind, schema, has_status=has_status)
    for name in ("argocd", "shop"):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await cluster.create(NAMESPACES, body, manager="person")
    undo = MemoryUndo()
    others: list[Play] = []
    git.create(URL)
    world = World(
        cluster=view(cluster),
        sources=sources or git,
        records=records,
        clock=clock,
        web=web,
        programs=Outside(helm=helm, jsonnet=JsonnetProgram(), plugins=plugins),
        downloads=downloads,
        undo=undo,
        reach=lambda secret: others[0].reach(secret),
    )
    quick = {"pulse": 0.05, "pulse_patience": 0.2}
    engine = EngineSettings(
        **{**quick, "raw_secrets": True, "poll": 3600.0, "settle": 0.05, "watch_patience": 2.0, **settings}
    )
    made = Controller(world, engine, choose, report)
    one = Play(cluster, git, records, made)
    one.web, one.undo = web, undo
    others.append(one)
    one.running = asyncio.ensure_future(made.run())
    try:
        yield one
    finally:
        one.running.cancel()
        await asyncio.gather(one.running, return_exceptions=True)
        await made.close()
        if downloads is not None:
            await downloads.close()
