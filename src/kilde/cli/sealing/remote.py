"""The controller, asked through the API server: its certificate, whether it can open, and to seal anew."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import entry
from kilde.adapters.cluster.client import SERVICES, KubeCluster
from kilde.adapters.cluster.overrides import Overrides
from kilde.cli.sealing.flags import Values
from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.basics.values import Object

T = TypeVar("T")
_HINT = (
    "Please, use the flag --controller-name and --controller-namespace to set up the name and namespace "
    "of the sealed secrets controller"
)


def overrides(values: Values) -> Overrides:
    """The client flags."""
    pairs = [("Impersonate-User", values.text("as")), ("Impersonate-Uid", values.text("as-uid"))]
    pairs += [("Impersonate-Group", group) for group in values.many("as-group")]
    return Overrides(
        cluster=values.text("cluster"),
        user=values.text("user"),
        server=values.text("server"),
        namespace=values.text("namespace"),
        certificate_authority=values.text("certificate-authority"),
        insecure=values.is_set("insecure-skip-tls-verify"),
        tls_server_name=values.text("tls-server-name"),
        proxy_url=values.text("proxy-url"),
        client_certificate=values.text("client-certificate"),
        client_key=values.text("client-key"),
        token=values.text("token"),
        username=values.text("username"),
        password=values.text("password"),
        impersonate=tuple(pair for pair in pairs if pair[1]),
    )


class Remote:
    """The controller that the flags name. Every call opens a connection of its own."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._namespace = values.text("controller-namespace")
        self._name = values.text("controller-name")

    def certificate(self) -> bytes:
        """The newest certificate, PEM. InvalidInput."""

        async def ask(cluster: KubeCluster, service: str) -> bytes:
            try:
                accept = "application/x-pem-file, */*"
                return await cluster.through_service(self._namespace, service, "/v1/cert.pem", accept=accept)
            except ClusterError as error:
                raise InvalidInput(f"cannot fetch certificate: {error.what}") from error

        return self._run(ask)

    def validate(self, sealed: list[Object]) -> None:
        """InvalidInput for the first that the controller cannot open."""

        async def ask(cluster: KubeCluster, service: str) -> None:
            for obj in sealed:
                try:
                    await cluster.through_service(self._namespace, service, "/v1/verify", body=_encode(obj))
                except ClusterError as error:
                    if error.status == 409:
                        name = obj["metadata"].get("name", "")
                        raise InvalidInput(f"unable to decrypt sealed secret: {name}") from error
                    raise InvalidInput(f"cannot validate sealed secret: {_told(error, service)}") from error

        self._run(ask)

    def rotated(self, sealed: list[Object]) -> list[Object]:
        """Each sealed to the newest key. InvalidInput."""

        async def ask(cluster: KubeCluster, service: str) -> list[Object]:
            found: list[Object] = []
            for obj in sealed:
                try:
                    raw = await cluster.through_service(self._namespace, service, "/v1/rotate", body=_encode(obj))
                    found.append(msgspec.json.decode(raw, type=dict))
                except ClusterError as error:
                    raise InvalidInput(f"cannot re-encrypt secret: {_told(error, service)}") from error
                except msgspec.DecodeError as error:
                    raise InvalidInput("the controller did not answer with a SealedSecret") from error
            return found

        return self._run(ask)

    def _run(self, ask: Callable[[KubeCluster, str], Awaitable[T]]) -> T:
        async def whole() -> T:
            file = self._values.text("kubeconfig")
            context = self._values.text("context")
            clock, over = SystemClock(), overrides(self._values)
            way = entry.access(Path(file) if file else None, clock, os.environ, context=context, over=over)
            cluster = KubeCluster(way, clock)
            try:
                return await ask(cluster, f"http:{self._name}:{await self._port(cluster)}")
            finally:
                await cluster.close()

        return asyncio.run(whole())

    async def _port(self, cluster: KubeCluster) -> str:
        """The name of the Service's first port."""
        try:
            raw = await cluster.get(SERVICES, self._namespace, self._name)
        except ClusterError as error:
            raise InvalidInput(f"cannot get sealed secret service: {error.what}.\n{_HINT}") from error
        if raw is None:
            raise InvalidInput(f'cannot get sealed secret service: services "{self._name}" not found.\n{_HINT}')
        ports = (msgspec.json.decode(raw).get("spec") or {}).get("ports") or [{}]
        return str(ports[0].get("name") or "")


def _told(error: ClusterError, service: str) -> str:
    if error.status >= 500:
        return f'an error on the server ("") has prevented the request from succeeding (post services {service})'
    return error.what


def _encode(obj: Object) -> bytes:
    return msgspec.json.encode(obj)
