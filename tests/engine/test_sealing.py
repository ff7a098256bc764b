"""The sealing controller against a cluster in memory: opens, puts back, keeps the last good Secret, follows keys, and leads alone."""

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from core.secrets.keys_at_hand import private, sealing_key
from kilde import crds
from kilde.adapters.clock import SystemClock
from kilde.adapters.keys.cluster_secrets import ClusterSecretKeys
from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.objects.ref import ObjectRef
from kilde.core.secrets import keys, templates
from kilde.core.secrets.sealing import Sealer, prepared
from kilde.engine.derived.secret_writer import SECRETS
from kilde.engine.sealing.controller import SealingController
from kilde.engine.sealing.endpoint import Endpoint
from kilde.engine.sealing.opener import SEALED_SECRETS
from kilde.engine.sealing.settings import SealingSettings
from kilde.ports.cluster import Resource
from kilde.testing.cluster import FakeCluster

pytestmark = pytest.mark.anyio
DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
EVENTS = Resource("", "v1", "Event", "events", True)
PATIENCE = 30.0


class Play:
    """One cluster, its controllers, and what a test does to them."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster
        self.told: list[tuple[str, list[str], list[str]]] = []
        self.made = 0

    def controller(self, identity: str = "one", **settings: Any) -> SealingController:
        def make(bits: int) -> Any:
            assert bits == 4096
            self.made += 1
            return private(7)

        chosen = {"renew_period": 0.0, "lease": 0.6, **settings}
        return SealingController(
            self.cluster,
            SystemClock(),
            ClusterSecretKeys(self.cluster, "kube-system", labels={"more": "1"}),
            SealingSettings(identity=identity, **chosen),
            make_key=make,
            dice=os.urandom,
            render=templates.render,
            tell=lambda ref, fields, writers: self.told.append((str(ref), fields, writers)),
        )

    async def add_key(self, number: int, *, days: int = 0, **data: str) -> str:
        key = sealing_key(number, days=days)
        held = {"tls.key": keys.write_private_key(key.private), "tls.crt": key.pem}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": f"key{number}",
                "namespace": "kube-system",
                "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
            },
            "type": "kubernetes.io/tls",
            "data": {name: base64.b64encode(value).decode() for name, value in held.items()} | data,
        }
        await self.cluster.create(SECRETS, body, manager="admin")
        return f"key{number}"

    async def seal(self, number: int = 0, *, name: str = "db", replace: bool = False, **values: str) -> None:
        body = {"kind": "Secret", "metadata": {"name": name, "namespace": "default"}, "stringData": values}
        ready = prepared(body, about="x", namespace=str)
        made = Sealer(private(number).public_key(), os.urandom).sealed(ready, about="x")
        await (self.cluster.replace if replace else self.cluster.create)(SEALED_SECRETS, made, manager="admin")

    async def values(self, name: str = "db") -> dict[str, str] | None:
        raw = await self.cluster.get(SECRETS, "default", name)
        if raw is None:
            return None
        return {key: base64.b64decode(value).decode() for key, value in (json.loads(raw).get("data") or {}).items()}

    async def message(self, name: str = "db") -> str | None:
        """The condition's message; "" if it opened, None before anybody looked."""
        raw = await self.cluster.get(SEALED_SECRETS, "default", name)
        conditions = (json.loads(raw or b"{}").get("status") or {}).get("conditions") or [{}]
        return conditions[0].get("message", "") if conditions[0] else None

    async def until(self, holds: Callable[[], Any], wanted: Any) -> None:
        seen = None
        try:
            async with asyncio.timeout(PATIENCE):
                while (seen := await holds()) != wanted:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"wanted {wanted!r}, and it is {seen!r}") from None

    async def reasons(self) -> list[str]:
        return sorted(json.loads(raw)["reason"] for raw in await self.cluster.list(EVENTS, "default"))


@pytest.fixture
async def play() -> Play:
    cluster = FakeCluster(SystemClock())
    for definition in crds.definitions():
        await cluster.apply(DEFINITIONS, definition, manager="admin")
    return Play(cluster)


@contextlib.asynccontextmanager
async def running(*controllers: SealingController) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in controllers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_sealed_secret_becomes_a_secret_and_says_so(play: Play) -> None:
    await play.add_key(0)
    await play.seal(k="v")
    async with running(play.controller()):
        await play.until(play.values, {"k": "v"})
        await play.until(play.message, "")
        await play.until(play.reasons, ["Unsealed"])


async def test_an_edit_is_put_back_and_told_without_a_value(play: Play) -> None:
    await play.add_key(0)
    await play.seal(k="v")
    async with running(play.controller()):
        await play.until(play.message, "")
        await play.cluster.patch(SECRETS, "default", "db", {"data": {"k": "eA==", "more": "eA=="}}, manager="mallory")
        await play.until(play.values, {"k": "v"})
        await play.until(play.reasons, ["Restored", "Unsealed"])
        (ref, fields, writers), *rest = play.told
        assert (ref, fields, rest) == ("Secret default/db", ["data.k", "data.more"], [])
        assert writers[0].startswith("mallory")


async def test_a_deleted_secret_comes_back(play: Play) -> None:
    await play.add_key(0)
    await play.seal(k="v")
    async with running(play.controller()):
        await play.until(play.message, "")
        await play.cluster.delete(SECRETS, "default", "db", propagation="Background")
        await play.until(play.values, {"k": "v"})


async def test_what_does_not_open_keeps_the_last_good_secret(play: Play) -> None:
    await play.add_key(0)
    await play.seal(k="v")
    async with running(play.controller()):
        await play.until(play.message, "")
        await play.seal(1, k="w", replace=True)
        await play.until(play.message, "no key could decrypt secret (k)")
        assert await play.values() == {"k": "v"}
        await play.until(play.reasons, ["ErrUnsealFailed", "Unsealed"])


async def test_a_key_that_comes_later_opens_what_was_shut(play: Play) -> None:
    await play.add_key(0)
    await play.seal(1, k="v")
    controller = play.controller()
    async with running(controller):
        await play.until(play.message, "no key could decrypt secret (k)")
        await play.add_key(1, days=-10)
        await play.until(play.values, {"k": "v"})
        assert [key.name for key in controller.keyring.keys] == ["key0", "key1"]
        relabel = {"metadata": {"labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "compromised"}}}
        await play.cluster.patch(SECRETS, "kube-system", "key1", relabel, manager="admin")

        async def names() -> list[str]:
            return [key.name for key in controller.keyring.keys]

        await play.until(names, ["key0"])


async def test_a_key_that_cannot_be_read_is_passed_over(play: Play) -> None:
    await play.add_key(0)
    await play.add_key(1, **{"tls.key": "bm90IGEga2V5"})
    await play.seal(k="v")
    async with running(play.controller()):
        await play.until(play.values, {"k": "v"})


async def test_a_first_key_is_made_and_served(play: Play) -> None:
    controller = play.controller()
    async with running(controller):
        pem = await Endpoint(controller).certificate()
        assert pem is not None
        assert pem.startswith(b"-----BEGIN CERTIFICATE-----\n")
        (raw,) = await play.cluster.list(SECRETS, "kube-system")
        body = json.loads(raw)
        assert body["metadata"]["labels"] == {"sealedsecrets.bitnami.com/sealed-secrets-key": "active", "more": "1"}
        assert body["metadata"]["name"].startswith("sealed-secrets-key")
        assert (body["type"], play.made) == ("kubernetes.io/tls", 1)


async def test_an_old_key_gets_a_successor_and_still_opens(play: Play) -> None:
    await play.add_key(0)
    await play.seal(k="v")
    controller = play.controller(renew_period=3600.0)
    async with running(controller):
        await play.until(play.values, {"k": "v"})

        async def count() -> int:
            return len(controller.keyring.keys)

        await play.until(count, 2)
        assert controller.keyring.newest is not None
        assert controller.keyring.newest.name != "key0"
        assert play.made == 1


async def test_a_secret_of_somebody_else_is_left_until_it_is_given_over(play: Play) -> None:
    await play.add_key(0)
    foreign = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "default"},
        "data": {"m": "MQ=="},
    }
    await play.cluster.create(SECRETS, foreign, manager="admin")
    await play.seal(k="v")
    async with running(play.controller()):
        refused = 'failed update: Resource "db" already exists and is not managed by SealedSecret'
        await play.until(play.message, refused)
        assert await play.values() == {"m": "1"}
        give = {"metadata": {"annotations": {"sealedsecrets.bitnami.com/managed": "true"}}}
        await play.cluster.patch(SECRETS, "default", "db", give, manager="admin")
        await play.until(play.values, {"k": "v"})
        await play.until(play.message, "")


async def test_a_server_that_fails_is_tried_again_and_one_that_refuses_is_quoted(play: Play) -> None:
    await play.add_key(0)
    answers: list[ClusterError] = [ClusterError("away", status=503), ClusterError("conflict", status=409)]

    def refuse(verb: str, ref: ObjectRef) -> ClusterError | None:
        is_it = verb == "create" and ref.kind == "Secret" and ref.namespace == "default"
        return answers.pop(0) if is_it and answers else None

    play.cluster.refuse = refuse
    await play.seal(k="v")
    async with running(play.controller()):
        await play.until(play.values, {"k": "v"})
        answers.append(ClusterError('Secret "no" is invalid: it holds c4nary', status=422, reason="Invalid"))
        await play.seal(name="no", k="c4nary")

        async def message() -> str | None:
            return await play.message("no")

        await play.until(message, 'Secret "no" is invalid: it holds ********')


async def test_random_templates_are_rendered_once(play: Play) -> None:
    await play.add_key(0)
    body = {"kind": "Secret", "metadata": {"name": "db", "namespace": "default"}, "stringData": {"k": "v"}}
    made = Sealer(private().public_key(), os.urandom).sealed(prepared(body, about="x", namespace=str), about="x")
    made["spec"]["template"]["data"] = {"r": "{{ randAlphaNum 20 }}"}
    await play.cluster.create(SEALED_SECRETS, made, manager="admin")
    async with running(play.controller()):
        await play.until(play.message, "")
        first = await play.values()
        await play.cluster.patch(SECRETS, "default", "db", {"metadata": {"finalizers": ["a/b"]}}, manager="x")
        await asyncio.sleep(0.3)
        assert await play.values() == first


async def test_one_controller_leads_and_the_next_follows_at_once(play: Play) -> None:
    await play.add_key(0)
    first, second = play.controller("first", lease=30.0), play.controller("second", lease=30.0)
    async with running(second):
        async with running(first):
            await play.until(lambda: asyncio.sleep(0, first.election.leads or second.election.leads), True)
            await asyncio.sleep(0.2)
            assert first.election.leads != second.election.leads
            if second.election.leads:
                return  # it came first; then the other one waits for good
        await play.until(lambda: asyncio.sleep(0, second.election.leads), True)
        await play.seal(k="v")
        await play.until(play.values, {"k": "v"})


async def test_nothing_is_done_beside_the_real_controller(play: Play) -> None:
    await play.add_key(0)
    await play.seal(k="v")
    containers = [{"name": "c", "image": "registry.example/sealed-secrets-controller:0.27.1"}]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "real", "namespace": "kube-system"},
        "spec": {"containers": containers},
    }
    pods = Resource("", "v1", "Pod", "pods", True)
    await play.cluster.create(pods, pod, manager="admin")
    async with running(play.controller()):
        await asyncio.sleep(0.5)
        assert await play.values() is None
        assert await play.message() is None


async def test_the_endpoint_verifies_and_seals_anew(play: Play) -> None:
    await play.add_key(0)
    await play.add_key(1, days=5)
    controller = play.controller()
    endpoint = Endpoint(controller)
    async with running(controller):
        await endpoint.certificate()
        await play.seal(k="v")
        raw = await play.cluster.get(SEALED_SECRETS, "default", "db")
        assert raw is not None
        assert await endpoint.opens(raw)
        body = json.loads(raw)
        again = json.loads(await endpoint.rotated(raw))
        assert again["spec"]["encryptedData"] != body["spec"]["encryptedData"]
        assert await endpoint.opens(
            json.dumps({"kind": body["kind"], "apiVersion": body["apiVersion"], **again}).encode()
        )
        assert not await endpoint.opens(
            json.dumps({**body, "metadata": {"name": "x", "namespace": "default"}}).encode()
        )
        for wrong in (
            b"",
            b"garbage",
            b'{"apiVersion": "v1", "kind": "Secret", "metadata": {}}',
            raw + b"\n---\n" + raw,
        ):
            with pytest.raises(InvalidInput):
                await endpoint.opens(wrong)


async def test_the_work_grows_with_the_objects_and_a_restart_only_reads(play: Play) -> None:
    await play.add_key(0)
    costs: list[dict[str, int]] = []
    for count in (40, 120):
        for number in range(count):
            await play.seal(name=f"s{count}-{number}", k="v")
        before = dict(play.cluster.counts())
        controller = play.controller(identity=str(count))
        async with running(controller):
            await play.until(lambda count=count: _made(play, f"s{count}-", count), True)  # type: ignore[misc]
        after = play.cluster.counts()
        costs.append({verb: after.get(verb, 0) - before.get(verb, 0) for verb in ("create", "patch", "update")})
    # a Secret and an event are made, a status is written: of each object once, however many there are; and the first lease
    assert [cost["create"] for cost in costs] == [2 * 40 + 1, 2 * 120]
    assert [cost["patch"] for cost in costs] == [40, 120]
    before = dict(play.cluster.counts())
    controller = play.controller(identity="again")
    async with running(controller):
        await play.until(lambda: asyncio.sleep(0, len(controller.opener.memories)), 160)
        await play.until(
            lambda: asyncio.sleep(0, all(each.version for each in controller.opener.memories.values())), True
        )
    after = play.cluster.counts()
    assert {verb: after.get(verb, 0) - before.get(verb, 0) for verb in ("create", "patch")} == {"create": 0, "patch": 0}


async def _made(play: Play, prefix: str, count: int) -> bool:
    """Whether so many have their Secret, their status and their event."""
    raw = [json.loads(each) for each in await play.cluster.list(SEALED_SECRETS, "default")]
    opened = [each for each in raw if each["metadata"]["name"].startswith(prefix) and each.get("status")]
    said = [json.loads(each)["involvedObject"]["name"] for each in await play.cluster.list(EVENTS, "default")]
    return len(opened) == count == len([name for name in said if name.startswith(prefix)])
