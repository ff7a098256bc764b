"""The fleet: every Application as the cluster has it, and the configuration beside them (repository credentials, known hosts)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kilde.core.access.namespaces import NONE
from kilde.core.apps.application import Application, read_application, renewed
from kilde.core.apps.clusters import ONLY_HOME, Clusters
from kilde.core.apps.names import instance_name
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.resource_version import Horizon, is_newer
from kilde.core.source.credentials import scope_of
from kilde.ports.cluster import Cluster, EventType, Resource, WatchEvent

_decode = msgspec.json.Decoder(dict).decode

APPLICATIONS = Resource("argoproj.io", "v1alpha1", "Application", "applications", True)
SECRETS = Resource("", "v1", "Secret", "secrets", True)
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True)
CREDENTIALS_SELECTOR = "argocd.argoproj.io/secret-type in (repository,repo-creds)"


class Fleet:
    """Applications by name, the newest version this process has seen of each."""

    def __init__(self, cluster: Cluster, namespace: str, on_change: Callable[[str, Application | None], None]) -> None:
        self._cluster, self._namespace, self._on_change = cluster, namespace, on_change
        self._raw: dict[str, bytes] = {}
        self._parsed: dict[str, Application] = {}
        self._versions: dict[str, str] = {}
        self._specs: dict[str, Any] = {}
        self._told = Horizon()
        self._clusters = ONLY_HOME
        self.others = NONE  # where else Applications may be, beside the namespace of the controller
        self.synced = asyncio.Event()
        self.error = ""
        self.observed: Callable[[str], None] = lambda name: None  # is told of every version, our own writes included

    def names(self) -> tuple[str, ...]:
        return tuple(self._parsed)

    def get(self, name: str) -> Application | None:
        return self._parsed.get(name)

    def all(self) -> tuple[Application, ...]:
        return tuple(self._parsed.values())

    def raw(self, name: str) -> Object:
        """The manifest as the cluster has it."""
        found: Object = _decode(self._raw[name])
        return found

    def observe(self, raw: bytes) -> Application | None:
        """What a write of ours gave; gives the newest, None: the application is gone since."""
        body = _decode(raw)
        meta = body.get("metadata") or {}
        if self._name_of(meta) not in self._parsed and self._told.covers(str(meta.get("resourceVersion", ""))):
            return None
        return self._take_in(raw, body)

    def _take_in(self, raw: bytes, body: Object) -> Application:
        """Takes in a newer version; gives the newest."""
        meta = body.get("metadata") or {}
        name, version = self._name_of(meta), str(meta.get("resourceVersion", ""))
        known = self._versions.get(name, "")
        if known and not is_newer(version, known):
            return self._parsed[name]
        self._raw[name], self._versions[name] = raw, version
        before, spec = self._parsed.get(name), body.get("spec")
        if before is not None and self._specs.get(name) == spec:
            self._parsed[name] = renewed(before, body)  # most changes are our own, of the status
        else:
            self._parsed[name], self._specs[name] = read_application(body, self._clusters, home=self._namespace), spec
        self.observed(name)
        return self._parsed[name]

    def locate(self, clusters: Clusters) -> None:
        """Other clusters are known from now on: applications whose destination is another one by that are told of."""
        self._clusters = clusters
        for name, before in list(self._parsed.items()):
            now = read_application(_decode(self._raw[name]), clusters, home=self._namespace)
            if (now.destination, now.problems) != (before.destination, before.problems):
                self._parsed[name] = now
                self._on_change(name, now)

    def take(self, raw: bytes) -> None:
        """Takes in what a write of ours made of an Application, as if the watch had told it."""
        before = self._versions.get(self._name_of(_decode(raw).get("metadata") or {}))
        app = self.observe(raw)
        if app is not None and self._versions.get(app.name) != before:
            self._on_change(app.name, app)

    def _name_of(self, meta: Mapping[str, Any]) -> str:
        return instance_name(str(meta.get("namespace", "")), str(meta.get("name", "")), self._namespace)

    def _forget(self, name: str) -> None:
        for mapping in (self._raw, self._parsed, self._versions, self._specs):
            mapping.pop(name, None)
        self.observed(name)
        self._on_change(name, None)

    async def run(self) -> None:
        """Follows the Applications for ever. Where others than the controller's namespace may have some, all namespaces are watched."""
        listed: set[str] = set()
        async for event in self._cluster.watch(APPLICATIONS, "" if self.others else self._namespace):
            if event.namespace not in ("", self._namespace) and not self.others.has(event.namespace):
                continue
            name = instance_name(event.namespace, event.name, self._namespace)
            if event.type is EventType.LISTED:
                listed.add(name)
                self._told_of(name, event)
                continue
            self._told.reach(event.resource_version)
            if event.type is EventType.BROKEN:
                self.error = event.error
                listed = set()
            elif event.type is EventType.SYNCED:
                self._keep_only(listed)
                listed, self.error = set(), ""
                self.synced.set()
            elif event.type is EventType.DELETED:
                self._forget(name)
            else:
                self._told_of(name, event)

    def _keep_only(self, listed: set[str]) -> None:
        """Forgets what a list does not have, unless it was made since."""
        for gone in set(self._parsed) - listed:
            if not self._told.is_behind(self._versions.get(gone, "")):
                self._forget(gone)

    def _told_of(self, name: str, event: WatchEvent) -> None:
        before = self._versions.get(name)
        if before is not None and before == event.resource_version:
            return  # what our own write gave us already
        app = self._take_in(event.raw, _decode(event.raw))
        if self._versions.get(name) != before:
            self._on_change(name, app)


class Config:
    """Secrets and ConfigMaps of Argo CD's namespace that say how repositories are reached. Values are never logged."""

    def __init__(self, cluster: Cluster, namespace: str, on_change: Callable[[], None]) -> None:
        self._cluster, self._namespace, self._on_change = cluster, namespace, on_change
        self._secrets: dict[str, Object] = {}
        self._config_maps: dict[str, Object] = {}
        self._scopes: dict[tuple[str, str], str] = {}
        self._awaited = {SECRETS.kind, CONFIG_MAPS.kind}
        self.synced = asyncio.Event()  # of both: what forbids something is known before anything is done

    @property
    def secrets(self) -> tuple[Object, ...]:
        return tuple(self._secrets.values())

    @property
    def config_maps(self) -> Mapping[str, Object]:
        return self._config_maps

    def data(self, name: str) -> Mapping[str, Any]:
        """What a ConfigMap holds; nothing where there is none."""
        return (self._config_maps.get(name) or {}).get("data") or {}

    def scope(self, url: str, project: str) -> str:
        """Whose credentials open a repository to a project. Asked at each commit: worked out once for the Secrets there are."""
        if (url, project) not in self._scopes:
            self._scopes[url, project] = scope_of(url, self.secrets, project)
        return self._scopes[url, project]

    async def follow_secrets(self) -> None:
        await self._follow(SECRETS, self._secrets, CREDENTIALS_SELECTOR)

    async def follow_config_maps(self) -> None:
        await self._follow(CONFIG_MAPS, self._config_maps, "")

    async def argocd_secret(self) -> Object:
        """`argocd-secret`, read when a push has to be checked; {} where there is none or we may not read it."""
        try:
            raw = await self._cluster.get(SECRETS, self._namespace, "argocd-secret")
        except ClusterError:
            return {}
        return _decode(raw) if raw else {}

    def _known(self, resource: Resource) -> None:
        self._awaited.discard(resource.kind)
        if not self._awaited:
            self.synced.set()

    def _changed(self) -> None:
        self._scopes.clear()
        self._on_change()

    async def _follow(self, resource: Resource, into: dict[str, Object], selector: str) -> None:
        listed: set[str] = set()
        async for event in self._cluster.watch(resource, self._namespace, label_selector=selector):
            if event.type is EventType.BROKEN:
                listed = set()
                self._known(resource)  # without the right to read them, public repositories still work
            elif event.type is EventType.SYNCED:
                for name in set(into) - listed:
                    del into[name]
                listed = set()
                self._known(resource)
                self._changed()
            elif event.type is EventType.DELETED:
                into.pop(event.name, None)
                self._changed()
            elif resource is SECRETS or event.name.startswith("argocd-"):
                into[event.name] = _decode(event.raw)
                if event.type is EventType.LISTED:
                    listed.add(event.name)
                else:
                    self._changed()
