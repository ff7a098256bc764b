"""SOPS files wrapped by Vault transit, as the real sops writes them: opened by the project's key, never by the Vault a file names."""

import asyncio
import base64
import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from build_real import where
from pyrage import x25519

from contracts.vaults import KINDS, Vault, vault_of
from kilde.adapters.clock import SystemClock
from kilde.adapters.keys.age import unwrapper
from kilde.core.apps.application import Application, read_application
from kilde.core.basics.errors import KildeError
from kilde.core.secrets.sops import Opened, decrypted
from kilde.core.secrets.sops_tree import Decrypter
from kilde.core.secrets.vault.rules import default_keys
from kilde.core.secrets.vault.settings import Login
from kilde.engine.sources.sops import SopsKeys, decrypter
from kilde.ports.cluster import Resource
from kilde.testing.cluster import FakeCluster
from real.sealed_secrets import required

pytestmark = pytest.mark.anyio
IDENTITY = x25519.Identity.generate()
CANARY = "c4nary-value-50ps"
SECRET = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{password: {CANARY}, list: [1, true]}}\n"
SECRETS = Resource("", "v1", "Secret", "secrets", True)
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)


@pytest.fixture(params=KINDS)
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    required("sops")
    folder = tmp_path / "vault"
    folder.mkdir()
    with vault_of(request.param, folder) as found:
        for name in ("shop", "bank"):
            found.admin("POST", f"transit/keys/{name}", {})
        yield found


def sops(vault: Vault, folder: Path, name: str, text: str, *flags: str, key: str = "shop") -> bytes:
    """What sops makes of a file, wrapped by that transit key."""
    (folder / name).write_text(text)
    env = {
        "HOME": "/nonexistent",
        "PATH": os.environ["PATH"],
        "VAULT_TOKEN": vault.root,
        "VAULT_CACERT": str(vault.authority),
    }
    command = [str(where("sops")), "--encrypt", "--hc-vault-transit", f"{vault.address}/v1/transit/keys/{key}", *flags]
    return subprocess.run([*command, str(folder / name)], capture_output=True, env=env, check=True, timeout=60).stdout


def application(sops_: str = "vault", project: str = "shop") -> Application:
    metadata = {"name": "a", "namespace": "argocd", "annotations": {"kilde.dev/sops": sops_}}
    spec = {
        "project": project,
        "source": {"repoURL": "https://git.example/a", "path": "."},
        "destination": {"namespace": "x"},
    }
    return read_application({"metadata": metadata, "spec": spec})


class Reader:
    """An application's decrypter, and a Vault token that may decrypt with every key: the rules alone keep projects apart."""

    def __init__(self, vault: Vault, cluster: FakeCluster) -> None:
        vault.policy_of("sops", {"transit/decrypt/*": ["update"]})
        self.client, self.cluster = vault.client(Login(token=vault.token("sops"))), cluster

    async def decrypter(self, app: Application) -> Decrypter:
        found = await decrypter(self.cluster, app, SopsKeys(unwrapper, self.client, default_keys()))
        assert found is not None
        return found

    async def open(self, name: str, data: bytes, app: Application | None = None) -> Opened:
        """As a render does: in a thread."""
        unwrap = (await self.decrypter(app or application())).unwrap
        found = await asyncio.to_thread(decrypted, name, data, unwrap)
        assert found is not None
        return found

    async def refused(self, name: str, data: bytes, app: Application | None = None) -> str:
        with pytest.raises(KildeError) as caught:
            await self.open(name, data, app)
        assert not any(word in f"{caught.value!r}{caught.value}" for word in (CANARY, "hvs."))
        return str(caught.value)


@pytest.fixture
async def reader(vault: Vault) -> AsyncIterator[Reader]:
    cluster = FakeCluster(SystemClock())
    await cluster.create(
        NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}, manager="x"
    )
    found = Reader(vault, cluster)
    yield found
    await found.client.close()


async def test_every_form_of_file_opens(vault: Vault, reader: Reader, tmp_path: Path) -> None:
    only = ("--encrypted-regex", "^stringData$")
    opened = await reader.open("s.yaml", sops(vault, tmp_path, "s.yaml", SECRET, *only))
    assert yaml.safe_load(opened.data) == yaml.safe_load(SECRET)
    body = {"a": CANARY, "n": [1, 2.5]}
    opened = await reader.open("s.json", sops(vault, tmp_path, "s.json", json.dumps(body)))
    assert json.loads(opened.data) == body
    opened = await reader.open("s.env", sops(vault, tmp_path, "s.env", f"A={CANARY}\nB=2\n"))
    assert opened.data == f"A={CANARY}\nB=2\n".encode()
    opened = await reader.open("tls.pem", sops(vault, tmp_path, "tls.pem", f"{CANARY}\n"))
    assert opened.data == f"{CANARY}\n".encode()


async def test_a_file_of_another_projects_key_does_not_open(vault: Vault, reader: Reader, tmp_path: Path) -> None:
    theirs = sops(vault, tmp_path, "s.yaml", SECRET, key="bank")
    assert "transit key transit/bank is not for project shop" in await reader.refused("s.yaml", theirs)
    assert (await reader.open("s.yaml", theirs, application(project="bank"))).values[-1] != ""
    body = yaml.safe_load(theirs)
    body["sops"]["hc_vault"][0]["key_name"] = "shop"
    assert "answered 400" in await reader.refused("s.yaml", yaml.safe_dump(body, sort_keys=False).encode())


async def test_the_vault_that_a_file_names_is_never_asked(vault: Vault, reader: Reader, tmp_path: Path) -> None:
    made = sops(vault, tmp_path, "s.yaml", SECRET)
    elsewhere = made.replace(vault.address.encode(), b"https://attacker.example")
    assert b"attacker" in elsewhere
    assert (await reader.open("s.yaml", elsewhere)).values == (await reader.open("s.yaml", made)).values
    for field, value in (
        ("engine_path", "../sys"),
        ("key_name", "shop/../bank"),
        ("engine_path", ""),
        ("key_name", "shop%2f"),
    ):
        body = yaml.safe_load(made)
        body["sops"]["hc_vault"][0][field] = value
        told = await reader.refused("s.yaml", yaml.safe_dump(body, sort_keys=False).encode())
        assert "is not a path in Vault" in told or "is not for project" in told


async def test_either_key_opens_a_file_that_has_both(vault: Vault, reader: Reader, tmp_path: Path) -> None:
    both = sops(vault, tmp_path, "s.yaml", SECRET, "--age", str(IDENTITY.to_public()))
    assert (await reader.open("s.yaml", both)).values[0] != ""
    only_age = subprocess.run(
        [str(where("sops")), "--encrypt", "--age", str(IDENTITY.to_public()), str(tmp_path / "s.yaml")],
        capture_output=True,
        env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]},
        check=True,
    ).stdout
    assert "is wrapped by no transit key" in await reader.refused("s.yaml", only_age)
    metadata = {"name": "sops", "namespace": "argocd", "labels": {"kilde.dev/sops-keys": "shop"}}
    keys: dict[str, Any] = {"keys.txt": base64.b64encode(str(IDENTITY).encode()).decode()}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": keys}
    await reader.cluster.create(SECRETS, body, manager="x")
    for data in (both, only_age):
        assert (await reader.open("s.yaml", data, application("age, vault"))).values[0] != ""


async def test_without_vault_or_while_it_is_sealed_it_says_so(vault: Vault, reader: Reader, tmp_path: Path) -> None:
    made = sops(vault, tmp_path, "s.yaml", SECRET)
    with pytest.raises(KildeError, match="it is not said where that is"):
        await decrypter(FakeCluster(SystemClock()), application(), SopsKeys(unwrapper))
    with pytest.raises(KildeError, match="neither 'age' nor 'vault' nor both"):
        await reader.decrypter(application("kms"))
    vault.seal()
    assert "is sealed" in await reader.refused("s.yaml", made)
