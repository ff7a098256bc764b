"""Applications as the command line sees them: read from the cluster, asked to do something, watched until it is done."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kilde.cli.target import Target
from kilde.cli.vault_file import VARIABLE, read_vault
from kilde.core.apps.names import place_of
from kilde.core.basics.errors import INSTALL_CRDS, ClusterError, KildeError
from kilde.core.basics.reading import did_you_mean
from kilde.core.basics.values import Object
from kilde.ports.cluster import Cluster, EventType, Resource, WatchEvent

if TYPE_CHECKING:
    from kilde.wiring.settings import LookSettings

APPLICATIONS = Resource("argoproj.io", "v1alpha1", "Application", "applications", True)
_CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True)
MANAGER = "kilde-cli"
REFRESH = "argocd.argoproj.io/refresh"
"""The annotation that has an application looked at anew; whoever served it takes it away."""
_ATTEMPTS = 5
_T = TypeVar("_T")


def with_options(operation: Object, app: Object) -> Object:
    """The operation with the Application's sync options, but for those that it names itself: it goes by what it names."""
    given = operation["sync"].get("syncOptions", [])
    named = {option.partition("=")[0] for option in given}
    own = under(app, "spec", "syncPolicy", "syncOptions") or []
    options = [*(option for option in own if str(option).partition("=")[0] not in named), *given]
    return {**operation, "sync": {**operation["sync"], "syncOptions": options}} if options else operation


async def persistently(work: Callable[[], Awaitable[_T]]) -> _T:
    """Does it anew, a few times, where somebody wrote the object in between; the controller does so at any moment."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await work()
        except ClusterError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
    return await work()


class Applications:
    """The Applications of one namespace. Every failure is a KildeError in words for people."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster, self.namespace = cluster, namespace

    async def all(self, *, everywhere: bool = False) -> list[Object]:
        """Every Application, by name; `everywhere`: of all namespaces."""
        with _explained(self.namespace):
            listed = await self._cluster.list(APPLICATIONS, "" if everywhere else self.namespace)
        return sorted(map(_read, listed), key=lambda app: called(app, self.namespace))

    async def looked_after(self, others: str) -> list[Object]:
        """Those that the installation looks after, by name; `others`: where else than here, else as its settings say."""
        from kilde.engine.fleet.listing import list_applications

        with _explained(self.namespace):
            listed = await list_applications(self._cluster, self.namespace, others)
        return sorted(map(_read, listed), key=lambda app: called(app, self.namespace))

    async def config(self) -> Mapping[str, Any]:
        """The data of argocd-cm; none where there is none, or it may not be read."""
        try:
            raw = await self._cluster.get(_CONFIG_MAPS, self.namespace, "argocd-cm")
        except ClusterError as error:
            if error.status != 403:
                raise
            return {}
        return (_read(raw).get("data") or {}) if raw else {}

    def _place(self, name: str) -> tuple[str, str]:
        return place_of(name, self.namespace)

    async def get(self, name: str) -> Object:
        """One Application; KildeError with a near name when there is none."""
        with _explained(self.namespace):
            raw = await self._cluster.get(APPLICATIONS, *self._place(name))
        if raw is None:
            raise await self._missing(name)
        return _read(raw)

    async def patch(self, name: str, patch: Mapping[str, Any]) -> Object:
        """Merges; a `resourceVersion` in it makes it fail when somebody was faster."""
        with _explained(self.namespace):
            raw = await self._cluster.patch(APPLICATIONS, *self._place(name), dict(patch), manager=MANAGER)
        return _read(raw)

    async def begin(self, name: str, operation: Object) -> None:
        """Asks for an operation with the Application's sync options, on what the repository has now. KildeError where one is under way."""
        await persistently(lambda: self._begin(name, operation))

    async def _begin(self, name: str, operation: Object) -> None:
        app = await self.get(name)
        running = at(app, "status", "operationState", "phase") in ("Running", "Terminating")
        if under(app, "operation") is not None or running:
            hint = f"wait for it: kilde app wait {name} --operation"
            raise KildeError("another operation is under way", about=name, hint=hint)
        metadata = {"resourceVersion": at(app, "metadata", "resourceVersion"), "annotations": {REFRESH: "normal"}}
        await self.patch(name, {"metadata": metadata, "operation": with_options(operation, app)})

    async def delete(self, name: str, *, resource_version: str) -> None:
        """Asks for its deletion, provided nobody has changed it since."""
        with _explained(self.namespace):
            await self._cluster.delete(
                APPLICATIONS, *self._place(name), propagation="Background", resource_version=resource_version
            )

    async def until(
        self, names: set[str], done: Callable[[str, Object | None], bool], *, patience: float | None
    ) -> dict[str, Object | None]:
        """Watches until `done` holds for every name; gives them as last seen (None: gone). TimeoutError after `patience` seconds.

        `done` is asked about each change of an application, with its name and what it is now.
        """
        last: dict[str, Object | None] = {}
        open_names = set(names)
        with _explained(self.namespace):
            async with asyncio.timeout(patience):
                async for name, app in self._changes(names):
                    last[name] = app
                    if done(name, app):
                        open_names.discard(name)
                    else:
                        open_names.add(name)
                    if not open_names:
                        break
        return last

    async def _changes(self, names: set[str]) -> AsyncIterator[tuple[str, Object | None]]:
        listed: set[str] = set()
        wanted = {self._place(name): name for name in names}
        spaces = {namespace for namespace, _ in wanted}
        where = next(iter(spaces)) if len(spaces) == 1 else ""
        async with contextlib.aclosing(_closable(self._cluster.watch(APPLICATIONS, where))) as events:
            async for event in events:
                name = wanted.get((event.namespace, event.name), "")
                if event.type is EventType.SYNCED:
                    for missing in names - listed:
                        yield missing, None
                    listed = set()
                elif event.type is not EventType.BROKEN and name:
                    listed.add(name)
                    yield name, None if event.type is EventType.DELETED else _read(event.raw)

    async def _missing(self, name: str) -> KildeError:
        namespace, own = self._place(name)
        near = did_you_mean(own, [name_of(app) for app in await self.all()]) if namespace == self.namespace else ""
        return KildeError(f"no Application of that name in namespace {namespace}{near}", about=name)


@contextlib.asynccontextmanager
async def applications(target: Target) -> AsyncIterator[Applications]:
    """The Applications of the cluster and namespace that the command line names."""
    from kilde.wiring.cluster import open_cluster

    cluster = open_cluster(target.kubeconfig, context=target.context)
    try:
        yield Applications(cluster, target.namespace)
    finally:
        await cluster.close()


def settings(target: Target) -> "LookSettings":
    """What wiring needs to look at an application as the controller would."""
    from kilde.wiring.settings import LookSettings

    return LookSettings(
        data_dir=target.data_dir,
        kubeconfig=target.kubeconfig,
        context=target.context,
        namespace=target.namespace,
        vault=read_vault(Path(file)) if (file := os.environ.get(VARIABLE)) else None,
    )


def _read(raw: bytes) -> Object:
    """The object, without the bookkeeping of field managers that kubectl does not show either."""
    found: Object = json.loads(raw)
    found.get("metadata", {}).pop("managedFields", None)
    return found


def name_of(app: Object) -> str:
    return str(app["metadata"]["name"])


def called(app: Object, home: str) -> str:
    """What people call it: its name, with its namespace before it where that is another one than `home`."""
    namespace = at(app, "metadata", "namespace")
    return name_of(app) if not home or namespace in ("", home) else f"{namespace}/{name_of(app)}"


def at(app: Object | None, *path: str) -> str:
    """The text at a path of the object; "" where there is none."""
    found: Any = app
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return "" if found is None else str(found)


def under(app: Object | None, *path: str) -> Any:
    """The value at a path of the object; None where there is none."""
    found: Any = app
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def sources_of(app: Object) -> list[Object]:
    """Its sources: one, or several."""
    several = under(app, "spec", "sources")
    found = several if isinstance(several, list) and several else [under(app, "spec", "source")]
    return [one for one in found if isinstance(one, dict)]


def revisions_of(app: Object) -> list[str]:
    """What each source was last compared at; [] where nothing was."""
    several, one = under(app, "status", "sync", "revisions"), at(app, "status", "sync", "revision")
    return [str(each) for each in several] if isinstance(several, list) else [one] if one else []


async def _closable(events: AsyncIterator[WatchEvent]) -> AsyncGenerator[WatchEvent, None]:
    try:
        async for event in events:
            yield event
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


@contextlib.contextmanager
def _explained(namespace: str) -> Any:
    """Errors that a person can do something about, with what to do."""
    try:
        yield
    except ClusterError as error:
        if error.status == 404 and "Application" not in error.what and not error.causes:
            raise KildeError(
                "the cluster does not know Applications", hint=f"install them with: {INSTALL_CRDS}"
            ) from error
        if error.status == 403:
            hint = f"its identity needs rights on applications.argoproj.io in namespace {namespace}"
            raise KildeError(error.what, about=error.about, hint=hint) from error
        raise
