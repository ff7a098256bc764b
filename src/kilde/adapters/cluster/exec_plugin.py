"""ExecPlugin: credentials from a program, as `client.authentication.k8s.io` v1 and v1beta1 have it (EKS, GKE, AKS, OIDC …).

Rule: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kilde.adapters.cluster.access import Credential
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.moment import parse
from kilde.ports.clock import Clock

GROUP: Final = "client.authentication.k8s.io"
VERSIONS: Final = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
_PATIENCE = 60.0  # seconds
_LARGEST = 1 << 20  # bytes of answer
_EARLY = 10.0  # seconds before its end at which a credential is renewed


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecSettings:
    """The `exec` part of a kubeconfig's user. `folder` is the kubeconfig's, for a command with a relative path."""

    command: str
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str = VERSIONS[0]
    install_hint: str = ""
    folder: Path = field(default_factory=Path)
    cluster: Mapping[str, Any] | None = field(default=None, repr=False)  # given when provideClusterInfo is true
    foreign: bool = (
        False  # named by somebody else than who runs us: it gets no KILDE_… variable, and what it says is not told
    )


class ExecPlugin:
    """Runs the program when there is no credential, when it ends soon, or when the server refused it."""

    def __init__(self, settings: ExecSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._lock = asyncio.Lock()
        self._held: Credential | None = None
        self._ends_at: float | None = None

    async def current(self, *, refused: Credential | None = None) -> Credential:
        async with self._lock:
            ends_soon = self._ends_at is not None and self._clock.now() >= self._ends_at - _EARLY
            if self._held is None or refused == self._held or ends_soon:
                status = self._status(await self._run())
                self._held, self._ends_at = self._credential(status)
            return self._held

    async def _run(self) -> bytes:
        settings = self._settings
        try:
            process = await asyncio.create_subprocess_exec(
                self._program(),
                *settings.args,
                env={**self._environment(), **settings.env, "KUBERNETES_EXEC_INFO": json.dumps(self._request())},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except (OSError, ValueError) as error:
            raise self._failure("cannot be started", settings.install_hint) from error
        try:
            out, err = await asyncio.wait_for(process.communicate(), _PATIENCE)
        except TimeoutError as error:
            raise self._failure(f"gave no answer within {_PATIENCE:.0f} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            said = "" if settings.foreign else err.decode("utf-8", "replace").strip()[-500:]
            raise self._failure(f"ended with code {process.returncode}" + (f": {said}" if said else ""))
        return out

    def _environment(self) -> dict[str, str]:
        """Ours; passphrases of ours are nothing to somebody else's program."""
        return {
            key: text for key, text in os.environ.items() if not (self._settings.foreign and key.startswith("KILDE_"))
        }

    def _program(self) -> str:
        command = self._settings.command
        is_relative_path = "/" in command and not command.startswith("/")
        return str(self._settings.folder / command) if is_relative_path else command

    def _request(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"interactive": False}
        if self._settings.cluster is not None:
            spec["cluster"] = dict(self._settings.cluster)
        return {"apiVersion": self._settings.api_version, "kind": "ExecCredential", "spec": spec}

    def _status(self, out: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(out[:_LARGEST])
        except (ValueError, RecursionError):
            raise self._failure("did not print an ExecCredential") from None
        if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
            raise self._failure("did not print an ExecCredential")
        if answer.get("apiVersion") != self._settings.api_version:
            found = str(answer.get("apiVersion"))[:80]
            raise self._failure(f"answered in {found}, asked for {self._settings.api_version}")
        status = answer.get("status")
        if not isinstance(status, dict):
            raise self._failure("gave no credential: its answer has no status")
        return status

    def _credential(self, status: dict[str, Any]) -> tuple[Credential, float | None]:
        token, certificate, key = (
            found if isinstance(found := status.get(name), str) else ""
            for name in ("token", "clientCertificateData", "clientKeyData")
        )
        if bool(certificate) != bool(key):
            raise self._failure("gave a client certificate without its key, or the other way round")
        if not token and not certificate:
            raise self._failure("gave neither a token nor a client certificate")
        expiry = status.get("expirationTimestamp")
        ends_at = parse(expiry) if isinstance(expiry, str) else None
        authorization = f"Bearer {token}" if token else ""
        return Credential(authorization, certificate.encode(), key.encode()), ends_at

    def _failure(self, what: str, hint: str = "") -> ClusterError:
        return ClusterError(what, about=f"credential plugin {self._settings.command}", hint=hint)
