"""A Vault for tests: the contract server, or the real one, set up by the same requests; and the words in which tests do it."""

import base64
import contextlib
import json
import os
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from build_real import where

from contracts.vault_server import VaultServer
from kilde.adapters.clock import SystemClock
from kilde.adapters.vault.client import VaultClient
from kilde.core.basics.backoff import Backoff
from kilde.core.secrets.vault.settings import Login, VaultSettings
from real.certificates import Authority

KINDS = ("contract", "real")
QUICK = Backoff(first=0.01, factor=1.0)


class Vault:
    """One server with engines at `secret` (key/value 2), `old` (key/value 1) and `transit`; `root` may do everything."""

    def __init__(
        self, address: str, root: str, unseal_key: str, authority: Path | None, server: VaultServer | None
    ) -> None:
        self.address, self.root, self.server = address, root, server
        self.authority = authority
        self._unseal_key = unseal_key
        self._trust = ssl.create_default_context(cafile=str(authority)) if authority else None

    def admin(self, method: str, path: str, body: Any = None, *, token: str = "") -> dict[str, Any]:
        """One request; the answer's JSON. AssertionError with the server's words where it refuses."""
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": token or self.root},
        )
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._trust) as answer:
                data = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return dict(json.loads(data)) if data else {}

    def set_up(self) -> "Vault":
        self.admin("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        self.admin("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
        self.admin("POST", "sys/mounts/transit", {"type": "transit"})
        self.admin("POST", "transit/keys/kilde", {})
        return self

    def put(self, name: str, **data: Any) -> int:
        return int(self.admin("POST", f"secret/data/{name}", {"data": data})["data"]["version"])

    def policy(self, name: str, **paths: list[str]) -> None:
        """Paths with `__` for a slash."""
        self.policy_of(name, {path.replace("__", "/"): caps for path, caps in paths.items()})

    def policy_of(self, name: str, paths: dict[str, list[str]]) -> None:
        policy = json.dumps({"path": {path: {"capabilities": caps} for path, caps in paths.items()}})
        self.admin("PUT", f"sys/policies/acl/{name}", {"policy": policy})

    def token(self, *policies: str, **more: Any) -> str:
        auth = self.admin("POST", "auth/token/create", {"policies": list(policies), **more})["auth"]
        return str(auth["client_token"])

    def revoke(self, token: str) -> None:
        self.admin("POST", "auth/token/revoke", {"token": token})

    def app_role(self, name: str, *policies: str, **more: Any) -> tuple[str, str]:
        """A role's id and a secret id for it."""
        with contextlib.suppress(AssertionError):
            self.admin("POST", "sys/auth/approle", {"type": "approle"})
        self.admin("POST", f"auth/approle/role/{name}", {"token_policies": list(policies), **more})
        role = self.admin("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        secret = self.admin("POST", f"auth/approle/role/{name}/secret-id", {})["data"]["secret_id"]
        return str(role), str(secret)

    def seal(self) -> None:
        self.admin("PUT", "sys/seal", {})

    def unseal(self) -> None:
        self.admin("PUT", "sys/unseal", {"key": self._unseal_key})

    def settings(self, login: Login | None = None, **more: Any) -> VaultSettings:
        ca = str(self.authority) if self.authority else ""
        return VaultSettings(address=self.address, ca_file=ca, login=login or Login(token=self.root), **more)

    def client(self, login: Login | None = None, **more: Any) -> VaultClient:
        """A client that does not wait long between two attempts."""
        return VaultClient(self.settings(login, **more), SystemClock(), backoff=QUICK)


@contextlib.contextmanager
def vault_of(kind: str, folder: Path) -> Iterator[Vault]:
    """Over TLS, by an authority of its own. Skips where the real one is asked for and not built."""
    pair = (authority := Authority(folder)).serving("vault", ["127.0.0.1"], ["localhost"])
    if kind == "contract":
        server = VaultServer(tls=(str(pair.certificate), str(pair.key)))
        try:
            yield Vault(
                server.address, server.state.root, server.state.unseal_key, authority.pair.certificate, server
            ).set_up()
        finally:
            server.close()
        return
    if not where("vault").exists():
        if os.environ.get("KILDE_REQUIRE_REAL") == "1":
            pytest.fail("not built: vault (make real)")
        pytest.skip("not built: vault (make real)")
    command = [str(where("vault")), "-cert", str(pair.certificate), "-key", str(pair.key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            address = f"https://{process.stdout.readline().strip()}"
            bare = Vault(address, "", "", authority.pair.certificate, None)
            made = bare.admin("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            found = Vault(address, made["root_token"], made["keys"][0], authority.pair.certificate, None)
            found.unseal()
            yield found.set_up()
        finally:
            process.kill()


def service_account(namespace: str, name: str) -> str:
    """A token in the shape of a service account's; signed by nobody."""
    parts = ({"alg": "none"}, {"sub": f"system:serviceaccount:{namespace}:{name}"})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*texts, "c2ln"))
