"""KubeCluster behind a proxy that fails: every fault becomes a ClusterError that says what it was, and watches mend themselves."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from faults.proxy import Disconnect, ErrorEvent, FaultProxy, Latency, Rule, SlowBody, Status, Truncate
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.kubeconfig import load
from kilde.adapters.cluster.limits import ClientLimits
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.ports.cluster import EventType, Resource, WatchEvent
from real.certificates import Authority

pytestmark = pytest.mark.anyio

CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
NAMESPACE = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
SPACE = "faults"
HASTY = ClientLimits(answer=1.0, connect=0.5, watch_idle=1.0, first_pause=0.05, longest_pause=0.2, page=2)


@pytest.fixture
async def proxy(behind: Path) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(load([behind], SystemClock())) as made:
        yield made


@pytest.fixture
async def cluster(behind: Path, proxy: FaultProxy, tmp_path: Path) -> AsyncIterator[KubeCluster]:
    clock = SystemClock()
    patient = KubeCluster(load([behind], clock), clock)
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    try:
        await patient.apply(NAMESPACE, space, manager="test")
        for raw in await patient.list(CONFIG_MAP, SPACE, label_selector="test"):
            await patient.delete(CONFIG_MAP, SPACE, json.loads(raw)["metadata"]["name"], propagation="Background")
    finally:
        await patient.close()
    made = KubeCluster(load([proxy.write_kubeconfig(tmp_path / "config")], clock), clock, limits=HASTY)
    yield made
    proxy.clear()
    await made.close()


def config_map(name: str = "a", **data: str) -> Object:
    metadata = {"name": name, "namespace": SPACE, "labels": {"test": "yes"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


async def put(cluster: KubeCluster, name: str = "a", **data: str) -> None:
    await cluster.apply(CONFIG_MAP, config_map(name, **data), manager="kilde")


async def failure(cluster: KubeCluster) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        await put(cluster)
    return caught.value


async def take(events: AsyncIterator[WatchEvent], until: tuple[EventType, str]) -> list[tuple[str, str]]:
    """Events up to the one named."""
    found: list[tuple[str, str]] = []
    async with asyncio.timeout(15):
        async for event in events:
            found.append((event.type, event.name))
            if found[-1] == until:
                break
    return found


@pytest.mark.parametrize(
    ("fault", "status", "reason", "what", "retry_after"),
    [
        (Status(429, "TooManyRequests", "slow down", {"Retry-After": "7"}), 429, "TooManyRequests", "slow down", 7.0),
        (Status(429, body=b"Too many requests"), 429, "TooManyRequests", None, None),
        (
            Status(409, "Conflict", "the object has been modified"),
            409,
            "Conflict",
            "the object has been modified",
            None,
        ),
        (Status(500, "InternalError", "etcdserver: request timed out"), 500, "InternalError", None, None),
        (Status(502, body=b"<html>bad gateway</html>"), 502, "", "HTTP 502: <html>bad gateway</html>", None),
        (Status(503, "ServiceUnavailable", "no", {"Retry-After": "1"}), 503, "ServiceUnavailable", "no", 1.0),
        (Status(401, "Unauthorized", "Unauthorized"), 401, "Unauthorized", "Unauthorized", None),
        (
            Status(403, "Forbidden", 'configmaps "a" is forbidden'),
            403,
            "Forbidden",
            'configmaps "a" is forbidden',
            None,
        ),
        (Status(301, body=b"", headers={"Location": "http://192.0.2.1/"}), 301, "", "HTTP 301", None),
        (Latency(3.0), 0, "Timeout", None, None),
        (SlowBody(size=8, pause=0.2), 0, "Timeout", None, None),
        (Truncate(30), 0, "Truncated", None, None),
        (Disconnect(), 0, "Closed", None, None),
        (Disconnect(done=True), 0, "Closed", None, None),
    ],
    ids=lambda value: repr(value)[:40] if not isinstance(value, (int, str, float, type(None))) else "",
)
async def test_each_fault_is_told_for_what_it_is(
    proxy: FaultProxy,
    cluster: KubeCluster,
    fault: Status | Latency | SlowBody | Truncate | Disconnect,
    status: int,
    reason: str,
    what: str | None,
    retry_after: float | None,
) -> None:
    proxy.add(Rule(fault, verb="apply"))
    error = await failure(cluster)
    assert (error.status, error.reason, error.retry_after) == (status, reason, retry_after)
    assert str(error).startswith(f"ConfigMap {SPACE}/a: ")
    if what is not None:
        assert error.what == what
    await put(cluster)  # and the next one goes through


async def test_a_call_is_tried_once(proxy: FaultProxy, cluster: KubeCluster) -> None:
    before = proxy.total("apply")
    proxy.add(Rule(Status(503), verb="apply", times=None))
    await failure(cluster)
    assert proxy.total("apply") == before + 1


async def test_a_server_that_is_gone_is_named(proxy: FaultProxy, cluster: KubeCluster) -> None:
    await proxy.refuse()
    await asyncio.sleep(0.1)  # else the call may go out on a connection that is just being broken: reason Closed
    error = await failure(cluster)
    assert (error.status, error.reason) == (0, "Unreachable")
    assert error.what == f"cannot connect to {proxy.url}: Connection refused"
    await proxy.listen()
    await put(cluster)


async def test_a_list_in_pages_is_whole(proxy: FaultProxy, cluster: KubeCluster) -> None:
    for name in "abcde":
        await put(cluster, name)
    before = proxy.total("list")
    found = await cluster.list(CONFIG_MAP, SPACE, label_selector="test")
    assert [json.loads(raw)["metadata"]["name"] for raw in found] == list("abcde")
    assert proxy.total("list") == before + 3


async def test_a_list_the_server_forgot_begins_anew_once(proxy: FaultProxy, cluster: KubeCluster) -> None:
    for name in "abc":
        await put(cluster, name)
    proxy.add(Rule(Status(410, "Expired", "The provided continue parameter is too old"), verb="list", skip=1))
    found = await cluster.list(CONFIG_MAP, SPACE, label_selector="test")
    assert [json.loads(raw)["metadata"]["name"] for raw in found] == list("abc")


async def test_a_dropped_watch_goes_on_where_it_was(proxy: FaultProxy, cluster: KubeCluster) -> None:
    await put(cluster, "a")
    lists = proxy.total("list")
    async with aclosing(cluster.watch(CONFIG_MAP, SPACE, label_selector="test")) as events:  # type: ignore[type-var]
        assert await take(events, (EventType.SYNCED, "")) == [("LISTED", "a"), ("SYNCED", "")]
        next_one = asyncio.ensure_future(take(events, (EventType.ADDED, "b")))
        await until(lambda: proxy.total("watch") == 1)
        assert await dropped(proxy) == 1
        await put(cluster, "b")
        assert await next_one == [("ADDED", "b")]
    assert (proxy.total("list") - lists, proxy.total("watch")) == (1, 2)


async def test_what_happens_while_a_watch_is_away_is_told_after(
    proxy: FaultProxy, cluster: KubeCluster, behind: Path
) -> None:
    clock = SystemClock()
    other = KubeCluster(load([behind], clock), clock)
    await put(cluster, "a")
    lists = proxy.total("list")
    async with aclosing(cluster.watch(CONFIG_MAP, SPACE, label_selector="test")) as events:  # type: ignore[type-var]
        await take(events, (EventType.SYNCED, ""))
        next_ones = asyncio.ensure_future(take(events, (EventType.ADDED, "c")))
        await until(lambda: proxy.total("watch") == 1)
        await proxy.refuse()
        await put(other, "b")
        await other.delete(CONFIG_MAP, SPACE, "a", propagation="Background")
        await asyncio.sleep(0.4)
        await proxy.listen()
        await put(other, "c")
        told = await next_ones
    await other.close()
    assert set(told[:-3]) == {("BROKEN", "")}
    assert told[-3:] == [("ADDED", "b"), ("DELETED", "a"), ("ADDED", "c")]
    assert proxy.total("list") - lists == 1


@pytest.mark.parametrize(
    "fault", [ErrorEvent(), Status(410, "Expired", "too old resource version")], ids=["in the stream", "as a status"]
)
async def test_a_version_too_old_lists_anew(
    proxy: FaultProxy, cluster: KubeCluster, fault: ErrorEvent | Status
) -> None:
    await put(cluster, "a")
    proxy.add(Rule(fault, verb="watch"))
    async with aclosing(cluster.watch(CONFIG_MAP, SPACE, label_selector="test")) as events:  # type: ignore[type-var]
        assert await take(events, (EventType.BROKEN, "")) == [("LISTED", "a"), ("SYNCED", ""), ("BROKEN", "")]
        assert await take(events, (EventType.SYNCED, "")) == [("LISTED", "a"), ("SYNCED", "")]


async def test_a_watch_that_streamed_before_lists_anew_without_a_word(proxy: FaultProxy, cluster: KubeCluster) -> None:
    await put(cluster, "a")
    async with aclosing(cluster.watch(CONFIG_MAP, SPACE, label_selector="test")) as events:  # type: ignore[type-var]
        await take(events, (EventType.SYNCED, ""))
        await put(cluster, "b")
        await take(events, (EventType.ADDED, "b"))
        proxy.add(Rule(ErrorEvent(), verb="watch"))
        assert await dropped(proxy) == 1
        assert await take(events, (EventType.SYNCED, "")) == [("LISTED", "a"), ("LISTED", "b"), ("SYNCED", "")]


async def test_a_watch_that_always_fails_backs_off(proxy: FaultProxy, cluster: KubeCluster) -> None:
    proxy.add(Rule(Status(500, "InternalError", "no"), verb="watch", times=None))
    begun = time.monotonic()
    broken: list[WatchEvent] = []
    async with aclosing(cluster.watch(CONFIG_MAP, SPACE)) as events:  # type: ignore[type-var]
        async for event in events:
            broken += [event] if event.type is EventType.BROKEN else []
            if len(broken) == 6:
                break
    assert time.monotonic() - begun >= 0.4  # 0.05 + 0.1 + 0.2 + 0.2, a quarter off at most
    assert {event.error for event in broken} == {f"ConfigMap in {SPACE}: no"}


async def test_a_server_that_asks_for_time_gets_it(proxy: FaultProxy, cluster: KubeCluster) -> None:
    proxy.add(Rule(Status(429, "TooManyRequests", "later", {"Retry-After": "1"}), verb="list"))
    begun = time.monotonic()
    async with aclosing(cluster.watch(CONFIG_MAP, SPACE, label_selector="test")) as events:  # type: ignore[type-var]
        assert await take(events, (EventType.SYNCED, "")) == [("BROKEN", ""), ("SYNCED", "")]
    assert time.monotonic() - begun >= 1.0


async def test_a_watch_without_a_sign_of_life_is_begun_anew(proxy: FaultProxy, cluster: KubeCluster) -> None:
    async with aclosing(cluster.watch(CONFIG_MAP, SPACE, label_selector="test")) as events:  # type: ignore[type-var]
        await take(events, (EventType.SYNCED, ""))
        next_one = asyncio.ensure_future(take(events, (EventType.ADDED, "a")))
        await until(lambda: proxy.total("watch") >= 2)
        await put(cluster, "a")
        assert (await next_one)[-1] == ("ADDED", "a")


@pytest.mark.parametrize("fault", [Truncate(40), Status(410, "Expired", "too old")], ids=["truncated", "expired"])
async def test_a_list_that_breaks_off_is_told_before_the_next(
    proxy: FaultProxy, cluster: KubeCluster, fault: Truncate | Status
) -> None:
    await put(cluster, "a")
    async with aclosing(cluster.watch(CONFIG_MAP, SPACE, label_selector="test")) as events:  # type: ignore[type-var]
        await take(events, (EventType.SYNCED, ""))
        for name in "bc":
            await put(cluster, name)
        await take(events, (EventType.ADDED, "c"))
        proxy.add(Rule(ErrorEvent(), verb="watch"), Rule(fault, verb="list", skip=1))
        await dropped(proxy)
        assert await take(events, (EventType.SYNCED, "")) == [
            *[("LISTED", "a"), ("LISTED", "b"), ("BROKEN", "")],
            *[("LISTED", "a"), ("LISTED", "b"), ("LISTED", "c"), ("SYNCED", "")],
        ]


async def test_the_proxy_serves_tls_to_those_who_want_it(behind: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.serving("proxy", ["127.0.0.1"], [])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    clock = SystemClock()
    access = load([behind], clock)
    async with FaultProxy(access, serving=context, ca=authority.pair.certificate.read_bytes()) as proxy:
        cluster = KubeCluster(load([proxy.write_kubeconfig(tmp_path / "config")], clock), clock, limits=HASTY)
        proxy.add(Rule(Truncate(10), path="version"))
        with pytest.raises(ClusterError) as caught:
            await cluster.version()
        assert caught.value.reason == "Truncated"
        assert (await cluster.version()).startswith("v1.")
        await cluster.close()
    assert proxy.url.startswith("https://")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def dropped(proxy: FaultProxy) -> int:
    """Breaks the open watches, once there is one."""
    async with asyncio.timeout(10):
        while not (count := proxy.drop_streams()):
            await asyncio.sleep(0.01)
    return count
