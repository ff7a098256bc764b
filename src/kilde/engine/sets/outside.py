"""What generators ask, answered from the ports: their calls come from a thread and wait there for the loop."""

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

import msgspec

from kilde.core.apps.cluster_secrets import secret_texts
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.sets.failures import GeneratorFailed, within
from kilde.core.sets.outside import Answer, KnownCluster, Request
from kilde.core.source.credentials import SECRET_TYPE
from kilde.core.source.tree import Tree
from kilde.engine.fleet.applications import CONFIG_MAPS, SECRETS
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Discovery, Resource
from kilde.ports.sources import Sources
from kilde.ports.web import Web

_decode = msgspec.json.Decoder(dict).decode
_MOST_REQUESTS = 5_000
_PATIENCE = 600.0  # seconds that one question may take; each port has a shorter one of its own
_LOOK = 1.0
Done = TypeVar("Done")
Start = Callable[[str, Coroutine[Any, Any, None]], object]


def _served(discovery: Discovery, group: str, version: str, plural: str) -> Resource | None:
    kinds = (kind.kind for kind in discovery.all() if (kind.group, kind.plural) == (group, plural))
    return next((found for kind in kinds if (found := discovery.resource(group, kind, version)) is not None), None)


class PortsOutside:
    """One generation's view of the world. Keeps in `commits` what each (repository, revision) was resolved to."""

    def __init__(
        self,
        *,
        namespace: str,
        cluster: Callable[[], Awaitable[Cluster]],
        sources: Sources,
        web: Web,
        clock: Clock,
        fetch: Callable[[str, str], Awaitable[None]],
        clusters: Callable[[], Awaitable[Sequence[KnownCluster]]],
        start: Start,
        own_namespace: str = "",
        labelled_tokens: bool = False,
    ) -> None:
        self._namespace, self._cluster, self._sources, self._web = namespace, cluster, sources, web
        self._clock, self._fetch, self._clusters, self._start = clock, fetch, clusters, start
        self._loop = asyncio.get_running_loop()
        self._requests = 0
        self._labelled_tokens = labelled_tokens
        self._own_namespace = own_namespace or namespace
        self.commits: dict[tuple[str, str], str] = {}

    def _ask(self, question: Awaitable[Done]) -> Done:
        """The answer of the loop, for whoever waits in a thread."""
        answer: concurrent.futures.Future[Done] = concurrent.futures.Future()

        async def run() -> None:
            try:
                answer.set_result(await question)
            except asyncio.CancelledError:
                answer.set_exception(GeneratorFailed("the program ends"))
                raise
            except Exception as error:  # noqa: BLE001  # it belongs to whoever asked
                answer.set_exception(error)

        self._loop.call_soon_threadsafe(lambda: self._start("question of a generator", run()))
        for _ in range(int(_PATIENCE / _LOOK)):
            done, _waiting = concurrent.futures.wait([answer], timeout=_LOOK)
            if done:
                return answer.result()
            if not self._loop.is_running():
                break
        raise GeneratorFailed("the question was not answered: the program ends")

    def tree(self, url: str, revision: str, *, project: str) -> Tree:
        return self._ask(self._tree(url, revision, project))

    async def _tree(self, url: str, revision: str, project: str) -> Tree:
        await self._fetch(url, project)
        sha = await self._sources.resolve(url, revision)
        self.commits[url, revision] = sha
        return await self._sources.tree(url, sha)

    def clusters(self) -> Sequence[KnownCluster]:
        return self._ask(self._clusters())

    def request(self, request: Request) -> Answer:
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            raise GeneratorFailed(f"the set needs more than {_MOST_REQUESTS} requests", hint="narrow its filters")
        return self._ask(self._web.request(request))

    def secret(self, name: str, *, for_forge: bool = False) -> Mapping[str, str]:
        return self._ask(self._read("secret", name, own=for_forge, labelled=for_forge and self._labelled_tokens))

    def config_map(self, name: str, *, for_forge: bool = False) -> Mapping[str, str]:
        return self._ask(self._read("configmap", name, own=for_forge))

    async def _read(self, kind: str, name: str, *, own: bool, labelled: bool = False) -> Mapping[str, str]:
        resource = SECRETS if kind == "secret" else CONFIG_MAPS
        namespace = self._own_namespace if own else self._namespace
        with within(f"error fetching secret {namespace}/{name}") if kind == "secret" else nullcontext():
            try:
                raw = await (await self._cluster()).get(resource, namespace, name) if name else None
            except ClusterError as error:
                raise GeneratorFailed(error.what) from error
            if raw is None:
                raise GeneratorFailed(f'{resource.kind} "{name}" not found')
        body = _decode(raw)
        labels = (body.get("metadata") or {}).get("labels") or {}
        if labelled and labels.get(SECRET_TYPE) != "scm-creds":
            raise GeneratorFailed(f"secret {namespace}/{name} is not a valid SCM creds secret")
        data = body.get("data") or {}
        return secret_texts(data) if kind == "secret" else {str(key): str(value) for key, value in data.items()}

    def objects(self, *, group: str, version: str, plural: str, name: str, selector: str) -> Sequence[Object]:
        return self._ask(self._objects(group, version, plural, name, selector))

    async def _objects(self, group: str, version: str, plural: str, name: str, selector: str) -> Sequence[Object]:
        cluster = await self._cluster()
        found = _served(await cluster.discovery(), group, version, plural) or _served(
            await cluster.discovery(refresh=True), group, version, plural
        )
        if found is None:
            raise GeneratorFailed(
                f"failed to get dynamic resources: the cluster does not serve {plural} of {group}/{version}"
            )
        try:
            if name:
                raw = await cluster.get(found, self._namespace, name)
                return [_decode(raw)] if raw is not None else []
            return [_decode(raw) for raw in await cluster.list(found, self._namespace, label_selector=selector)]
        except ClusterError as error:
            raise GeneratorFailed(f"failed to get dynamic resources: {error}") from error

    def now(self) -> float:
        return self._clock.now()
