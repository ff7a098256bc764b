"""VaultSecrets, a cluster in memory and a Vault: resolved, refreshed, put back; the last good Secret stays; nobody reads another's."""

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.vaults import KINDS, QUICK, Vault, vault_of
from kilde import crds
from kilde.adapters.clock import SystemClock
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.core.secrets import templates
from kilde.core.secrets.vault.settings import Login
from kilde.engine.derived.secret_writer import SECRETS
from kilde.engine.records.accounts import Accounts
from kilde.engine.vault.controller import VaultSecretController
from kilde.engine.vault.resolver import VAULT_SECRETS, Resolver
from kilde.engine.vault.settings import VaultSecretSettings
from kilde.ports.cluster import Resource
from kilde.ports.vault import Place
from kilde.testing.cluster import FakeCluster
from kilde.testing.records import MemoryRecords

pytestmark = pytest.mark.anyio
DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
EVENTS = Resource("", "v1", "Event", "events", True)
PATIENCE = 30.0
ONE, TWO, BY_HAND = "c4nary-one-5ecret", "c4nary-two-5ecret", "c4nary-hand-5ecret"


class Play:
    """One cluster, one Vault, the controller between them."""

    def __init__(self, cluster: FakeCluster, vault: Vault) -> None:
        self.cluster, self.vault = cluster, vault
        self.records = MemoryRecords()

    @contextlib.asynccontextmanager
    async def running(self, login: Login | None = None, **settings: Any) -> AsyncIterator[VaultSecretController]:
        client = self.vault.client(login)
        accounts = Accounts(self.records, SystemClock())
        clock = SystemClock()
        chosen = VaultSecretSettings(identity="one", lease=0.6, least=0.05, retries=QUICK, **settings)
        resolver = Resolver(
            self.cluster,
            clock,
            client,
            chosen,
            render=templates.render,
            salt=os.urandom(32),
            tell=lambda *told: accounts.secret_restored(*told, kind="VaultSecret"),
            tell_versions=accounts.secret_resolved,
        )
        made = VaultSecretController(self.cluster, clock, resolver, chosen)
        task = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await client.close()

    async def make(
        self, *, name: str = "db", space: str = "shop", every: str = "100ms", replace: bool = False, **spec: Any
    ) -> None:
        body = {
            "apiVersion": "kilde.dev/v1alpha1",
            "kind": "VaultSecret",
            "metadata": {"name": name, "namespace": space},
            "spec": {"refreshInterval": every, **spec},
        }
        await (self.cluster.replace if replace else self.cluster.create)(VAULT_SECRETS, body, manager="admin")

    def secret(self, name: str = "db", space: str = "shop") -> dict[str, Any] | None:
        return self.cluster.objects().get(ObjectRef("", "Secret", space, name))

    def values(self, name: str = "db") -> dict[str, str] | None:
        body = self.secret(name)
        if body is None:
            return None
        return {key: base64.b64decode(value).decode() for key, value in (body.get("data") or {}).items()}

    def status(self, name: str = "db", space: str = "shop") -> dict[str, Any]:
        body = self.cluster.objects().get(ObjectRef("kilde.dev", "VaultSecret", space, name)) or {}
        return body.get("status") or {}

    def reason(self, name: str = "db") -> str:
        return "".join(each["reason"] for each in self.status(name).get("conditions") or ())

    def message(self, name: str = "db") -> str:
        return "".join(each["message"] for each in self.status(name).get("conditions") or ())

    def versions(self) -> dict[str, int]:
        return {each["path"]: each["version"] for each in self.status().get("versions") or ()}

    def told(self) -> list[tuple[str, Any]]:
        return [
            (record.body["results"][0]["outcome"], record.body.get("versions") or record.body.get("fields"))
            for record in self.records.records
            if record.kind == "operation-closed"
        ]

    async def until(self, holds: Callable[[], Any], wanted: Any) -> None:
        seen = None
        try:
            async with asyncio.timeout(PATIENCE):
                while (seen := holds()) != wanted:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"wanted {wanted!r}, and it is {seen!r}; {self.status()}") from None

    def everything_but_secrets(self) -> str:
        """What others than the Secrets hold: none of it may have a value."""
        objects = {str(ref): body for ref, body in self.cluster.objects().items() if ref.kind != "Secret"}
        return json.dumps(objects) + json.dumps([[each.kind, each.body] for each in self.records.records])


async def new_play(vault: Vault) -> Play:
    cluster = FakeCluster(SystemClock())
    for definition in crds.definitions():
        await cluster.apply(DEFINITIONS, definition, manager="admin")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    await cluster.create(NAMESPACES, space, manager="admin")
    return Play(cluster, vault)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Vault]:
    with vault_of("contract", tmp_path) as found:
        yield found


@pytest.fixture
async def play(server: Vault) -> Play:
    return await new_play(server)


DATA = {"password": "vault:secret/shop/db#password"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_life_with_a_rotation_in_vault(kind: str, tmp_path: Path) -> None:
    with vault_of(kind, tmp_path) as vault:
        play = await new_play(vault)
        vault.policy_of("reader", {"secret/data/*": ["read"]})
        vault.put("shop/db", password=ONE, user="app", port=5432)
        template = {
            "type": "example.org/dsn",
            "metadata": {"labels": {"app": "shop"}},
            "data": {"dsn": "postgres://{{ .user }}:{{ .password }}@db:{{ .port }}"},
        }
        data = {key: f"vault:secret/shop/db#{key}" for key in ("user", "password", "port")}
        async with play.running(Login(token=vault.token("reader"))):
            await play.make(data=data, template=template)
            wanted = {"user": "app", "password": ONE, "port": "5432", "dsn": f"postgres://app:{ONE}@db:5432"}
            await play.until(play.values, wanted)
            secret = play.secret()
            assert secret is not None
            assert (secret["type"], secret["metadata"]["labels"]) == ("example.org/dsn", {"app": "shop"})
            assert secret["metadata"]["ownerReferences"][0]["kind"] == "VaultSecret"
            await play.until(play.reason, "Resolved")
            assert play.versions() == {"secret/shop/db": 1}
            vault.put("shop/db", password=TWO, user="app", port=5432)
            await play.until(lambda: (play.values() or {}).get("dsn"), f"postgres://app:{TWO}@db:5432")
            await play.until(play.versions, {"secret/shop/db": 2})
            await play.until(play.told, [("Synced", ["secret/shop/db@1"]), ("Synced", ["secret/shop/db@2"])])
            assert not any(each in play.everything_but_secrets() for each in ("c4nary", "hvs."))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_that_ends_between_two_reads_of_one_object_leaves_nothing_half(kind: str, tmp_path: Path) -> None:
    """Each object reads two entries; the token is revoked while thirty of them are being resolved, and a new one comes later."""
    with vault_of(kind, tmp_path) as vault:
        play = await new_play(vault)
        vault.policy_of("reader", {"secret/data/*": ["read"]})
        for name in ("db", "web"):
            vault.put(f"shop/{name}", password=ONE)
        file = tmp_path / "token"
        file.write_text(vault.token("reader"))
        names = [f"n{number:03}" for number in range(30)]
        data = {key: f"vault:secret/shop/{key}#password" for key in ("db", "web")}
        async with play.running(Login(token_file=str(file))):
            for name in names:
                await play.make(name=name, data=data)
            await play.until(lambda: any(play.secret(name) for name in names), True)
            await asyncio.to_thread(vault.revoke, file.read_text())
            for name in ("db", "web"):
                await asyncio.to_thread(vault.put, f"shop/{name}", password=TWO)
            await play.until(lambda: {play.reason(name) for name in names}, {"TokenExpired"})
            whole = ({"db": ONE, "web": ONE}, {"db": TWO, "web": TWO}, None)
            assert all(play.values(name) in whole for name in names)
            file.write_text(vault.token("reader"))
            await play.until(lambda: {play.reason(name) for name in names}, {"Resolved"})
            assert all(play.values(name) == {"db": TWO, "web": TWO} for name in names)
        assert not any(each in play.everything_but_secrets() for each in ("c4nary", "hvs."))


async def test_a_pinned_version_stays_and_another_object_may_have_the_newest(play: Play) -> None:
    for value in (ONE, TWO):
        play.vault.put("shop/db", password=value)
    async with play.running():
        await play.make(data={"old": "vault:secret/shop/db#password@1", "new": "vault:secret/shop/db#password"})
        await play.until(play.values, {"old": ONE, "new": TWO})
        await play.until(play.versions, {"secret/shop/db": 2, "secret/shop/db@1": 1})
        play.vault.put("shop/db", password="3")
        await play.until(play.values, {"old": ONE, "new": "3"})


async def test_an_edit_is_put_back_and_a_deleted_secret_made_again(play: Play) -> None:
    play.vault.put("shop/db", password=ONE)
    async with play.running():
        await play.make(data=DATA, every="1h")
        await play.until(play.reason, "Resolved")
        edit = {"data": {"password": base64.b64encode(BY_HAND.encode()).decode()}}
        await play.cluster.patch(SECRETS, "shop", "db", edit, manager="mallory")
        await play.until(play.values, {"password": ONE})
        await play.until(lambda: play.told()[1:], [("Synced", ["data.password"])])
        await play.cluster.delete(SECRETS, "shop", "db", propagation="Background")
        await play.until(play.values, {"password": ONE})
        assert "c4nary" not in play.everything_but_secrets()


async def test_the_interval_goes_on_after_an_edit(play: Play) -> None:
    play.vault.put("shop/db", password=ONE)
    async with play.running():
        await play.make(data=DATA, every="500ms")
        await play.until(play.reason, "Resolved")
        labels = {"metadata": {"annotations": {"a": "b"}}}
        await play.cluster.patch(SECRETS, "shop", "db", labels, manager="mallory")
        play.vault.put("shop/db", password=TWO)
        await play.until(play.values, {"password": TWO})
        play.vault.put("shop/db", password=ONE)
        await play.until(play.values, {"password": ONE})


async def test_the_last_good_secret_stays_while_vault_is_sealed_gone_or_denies(play: Play) -> None:
    server = play.vault.server
    assert server is not None
    play.vault.put("shop/db", password=ONE)
    play.vault.policy_of("reader", {"secret/data/*": ["read"]})
    token = play.vault.token("reader")
    async with play.running(Login(token=token)):
        await play.make(data=DATA)
        await play.until(play.reason, "Resolved")
        play.vault.seal()
        await play.until(play.reason, "VaultSealed")
        assert play.message() == "Vault: is sealed; the Secret keeps secret/shop/db@1"
        play.vault.unseal()
        await play.until(play.reason, "Resolved")
        play.vault.policy_of("reader", {"secret/data/*": ["deny"]})
        await play.until(play.reason, "PermissionDenied")
        assert play.message() == "Vault: secret/data/shop/db: permission denied; the Secret keeps secret/shop/db@1"
        play.vault.policy_of("reader", {"secret/data/*": ["read"]})
        await play.until(play.reason, "Resolved")
        play.vault.admin("DELETE", "secret/data/shop/db")
        await play.until(play.reason, "NotFound")
        assert play.message() == "Vault: secret/shop/db: version 1 was deleted; the Secret keeps secret/shop/db@1"
        play.vault.put("shop/db", other=TWO)
        await play.until(play.reason, "InvalidReference")
        assert play.message() == "secret/shop/db: has no key 'password'; the Secret keeps secret/shop/db@1"
        play.vault.put("shop/db", password=ONE)
        await play.until(play.versions, {"secret/shop/db": 3})
        play.vault.revoke(token)
        await play.until(play.reason, "TokenExpired")
        server.close()
        await play.until(play.reason, "VaultUnreachable")
        assert (play.values(), play.versions()) == ({"password": ONE}, {"secret/shop/db": 3})
        events = {json.loads(raw)["reason"] for raw in await play.cluster.list(EVENTS, "shop")}
        assert events >= {"Resolved", "VaultSealed", "PermissionDenied", "NotFound", "TokenExpired", "VaultUnreachable"}
        assert not any(each in play.everything_but_secrets() for each in ("c4nary", "hvs."))


async def test_a_namespace_reads_only_what_is_its_own_and_vault_is_not_even_asked(play: Play) -> None:
    server = play.vault.server
    assert server is not None
    play.vault.put("bank/db", password=ONE)
    play.vault.put("shop/keys/one", password=TWO)
    references = {
        "other": "vault:secret/bank/db#password",
        "prefix": "vault:secret/shop-evil/db#password",
        "itself": "vault:secret/shop#password",
        "mount": "vault:sys/shop/db#password",
        "keys": "vault:secret/shop/keys/one#password",
    }
    async with play.running(reserved=(Place("secret", "shop/keys"),)):
        asked = len(server.asked)
        for name, text in references.items():
            await play.make(name=name, data={"k": text})
        for name in references:
            await play.until(lambda name=name: play.reason(name), "NotAllowed")
        assert [play.secret(name) for name in references] == [None] * len(references)
        assert len(server.asked) == asked
        assert play.message("other") == "secret/bank/db: is not for namespace shop"


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        ({"data": {"k": "vault:secret/shop/../bank/db#p"}}, "InvalidReference", "spec.data.k: is not a path in Vault"),
        ({"data": {"k": "secret/shop/db#p"}}, "InvalidReference", "spec.data.k: is not a reference"),
        (
            {"data": DATA, "refreshInterval": "10"},
            "InvalidReference",
            "spec.refreshInterval: '10' is not a duration (write 90s, 5m or 1h)",
        ),
        (
            {"data": DATA, "refreshInterval": "1ms"},
            "InvalidReference",
            "spec.refreshInterval: must be at least 0.05s, or 0 for never",
        ),
        ({"data": DATA, "template": {"data": {"x": "{{ fail .password }}"}}}, "TemplateFailed", None),
    ],
)
async def test_what_is_wrong_is_told_and_mended(
    play: Play, spec: dict[str, Any], reason: str, message: str | None
) -> None:
    play.vault.put("shop/db", password=ONE)
    # as it would come from a cluster whose CRD is older and looser than ours
    async with play.running():
        await play.make(
            **{"every": "1h", **spec}
            if "refreshInterval" not in spec
            else {"every": spec["refreshInterval"], "data": spec["data"]}
        )
        await play.until(play.reason, reason)
        if message is not None:
            assert play.message() == message
        assert (play.secret(), "c4nary" in play.everything_but_secrets()) == (None, False)
        await play.make(data=DATA, replace=True)
        await play.until(play.values, {"password": ONE})
        await play.until(play.reason, "Resolved")


async def test_a_secret_of_somebody_else_is_left(play: Play) -> None:
    play.vault.put("shop/db", password=ONE)
    foreign = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop"},
        "data": {"m": "MQ=="},
    }
    await play.cluster.create(SECRETS, foreign, manager="admin")
    async with play.running():
        await play.make(data=DATA)
        await play.until(play.reason, "SecretNotOurs")
        assert (play.message(), play.values()) == (
            'Resource "db" already exists and is not managed by VaultSecret',
            {"m": "1"},
        )
        await play.cluster.delete(SECRETS, "shop", "db", propagation="Background")
        await play.until(play.values, {"password": ONE})


async def test_a_refusal_of_the_cluster_is_told_without_the_value(play: Play) -> None:
    play.vault.put("shop/db", password=ONE)
    refusals = [ClusterError(f'Secret "db" is invalid: it holds {ONE}', status=422, reason="Invalid")] * 3

    def refuse(verb: str, ref: ObjectRef) -> ClusterError | None:
        return refusals.pop() if verb == "create" and ref.kind == "Secret" and ref.name == "db" and refusals else None

    play.cluster.refuse = refuse
    async with play.running():
        await play.make(data=DATA)
        await play.until(play.reason, "SecretNotWritten")
        assert play.message() == 'Secret "db" is invalid: it holds ********'


async def test_a_restart_of_the_controller_writes_and_records_nothing_anew(play: Play) -> None:
    play.vault.put("shop/db", password=ONE)
    async with play.running():
        await play.make(data=DATA, every="1h")
        await play.until(play.reason, "Resolved")
        await play.until(lambda: len(play.told()), 1)
    before = play.cluster.counts()
    async with play.running() as again:
        await play.until(
            lambda: ("shop", "db") in again.resolver.memories and bool(again.resolver.memories["shop", "db"].version),
            True,
        )
    after = play.cluster.counts()
    writes = ("create", "update", "patch", "apply")
    lease = 2  # taken and released
    assert sum(after.get(verb, 0) - before.get(verb, 0) for verb in writes) <= lease + 1
    assert len(play.told()) == 1


async def test_many_objects_are_resolved_and_idle_ones_write_nothing(play: Play) -> None:
    for number in range(60):
        play.vault.put(f"shop/e{number}", password=f"{ONE}-{number}")
    async with play.running():
        for number in range(60):
            await play.make(name=f"s{number}", every="1h", data={"password": f"vault:secret/shop/e{number}#password"})
        await play.until(
            lambda: [play.values(f"s{n}") for n in range(60)], [{"password": f"{ONE}-{n}"} for n in range(60)]
        )
        await play.until(lambda: {play.reason(f"s{n}") for n in range(60)}, {"Resolved"})
