"""The loop: what it believes, what it forgets, how it tries again, and that it rests when nothing happens."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers import Mode, assemble
from kilde.kubeapi.controllers.cache import Cache
from kilde.kubeapi.controllers.clock import VirtualClock, manual
from kilde.kubeapi.controllers.loop import Loop
from kilde.kubeapi.controllers.queue import Queue, Timers
from kilde.kubeapi.controllers.registry import control_plane, simulator
from kilde.kubeapi.controllers.steps import Key
from kilde.kubeapi.interface import ApiError, Event
from kubeapi.controllers.simulated import deployment, pod, running, served, verdicts, workload


def seen(name: str, version: int, uid: str = "u", **spec: object) -> Object:
    return {"metadata": {"namespace": "n", "name": name, "uid": uid, "resourceVersion": str(version)}, "spec": spec}


def test_late_news_of_an_object_are_not_believed() -> None:
    cache = Cache()
    assert cache.take("pods", "ADDED", seen("p", 5, nodeName="a")) is not None
    assert cache.take("pods", "MODIFIED", seen("p", 4, nodeName="b")) is None
    assert cache.get("pods", "n", "p") == seen("p", 5, nodeName="a")
    assert list(cache.on_node("b")) == []


def test_an_object_that_we_removed_does_not_come_back_until_it_is_made_anew() -> None:
    cache = Cache()
    cache.take("pods", "ADDED", seen("p", 5))
    assert cache.drop("pods", seen("p", 5)) is not None
    assert cache.take("pods", "MODIFIED", seen("p", 6)) is None
    assert cache.take("pods", "DELETED", seen("p", 7)) is None
    assert cache.take("pods", "ADDED", seen("p", 9, uid="other")) is not None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "n1", "n2"]), st.booleans()), max_size=30))
def test_the_load_of_a_node_is_that_of_its_pods_whatever_happened_before(steps: list[tuple[str, str, bool]]) -> None:
    cache = Cache()
    for version, (name, node, gone) in enumerate(steps, 1):
        kind = "DELETED" if gone else "MODIFIED"
        body = seen(
            name,
            version,
            **({"nodeName": node} if node else {}),
            containers=[{"resources": {"requests": {"cpu": "100m"}}}],
        )
        cache.take("pods", kind, body)
    for node in ("n1", "n2"):
        pods = len(list(cache.on_node(node)))
        load = cache.load(node)
        assert (load.pods, float(load.asked.get("cpu", 0))) == (pods, pytest.approx(pods / 10))


@pytest.mark.anyio
async def test_a_key_is_worked_on_once_at_a_time_and_again_if_it_was_added_meanwhile() -> None:
    queue, key = Queue(), Key("n", "p")
    queue.add(key)
    queue.add(key)
    assert await queue.take() == key
    queue.add(key)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.01)
    queue.done(key)
    assert await queue.take() == key


def test_a_timer_is_replaced_by_the_next_of_its_name() -> None:
    clock, fired = manual(0.0), []
    timers = Timers(clock)
    name = ("c", Key("", "x"))
    timers.set(name, 10.0, lambda: fired.append("first"))
    timers.set(name, 5.0, lambda: fired.append("second"))
    timers.set(("c", Key("", "y")), 7.0, lambda: fired.append("other"))
    timers.set(("c", Key("", "y")), None, lambda: None)
    assert timers.next == 5.0
    clock.advance(20)
    timers.fire()
    assert fired == ["second"]
    assert timers.next is None


@pytest.mark.anyio
async def test_a_fast_clock_runs_ahead_of_the_machine() -> None:
    clock = VirtualClock(speed=1000.0)
    began = clock.now()
    await clock.wait(asyncio.Event(), began + 20)
    assert clock.now() >= began + 20


@pytest.mark.anyio
async def test_controllers_that_start_over_a_settled_cluster_write_nothing() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", deployment())
        await cluster.make("statefulsets.apps", workload("StatefulSet", "db", replicas=2))
        await cluster.make("daemonsets.apps", workload("DaemonSet", "agent"))
        await cluster.make(
            "services",
            {
                "metadata": {"name": "s", "namespace": "shop"},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
            },
        )
        await cluster.settle(5)
        before = len(cluster.api.writes)
        again = Loop(
            cluster.api, [*control_plane(ca="PEM", cloud=True, served=served), *simulator(nodes=2)], cluster.clock
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job(), name=name) for name, job in again.jobs().items()]
            for _ in range(3000):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
        written = [write for write in cluster.api.writes[before:] if write[1] != "events"]
        assert written == []


@pytest.mark.anyio
async def test_a_gap_in_the_watch_is_closed_by_a_fresh_list() -> None:
    async with running() as cluster:
        watch = cluster.api.watch
        broken = asyncio.Event()

        async def breaking(resources: Iterable[str]) -> AsyncIterator[Event]:
            async for event in watch(resources):
                if broken.is_set():
                    broken.clear()
                    raise ApiError(410, "Expired", "too old resource version")
                yield event

        other = Loop(cluster.api, [*control_plane(ca="PEM", cloud=False, served=served)], cluster.clock)
        cluster.api.watch = breaking  # type: ignore[method-assign]
        async with asyncio.TaskGroup() as group:
            task = group.create_task(other.watch())
            await cluster.make("pods", pod("a"))
            await cluster.make("pods", pod("b"))
            await cluster.settle(0.5)
            assert {one["metadata"]["name"] for one in other.cache.every("pods")} == {"a", "b"}
            broken.set()
            await cluster.api.delete("pods", "shop", "a", grace=0)
            await cluster.settle(3)
            assert {one["metadata"]["name"] for one in other.cache.every("pods")} == {"b"}
            task.cancel()


@pytest.mark.anyio
async def test_a_refused_pod_is_told_in_the_status_and_tried_again() -> None:
    async with running() as cluster:
        create, refused = cluster.api.create, 0
        message = 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'

        async def refusing(resource: str, namespace: str, body: Object, **more: str) -> Object:
            nonlocal refused
            if resource == "pods" and refused < 5 and "subresource" not in more:
                refused += 1
                raise ApiError(403, "Forbidden", message)
            return await create(resource, namespace, body, **more)

        cluster.api.create = refusing  # type: ignore[method-assign]
        await cluster.make("deployments.apps", deployment())
        await cluster.settle(0.1)
        assert ("ReplicaFailure", "True", "FailedCreate", message) in verdicts(cluster.one("deployments.apps", "web"))
        assert ("ReplicaSet", "FailedCreate", f"Error creating: {message}") in cluster.told()
        await cluster.settle(10)
        found = cluster.one("deployments.apps", "web")
        assert found["status"]["availableReplicas"] == 2
        assert [kind for kind, *_ in verdicts(found)] == ["Available", "Progressing"]


@pytest.mark.anyio
async def test_a_pod_leaves_a_node_whose_taint_it_does_not_bear_at_once_or_in_time() -> None:
    async with running(nodes=1) as cluster:
        taint = {"key": "maintenance", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:05Z"}
        await cluster.make("pods", pod("leaves"))
        await cluster.make(
            "pods", pod("waits", tolerations=[{"key": "maintenance", "operator": "Exists", "tolerationSeconds": 60}])
        )
        await cluster.make("pods", pod("stays", tolerations=[{"operator": "Exists"}]))
        await cluster.settle(5)
        await cluster.change("nodes", "", "node-0", {"spec": {"taints": [taint]}})
        await cluster.settle(5)
        assert [one["metadata"]["name"] for one in cluster.all("pods")] == ["stays", "waits"]
        await cluster.settle(60)
        assert [one["metadata"]["name"] for one in cluster.all("pods")] == ["stays"]


@pytest.mark.anyio
async def test_a_node_that_goes_down_takes_its_pods_with_it_and_brings_them_back() -> None:
    async with running(nodes=1) as cluster:
        await cluster.make("pods", pod("p", tolerations=[{"operator": "Exists"}]))
        await cluster.settle(1)
        up = cluster.one("nodes", "node-0", "")["status"]
        down = [{**c, "status": "Unknown"} if c["type"] == "Ready" else c for c in up["conditions"]]
        seen = []
        for conditions in (down, up["conditions"]):
            await cluster.change("nodes", "", "node-0", {"status": {"conditions": conditions}})
            await cluster.settle(5)
            ready = next(c for c in cluster.one("pods", "p")["status"]["conditions"] if c["type"] == "Ready")
            taints = [
                (one["key"], one["effect"]) for one in cluster.one("nodes", "node-0", "")["spec"].get("taints", [])
            ]
            seen.append((ready["status"], taints))
        unreachable = "node.kubernetes.io/unreachable"
        assert seen == [("False", [(unreachable, "NoSchedule"), (unreachable, "NoExecute")]), ("True", [])]


@pytest.mark.anyio
async def test_the_pods_of_a_node_that_is_gone_are_given_up() -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("p", nodeName="elsewhere"))
        await cluster.settle(30)
        assert len(cluster.all("pods")) == 1
        await cluster.settle(20)
        assert cluster.all("pods") == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("mode", "some"),
    [(Mode.OFF, {"flow-schema-status-0"}), (Mode.ON, {"deployment-controller-0"}), (Mode.SIMULATE, {"kubelet-0"})],
)
async def test_a_mode_names_what_moves(mode: Mode, some: set[str]) -> None:
    async with running() as cluster:
        names = set(assemble(cluster.api, served, mode=mode, nodes=2, clock=cluster.clock).jobs)
        assert some <= names
        moves = ("kubelet-0" in names, "deployment-controller-0" in names)
        assert moves == (mode is Mode.SIMULATE, mode is not Mode.OFF)


@given(st.lists(st.tuples(st.sampled_from(["advance", "run"]), st.floats(0, 1e6)), max_size=20))
def test_time_never_goes_back_whatever_is_done_to_the_clock(deeds: list[tuple[str, float]]) -> None:
    clock, before = manual(0.0), 0.0
    for deed, value in deeds:
        getattr(clock, deed)(value)
        assert clock.now() >= before
        before = clock.now()
