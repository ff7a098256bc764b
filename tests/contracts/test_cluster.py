"""What ports.cluster.Cluster promises, held to by every implementation: in memory, embedded, and a real API server."""

import asyncio
import dataclasses
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from faults.embedded import embedded_api
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.kubeconfig import load
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.ports.cluster import Cluster, EventType, Resource, WatchEvent
from kilde.testing.cluster import FakeCluster
from real.control_plane import ControlPlane

pytestmark = pytest.mark.anyio

NAMESPACE = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
DEPLOYMENT = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
DEFINITION = Resource(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)
_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["memory", "embedded", pytest.param("real", marks=pytest.mark.live)])
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """The way to the implementation under test; None: the one in memory."""
    if request.param == "memory":
        yield None
    elif request.param == "embedded":
        with embedded_api(tmp_path_factory.mktemp("embedded")) as file:
            yield file
    else:
        plane: ControlPlane = request.getfixturevalue("live_cluster")
        yield plane.kubeconfig


@pytest.fixture
async def cluster(kubeconfig: Path | None) -> AsyncIterator[Cluster]:
    clock = SystemClock()
    made: Cluster = FakeCluster(clock) if kubeconfig is None else KubeCluster(load([kubeconfig], clock), clock)
    yield made
    await made.close()


@pytest.fixture
async def space(cluster: Cluster) -> AsyncIterator[str]:
    """A namespace of the test's own."""
    name = f"contract-{next(_numbers)}"
    await cluster.apply(
        NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, manager="test"
    )
    yield name
    await cluster.delete(NAMESPACE, "", name, propagation="Background")


def config_map(space: str, name: str = "a", **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": space},
        "data": data,
    }


def deployment(space: str, name: str = "web") -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": space},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "one", "image": "one:1"}, {"name": "two", "image": "two:1"}]},
            },
        },
    }


async def read(cluster: Cluster, space: str, name: str = "a", resource: Resource = CONFIG_MAP) -> Any:
    raw = await cluster.get(resource, space, name)
    return None if raw is None else json.loads(raw)


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)


async def refused(call: Awaitable[object]) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        await call
    return caught.value


async def test_the_version_is_a_kubernetes_version(cluster: Cluster) -> None:
    assert (await cluster.version()).startswith("v1.")


async def test_discovery_knows_kinds_at_their_preferred_version(cluster: Cluster) -> None:
    found = await cluster.discovery()
    maps, scaler = found.resource("", "ConfigMap"), found.resource("autoscaling", "HorizontalPodAutoscaler")
    assert maps is not None
    assert scaler is not None
    assert (maps.plural, maps.namespaced, maps.version, "watch" in maps.verbs) == ("configmaps", True, "v1", True)
    assert scaler.version == "v2"
    assert found.versions("autoscaling", "HorizontalPodAutoscaler") == ("v2", "v1")
    older = found.resource("autoscaling", "HorizontalPodAutoscaler", "v1")
    assert older is not None
    assert older.version == "v1"
    assert found.resource("apps", "Deployment", "v1beta1") is None
    assert found.resource("example.com", "Nothing") is None
    assert found.versions("example.com", "Nothing") == ()
    kinds = [resource.group_kind for resource in found.all()]
    assert len(kinds) == len(set(kinds))
    assert maps in found.all()


async def test_there_is_no_document_of_a_group_nobody_serves(cluster: Cluster) -> None:
    assert await cluster.schemas("example.com", "v1") is None


async def test_what_is_not_there_is_none(cluster: Cluster, space: str) -> None:
    assert await cluster.get(CONFIG_MAP, space, "a") is None
    assert await cluster.get(CONFIG_MAP, "no-such-namespace", "a") is None


async def test_apply_creates_then_changes(cluster: Cluster, space: str) -> None:
    first = await cluster.apply(CONFIG_MAP, config_map(space, k="1"), manager="kilde")
    second = await cluster.apply(CONFIG_MAP, config_map(space, k="2"), manager="kilde")
    assert (first.created, second.created) == (True, False)
    body = json.loads(second.raw)
    assert (body["apiVersion"], body["kind"], body["data"]) == ("v1", "ConfigMap", {"k": "2"})
    assert [(entry["manager"], entry["operation"]) for entry in body["metadata"]["managedFields"]] == [
        ("kilde", "Apply")
    ]
    assert body["metadata"]["uid"] == json.loads(first.raw)["metadata"]["uid"]
    assert await read(cluster, space) == body


async def test_an_apply_that_changes_nothing_keeps_the_version(cluster: Cluster, space: str) -> None:
    first = json.loads((await cluster.apply(CONFIG_MAP, config_map(space, k="1"), manager="kilde")).raw)
    again = json.loads((await cluster.apply(CONFIG_MAP, config_map(space, k="1"), manager="kilde")).raw)
    assert again == first


async def test_apply_takes_away_what_it_no_longer_names(cluster: Cluster, space: str) -> None:
    await cluster.apply(CONFIG_MAP, config_map(space, k="1", gone="x"), manager="kilde")
    await cluster.patch(CONFIG_MAP, space, "a", {"data": {"theirs": "y"}}, manager="them")
    await cluster.apply(CONFIG_MAP, config_map(space, k="1"), manager="kilde")
    assert (await read(cluster, space))["data"] == {"k": "1", "theirs": "y"}


async def test_apply_without_force_names_the_fields_of_others(cluster: Cluster, space: str) -> None:
    await cluster.apply(CONFIG_MAP, config_map(space, k="1"), manager="kilde")
    error = await refused(cluster.apply(CONFIG_MAP, config_map(space, k="2"), manager="other", force=False))
    assert (error.status, error.reason, error.what) == (
        409,
        "Conflict",
        'Apply failed with 1 conflict: conflict with "kilde": .data.k',
    )
    assert error.causes == ({"reason": "FieldManagerConflict", "message": 'conflict with "kilde"', "field": ".data.k"},)
    await cluster.apply(CONFIG_MAP, config_map(space, k="2"), manager="other")
    assert (await read(cluster, space))["data"] == {"k": "2"}


async def test_apply_tells_a_value_of_the_wrong_type(cluster: Cluster, space: str) -> None:
    body = {**config_map(space), "data": {"k": 1}}
    error = await refused(cluster.apply(CONFIG_MAP, body, manager="kilde"))
    assert error.status == 500
    assert error.what.endswith(".data.k: expected string, got &value.valueUnstructured{Value:1}")
    assert str(error).startswith(f"ConfigMap {space}/a: ")


async def test_a_dry_run_writes_nothing(cluster: Cluster, space: str) -> None:
    tried = await cluster.apply(CONFIG_MAP, config_map(space, k="1"), manager="kilde", dry_run=True)
    assert json.loads(tried.raw)["data"] == {"k": "1"}
    assert await read(cluster, space) is None
    await cluster.create(CONFIG_MAP, config_map(space, k="1"), manager="kilde", dry_run=True)
    assert await read(cluster, space) is None


async def test_nothing_is_written_into_a_namespace_that_is_not_there(cluster: Cluster) -> None:
    error = await refused(cluster.apply(CONFIG_MAP, config_map("no-such-namespace"), manager="kilde"))
    assert (error.status, error.reason, error.what) == (404, "NotFound", 'namespaces "no-such-namespace" not found')


async def test_an_object_is_created_once(cluster: Cluster, space: str) -> None:
    made = await cluster.create(CONFIG_MAP, config_map(space, k="1"), manager="kilde")
    assert made.created
    error = await refused(cluster.create(CONFIG_MAP, config_map(space, k="2"), manager="kilde"))
    assert (error.status, error.reason, error.what) == (409, "AlreadyExists", 'configmaps "a" already exists')


async def test_a_name_can_be_left_to_the_server(cluster: Cluster, space: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "gen-", "namespace": space}}
    made = json.loads((await cluster.create(CONFIG_MAP, body, manager="kilde")).raw)
    assert made["metadata"]["name"].startswith("gen-")
    assert len(made["metadata"]["name"]) == len("gen-") + 5


async def test_a_replace_of_an_old_version_is_refused(cluster: Cluster, space: str) -> None:
    old = json.loads((await cluster.create(CONFIG_MAP, config_map(space, k="1"), manager="kilde")).raw)
    await cluster.replace(CONFIG_MAP, {**old, "data": {"k": "2"}}, manager="kilde")
    error = await refused(cluster.replace(CONFIG_MAP, {**old, "data": {"k": "3"}}, manager="kilde"))
    assert (error.status, error.reason) == (409, "Conflict")
    assert (await read(cluster, space))["data"] == {"k": "2"}
    missing = await refused(cluster.replace(CONFIG_MAP, config_map(space, "b"), manager="kilde"))
    assert (missing.status, missing.reason, missing.what) == (404, "NotFound", 'configmaps "b" not found')


async def test_the_three_kinds_of_patch_do_what_each_does(cluster: Cluster, space: str) -> None:
    await cluster.apply(DEPLOYMENT, deployment(space), manager="kilde")
    container = {"spec": {"template": {"spec": {"containers": [{"name": "two", "image": "two:2"}]}}}}
    await cluster.patch(DEPLOYMENT, space, "web", container, kind="strategic", manager="them")
    replicas = [{"op": "replace", "path": "/spec/paused", "value": True}]
    await cluster.patch(DEPLOYMENT, space, "web", replicas, kind="json", manager="them")
    raw = await cluster.patch(DEPLOYMENT, space, "web", {"metadata": {"labels": {"a": "b"}}}, manager="them")
    body = json.loads(raw)
    images = [item["image"] for item in body["spec"]["template"]["spec"]["containers"]]
    assert (images, body["spec"]["paused"], body["metadata"]["labels"]) == (["one:1", "two:2"], True, {"a": "b"})
    error = await refused(cluster.patch(CONFIG_MAP, space, "nothing", {}, manager="them"))
    assert (error.status, error.reason) == (404, "NotFound")


async def test_status_is_written_through_its_own_door_only(cluster: Cluster, space: str) -> None:
    await cluster.apply(DEPLOYMENT, deployment(space), manager="kilde")
    status = {"status": {"conditions": [{"type": "Seen", "status": "True"}]}}
    await cluster.patch(DEPLOYMENT, space, "web", status, manager="them")
    assert "Seen" not in str((await read(cluster, space, "web", DEPLOYMENT)).get("status"))
    await cluster.patch(DEPLOYMENT, space, "web", status, manager="them", subresource="status")
    body = await read(cluster, space, "web", DEPLOYMENT)
    assert [item["type"] for item in body["status"]["conditions"] if item["type"] == "Seen"] == ["Seen"]
    assert body["spec"]["replicas"] == 0


async def test_delete_tells_whether_the_object_was_there(cluster: Cluster, space: str) -> None:
    await cluster.apply(CONFIG_MAP, config_map(space), manager="kilde")
    assert await cluster.delete(CONFIG_MAP, space, "a", propagation="Background")
    assert await read(cluster, space) is None
    assert not await cluster.delete(CONFIG_MAP, space, "a", propagation="Background")


async def test_a_foreground_delete_is_done_soon(cluster: Cluster, space: str) -> None:
    await cluster.apply(CONFIG_MAP, config_map(space), manager="kilde")
    assert await cluster.delete(CONFIG_MAP, space, "a")

    async def is_gone() -> bool:
        return await read(cluster, space) is None

    await eventually(is_gone)


async def test_what_an_object_owns_goes_with_it(cluster: Cluster, space: str) -> None:
    owner = json.loads((await cluster.apply(CONFIG_MAP, config_map(space), manager="kilde")).raw)
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": owner["metadata"]["uid"]}
    for name in ("child", "grown"):
        child = config_map(space, name)
        child["metadata"]["ownerReferences"] = [reference]
        await cluster.apply(CONFIG_MAP, child, manager="kilde")
    await cluster.patch(CONFIG_MAP, space, "grown", {"metadata": {"ownerReferences": None}}, manager="them")
    await cluster.delete(CONFIG_MAP, space, "a", propagation="Background")

    async def is_gone() -> bool:
        return await read(cluster, space, "child") is None

    await eventually(is_gone)
    assert await read(cluster, space, "grown") is not None


async def test_a_delete_of_another_object_than_the_one_meant_is_refused(cluster: Cluster, space: str) -> None:
    made = json.loads((await cluster.apply(CONFIG_MAP, config_map(space), manager="kilde")).raw)["metadata"]
    other = await refused(cluster.delete(CONFIG_MAP, space, "a", uid="00000000-0000-0000-0000-000000000000"))
    older = await refused(cluster.delete(CONFIG_MAP, space, "a", resource_version="1"))
    assert [(error.status, error.reason) for error in (other, older)] == [(409, "Conflict")] * 2
    assert await cluster.delete(
        CONFIG_MAP,
        space,
        "a",
        uid=made["uid"],
        resource_version=made["resourceVersion"],
        propagation="Background",
    )


async def test_a_finalizer_holds_an_object(cluster: Cluster, space: str) -> None:
    body = config_map(space)
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await cluster.apply(CONFIG_MAP, body, manager="kilde")
    assert await cluster.delete(CONFIG_MAP, space, "a", propagation="Background")
    assert (await read(cluster, space))["metadata"]["deletionTimestamp"]
    await cluster.patch(CONFIG_MAP, space, "a", {"metadata": {"finalizers": None}}, manager="kilde")
    assert await read(cluster, space) is None


async def test_metadata_alone_can_be_listed_and_watched(cluster: Cluster, space: str) -> None:
    is_whole = isinstance(cluster, FakeCluster)  # which may tell more than it is asked for
    body = config_map(space, k="v")
    body["metadata"]["labels"] = {"mine": "yes"}
    await cluster.apply(CONFIG_MAP, body, manager="kilde")
    [listed] = await cluster.list(CONFIG_MAP, space, label_selector="mine=yes", metadata_only=True)
    watch = cluster.watch(CONFIG_MAP, space, label_selector="mine=yes", metadata_only=True)
    async with aclosing(watch) as events:  # type: ignore[type-var]
        first = await take(events, 2)
        await cluster.apply(CONFIG_MAP, {**body, "data": {"k": "w"}}, manager="kilde")
        [changed] = await take(events, 1)
    assert told([*first, changed]) == [(EventType.LISTED, "a"), (EventType.SYNCED, ""), (EventType.MODIFIED, "a")]
    for raw in (listed, first[0].raw, changed.raw):
        found = json.loads(raw)
        assert (found["metadata"]["name"], bool(found["metadata"]["uid"]), "data" in found) == ("a", True, is_whole)


async def test_a_cluster_acted_on_as_another_user_has_that_ones_rights_alone(
    kubeconfig: Path | None, space: str, cluster: Cluster
) -> None:
    if kubeconfig is None:
        pytest.skip("the one in memory has no users")
    clock = SystemClock()
    headers = (("Impersonate-User", "somebody"), ("Impersonate-Group", "system:masters"))
    masters = KubeCluster(dataclasses.replace(load([kubeconfig], clock), headers=headers), clock)
    user = f"system:serviceaccount:{space}:deployer"
    try:
        assert await masters.whoami() == "somebody"
        other = masters.acting(user)
        error = await refused(other.apply(CONFIG_MAP, config_map(space, k="v"), manager="kilde"))
        assert error.status == 403
        assert f'User "{user}" cannot patch resource "configmaps"' in error.what
        assert (await refused(other.delete(CONFIG_MAP, space, "a"))).status == 403
        assert await other.get(CONFIG_MAP, space, "a") is None  # reads stay ours
        made = await masters.apply(CONFIG_MAP, config_map(space, k="v"), manager="kilde")
        assert made.created
    finally:
        await masters.close()


async def test_a_list_has_whole_objects_and_minds_its_selector(cluster: Cluster, space: str) -> None:
    for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
        body = config_map(space, name)
        body["metadata"]["labels"] = {"which": label}
        await cluster.apply(CONFIG_MAP, body, manager="kilde")
    found = [json.loads(raw) for raw in await cluster.list(CONFIG_MAP, space, label_selector="which=x")]
    assert [(item["apiVersion"], item["kind"], item["metadata"]["name"]) for item in found] == [
        ("v1", "ConfigMap", "a"),
        ("v1", "ConfigMap", "b"),
    ]
    everywhere = await cluster.list(CONFIG_MAP, label_selector="which")
    assert sorted(json.loads(raw)["metadata"]["name"] for raw in everywhere) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["", "..", "a/b", "a%2Fb"])
async def test_a_name_that_is_no_name_never_leaves_us(cluster: Cluster, space: str, name: str) -> None:
    before = cluster.counts()
    for call in (
        cluster.delete(CONFIG_MAP, space, name),
        cluster.get(CONFIG_MAP, space, name),
        cluster.apply(CONFIG_MAP, config_map(space, name), manager="kilde"),
    ):
        error = await refused(call)
        assert (error.status, error.reason) == (0, "Invalid")
    assert cluster.counts() == before


async def test_an_object_of_a_namespaced_kind_needs_its_namespace(cluster: Cluster) -> None:
    for call in (cluster.delete(CONFIG_MAP, "", "a"), cluster.apply(CONFIG_MAP, config_map(""), manager="kilde")):
        error = await refused(call)
        assert (error.reason, error.what) == ("Invalid", "a namespace is required")


async def test_a_kind_nobody_serves_is_not_found(cluster: Cluster, space: str) -> None:
    nothing = Resource("example.com", "v1", "Nothing", "nothings", namespaced=True)
    body = {"apiVersion": "example.com/v1", "kind": "Nothing", "metadata": {"name": "a", "namespace": space}}
    error = await refused(cluster.apply(nothing, body, manager="kilde"))
    assert (error.status, error.reason) == (404, "NotFound")


async def test_an_administrator_may(cluster: Cluster, space: str) -> None:
    assert await cluster.allowed("delete", CONFIG_MAP, space)


async def test_requests_are_counted_by_verb(cluster: Cluster, space: str) -> None:
    before = cluster.counts()
    await cluster.apply(CONFIG_MAP, config_map(space), manager="kilde")
    await cluster.get(CONFIG_MAP, space, "a")
    await cluster.get(CONFIG_MAP, space, "b")
    await cluster.list(CONFIG_MAP, space)
    await cluster.patch(CONFIG_MAP, space, "a", {"data": {"x": "y"}}, manager="kilde")
    await cluster.delete(CONFIG_MAP, space, "a")
    after = cluster.counts()
    spent = {verb: count - before.get(verb, 0) for verb, count in after.items() if count != before.get(verb, 0)}
    assert spent == {"apply": 1, "get": 2, "list": 1, "patch": 1, "delete": 1}


async def take(events: AsyncIterator[WatchEvent], count: int) -> list[WatchEvent]:
    async with asyncio.timeout(15):
        return [await anext(events) for _ in range(count)]


def told(events: list[WatchEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.name) for event in events]


async def test_a_watch_lists_then_tells_each_change(cluster: Cluster, space: str) -> None:
    def mine(name: str, **data: str) -> Object:
        body = config_map(space, name, **data)
        body["metadata"]["labels"] = {"mine": "yes"}
        return body

    await cluster.apply(CONFIG_MAP, mine("a"), manager="kilde")
    async with aclosing(cluster.watch(CONFIG_MAP, space, label_selector="mine=yes")) as events:  # type: ignore[type-var]
        assert told(await take(events, 2)) == [(EventType.LISTED, "a"), (EventType.SYNCED, "")]
        await cluster.apply(CONFIG_MAP, mine("b", k="1"), manager="kilde")
        await cluster.apply(CONFIG_MAP, config_map(space, "unlabelled"), manager="kilde")
        await cluster.apply(CONFIG_MAP, mine("b", k="2"), manager="kilde")
        await cluster.delete(CONFIG_MAP, space, "b", propagation="Background")
        changes = await take(events, 3)
    assert told(changes) == [(EventType.ADDED, "b"), (EventType.MODIFIED, "b"), (EventType.DELETED, "b")]
    assert [json.loads(event.raw)["data"] for event in changes] == [{"k": "1"}, {"k": "2"}, {"k": "2"}]
    for event in changes:
        body = json.loads(event.raw)
        assert (body["apiVersion"], body["kind"], event.namespace) == ("v1", "ConfigMap", space)
        assert event.resource_version == body["metadata"]["resourceVersion"]
    versions = [int(event.resource_version) for event in changes]
    assert versions == sorted(versions)


async def test_an_object_that_leaves_the_selection_is_deleted_to_its_watcher(cluster: Cluster, space: str) -> None:
    body = config_map(space)
    body["metadata"]["labels"] = {"mine": "yes"}
    await cluster.apply(CONFIG_MAP, body, manager="kilde")
    async with aclosing(cluster.watch(CONFIG_MAP, space, label_selector="mine=yes")) as events:  # type: ignore[type-var]
        await take(events, 2)
        await cluster.patch(CONFIG_MAP, space, "a", {"metadata": {"labels": {"mine": "no"}}}, manager="them")
        await cluster.patch(CONFIG_MAP, space, "a", {"metadata": {"labels": {"mine": "yes"}}}, manager="them")
        assert told(await take(events, 2)) == [(EventType.DELETED, "a"), (EventType.ADDED, "a")]


async def test_a_custom_kind_is_served_once_it_is_defined(cluster: Cluster, space: str) -> None:
    group = f"{space}.example.com"
    thing = Resource(group, "v1", "Thing", "things", namespaced=True)
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Thing", "listKind": "ThingList", "plural": "things", "singular": "thing"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    assert (await cluster.discovery()).resource(group, "Thing") is None
    await cluster.apply(DEFINITION, definition, manager="kilde")

    async def is_served() -> bool:
        return (await cluster.discovery(refresh=True)).resource(group, "Thing") is not None

    await eventually(is_served)
    body = {
        "apiVersion": f"{group}/v1",
        "kind": "Thing",
        "metadata": {"name": "one", "namespace": space},
        "spec": {"size": 3},
    }

    async def is_applied() -> bool:
        try:
            return (await cluster.apply(thing, body, manager="kilde")).created
        except ClusterError as error:
            if error.status not in (404, 405, 429, 503):  # served, and not yet ready
                raise
            return False

    await eventually(is_applied)
    assert (await read(cluster, space, "one", thing))["spec"] == {"size": 3}
    async with aclosing(cluster.watch(thing, space)) as events:  # type: ignore[type-var]
        assert told(await take(events, 2)) == [(EventType.LISTED, "one"), (EventType.SYNCED, "")]
    await cluster.delete(DEFINITION, "", f"things.{group}", propagation="Background")


async def test_calls_can_be_interrupted_in_flight_and_until_that_is_lifted(cluster: Cluster, space: str) -> None:
    never = asyncio.Event()
    if isinstance(cluster, FakeCluster):
        cluster.hold = lambda verb, ref: never
    waiting = asyncio.ensure_future(cluster.get(CONFIG_MAP, space, "a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    cluster.interrupt("nobody is there")
    error = await refused(waiting)
    assert (error.what, error.status, error.reason) == ("nobody is there", 0, "Interrupted")
    if isinstance(cluster, FakeCluster):
        cluster.hold = None
    assert (await refused(cluster.get(CONFIG_MAP, space, "a"))).reason == "Interrupted"
    await cluster.pulse()
    cluster.interrupt("")
    assert await cluster.get(CONFIG_MAP, space, "a") is None
