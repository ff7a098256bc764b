"""The whole controller behind a proxy that fails: what Git says still comes true, and what cannot is told in words."""

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from faults.proxy import Disconnect, ErrorEvent, Fault, FaultProxy, Latency, Rule, Status
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.kubeconfig import load
from kilde.core.basics.values import Object
from kilde.engine.settings import EngineSettings
from kilde.ports.cluster import Resource
from kilde.wiring.cluster import open_cluster
from kilde.wiring.controlling import ControllerSettings
from kilde.wiring.controlling import controller as opened
from kilde.wiring.definitions import await_kinds, install_definitions

pytestmark = pytest.mark.anyio

APPLICATION = Resource("argoproj.io", "v1alpha1", "Application", "applications", namespaced=True)
CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
NAMESPACE = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
_numbers = itertools.count(1)
_PATIENCE = 60.0
_GONE = float(os.environ.get("KILDE_TEST_SECONDS_GONE", "2"))  # how long the API server is away


def config_map(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


class Repository:
    """A Git repository in a folder, branch main, manifests in app/."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "app").mkdir(parents=True)
        self._git("init", "-q", "-b", "main")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def commit(self, *objects: Object) -> None:
        for old in (self.folder / "app").iterdir():
            old.unlink()
        for body in objects:
            (self.folder / "app" / f"{body['kind']}-{body['metadata']['name']}.yaml").write_text(yaml.safe_dump(body))
        self._git("add", "-A")
        self._git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "change")

    def _git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.folder, check=True, capture_output=True)


@dataclass
class Story:
    """One application, its repository, the faults before its controller, and hands that reach past them."""

    proxy: FaultProxy
    hands: KubeCluster
    repository: Repository
    name: str
    space: str
    controller: "asyncio.Future[None]"

    async def begin(self, *options: str, retries: int = 5) -> None:
        application = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": self.name, "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {"repoURL": self.repository.url, "path": "app", "targetRevision": "main"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": self.space},
                "syncPolicy": {
                    "automated": {"prune": True, "selfHeal": True},
                    "syncOptions": list(options),
                    "retry": {"limit": retries, "backoff": {"duration": "1s", "factor": 1, "maxDuration": "2s"}},
                },
            },
        }
        await self.hands.apply(APPLICATION, application, manager="hands")

    async def status(self) -> dict[str, Any]:
        raw = await self.hands.get(APPLICATION, "argocd", self.name)
        return dict(json.loads(raw).get("status") or {}) if raw else {}

    async def until(self, holds: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The status once it is so; fails with the last status after a while."""
        status: dict[str, Any] = {}
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and not self.controller.done():
            status = await self.status()
            if holds(status):
                return status
            await asyncio.sleep(0.05)
        if self.controller.done():
            self.controller.result()
        pytest.fail(f"never {what}: {json.dumps(status, indent=1)}")

    async def synced(self) -> dict[str, Any]:
        return await self.until(lambda s: (s.get("sync") or {}).get("status") == "Synced", "Synced")

    async def data(self, name: str) -> Any:
        raw = await self.hands.get(CONFIG_MAP, self.space, name)
        return json.loads(raw).get("data") if raw else None

    async def data_becomes(self, name: str, data: Any) -> None:
        deadline = time.monotonic() + _PATIENCE
        while (found := await self.data(name)) != data:
            assert time.monotonic() < deadline, f"{name} stays {found}"
            await asyncio.sleep(0.02)


@pytest.fixture
async def story(behind: Path, tmp_path: Path) -> AsyncIterator[Story]:
    clock = SystemClock()
    access = load([behind], clock)
    hands = KubeCluster(access, clock)
    await install_definitions(hands, "argocd")
    await await_kinds(hands)
    number = next(_numbers)
    async with FaultProxy(access) as proxy:
        file = proxy.write_kubeconfig(tmp_path / "config")
        cluster = open_cluster(file)
        settings = ControllerSettings(data_dir=tmp_path / "data", engine=EngineSettings(poll=3600))
        settings.data_dir.mkdir()
        async with opened(settings, cluster) as controller:
            running = asyncio.ensure_future(controller.run())
            await asyncio.wait_for(controller.ready.wait(), 30)
            repository = Repository(tmp_path / "repository")
            made = Story(proxy, hands, repository, f"app-{number}", f"story-{number}", running)
            yield made
            proxy.clear()
            await hands.delete(APPLICATION, "argocd", made.name)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        await cluster.close()
    await hands.close()


@pytest.mark.parametrize(
    "faults",
    [
        [Rule(Status(429, "TooManyRequests", "later", {"Retry-After": "1"}), verb="apply", times=2)],
        [Rule(Status(409, "Conflict", "the object has been modified"), verb="apply", times=4)],
        [Rule(Status(500, "InternalError", "etcdserver: leader changed"), verb="apply", times=2)],
        [Rule(Status(503, "ServiceUnavailable", "apiserver is shutting down"), verb="apply", times=2)],
        [Rule(Disconnect(), verb="apply", times=2)],
        [Rule(Disconnect(done=True), verb="apply", times=2)],
        [Rule(Latency(0.5), verb="apply", times=None)],
        [Rule(Status(500, "InternalError", "no"), verb="patch", path="applications", times=3)],
    ],
    ids=["429", "409 storm", "500", "503", "broken before", "broken after", "slow", "status refused"],
)
async def test_a_sync_comes_true_in_spite_of(story: Story, faults: list[Rule]) -> None:
    story.repository.commit(config_map("a", k="1"), config_map("b", k="1"))
    story.proxy.add(*faults)
    await story.begin("CreateNamespace=true")
    status = await story.synced()
    assert status["operationState"]["phase"] == "Succeeded"
    assert (await story.data("a"), await story.data("b")) == ({"k": "1"}, {"k": "1"})
    assert all(rule.struck for rule in faults)


@pytest.mark.parametrize(
    "fault",
    [None, ErrorEvent(), Status(410, "Expired", "too old resource version")],
    ids=["dropped", "ERROR 410", "410"],
)
async def test_a_foreign_write_is_undone_though_the_watch_was_lost(story: Story, fault: Fault | None) -> None:
    story.repository.commit(config_map("a", k="1"))
    await story.begin("CreateNamespace=true")
    await story.synced()
    if fault is not None:
        story.proxy.add(Rule(fault, verb="watch", path="configmaps"))
    assert story.proxy.drop_streams() > 0
    await story.hands.patch(CONFIG_MAP, story.space, "a", {"data": {"k": "2"}}, manager="kubectl-edit")
    await story.data_becomes("a", {"k": "1"})
    await story.synced()


async def test_a_server_that_was_gone_is_caught_up_with(story: Story) -> None:
    story.repository.commit(config_map("a", k="1"), config_map("b", k="1"))
    await story.begin("CreateNamespace=true")
    await story.synced()
    await story.proxy.refuse()
    await story.hands.patch(CONFIG_MAP, story.space, "a", {"data": {"k": "2"}}, manager="kubectl-edit")
    await story.hands.delete(CONFIG_MAP, story.space, "b", propagation="Background")
    await asyncio.sleep(_GONE)
    await story.proxy.listen()
    await story.data_becomes("a", {"k": "1"})
    await story.data_becomes("b", {"k": "1"})
    status = await story.synced()
    assert not status.get("conditions")


async def test_one_object_that_is_refused_hides_no_other(story: Story) -> None:
    story.repository.commit(config_map("a", k="1"), config_map("b", k="1"))
    story.proxy.add(Rule(Status(403, "Forbidden", "b is off limits"), verb="apply", path="configmaps/b", times=None))
    await story.begin("CreateNamespace=true", retries=0)
    status = await story.until(lambda s: (s.get("operationState") or {}).get("phase") == "Failed", "Failed")
    assert await story.data("a") == {"k": "1"}
    assert await story.data("b") is None
    results = {
        item["name"]: (item["status"], item["message"]) for item in status["operationState"]["syncResult"]["resources"]
    }
    assert results["a"][0] == "Synced"
    assert results["b"][0] == "SyncFailed"
    assert "b is off limits" in results["b"][1]
    assert "b is off limits" in status["operationState"]["message"]


async def test_a_kind_nobody_serves_is_named(story: Story) -> None:
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t", "namespace": story.space}}
    story.repository.commit(config_map("a", k="1"), thing)
    await story.begin("CreateNamespace=true", retries=0)
    status = await story.until(lambda s: (s.get("operationState") or {}).get("phase") == "Failed", "Failed")
    results = {item["kind"]: item for item in status["operationState"]["syncResult"]["resources"]}
    assert results["Thing"]["message"] == (
        f"The Kubernetes API could not find example.com/Thing for requested resource {story.space}/t. "
        'Make sure the "Thing" CRD is installed on the destination cluster.'
    )


async def test_a_namespace_that_will_not_end_is_named(story: Story) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": story.space}}
    await story.hands.apply(NAMESPACE, space, manager="hands")
    held = config_map("held", k="1")
    held["metadata"] |= {"namespace": story.space, "finalizers": ["example.com/hold"]}
    await story.hands.apply(CONFIG_MAP, held, manager="hands")
    await story.hands.delete(NAMESPACE, "", story.space, propagation="Background")
    story.repository.commit(config_map("a", k="1"))
    await story.begin(retries=0)
    try:
        status = await story.until(lambda s: (s.get("operationState") or {}).get("phase") == "Failed", "Failed")
    finally:
        await story.hands.patch(CONFIG_MAP, story.space, "held", {"metadata": {"finalizers": None}}, manager="hands")
    assert "because it is being terminated" in status["operationState"]["message"]
    told = await story.until(lambda s: len(s.get("conditions") or ()) > 1, "both conditions")
    assert [item["type"] for item in told["conditions"]] == ["QuarantineWarning", "SyncError"]
