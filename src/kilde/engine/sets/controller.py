"""The controller of ApplicationSets: tells each change to the sets it concerns, and runs their passes."""

import asyncio
from collections.abc import Iterable, Mapping

from kilde.core.access.namespaces import read_namespaces
from kilde.core.apps.names import instance_name
from kilde.core.sets.application_set import ApplicationSet
from kilde.core.sets.generating import git_urls, uses
from kilde.core.sets.policy import read_policy
from kilde.core.sets.writing import owning_set
from kilde.core.source.push import Push
from kilde.engine.context import Context
from kilde.engine.fleet.clusters import ClusterSecrets
from kilde.engine.queue import KeyedQueue
from kilde.engine.sets.passes import Owned, SetPasses
from kilde.engine.sets.store import SetStore
from kilde.engine.tasks import TaskOwner

_PAUSE = 0.5  # seconds: what happens to many Applications of a set within them makes one pass
_FOR_EACH = 0.01  # seconds more for each Application of a set, since a pass looks at all of them


class SetsController:
    """Expands the ApplicationSets of the controller's namespace, and of those that the installation names."""

    def __init__(self, ctx: Context, tasks: TaskOwner, clusters: ClusterSecrets) -> None:
        cluster, namespace = ctx.world.cluster, ctx.settings.namespace
        self._ctx, self._tasks = ctx, tasks
        self.store = SetStore(cluster, namespace, self._set_changed)
        self._owned = Owned(ctx)
        self.passes = SetPasses(ctx, self.store, clusters, self._owned)
        self._queue = KeyedQueue(tasks, self.passes.run, name="set")
        self._open = False
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, once the Applications are known: what exists must not be made again."""
        self._open = True
        self._following = self._tasks.start("application sets", self.store.follow())

    def configured(self, params: Mapping[str, str]) -> None:
        """What argocd-cmd-params-cm says; where it says another thing than before, sets are looked at anew."""
        policy = read_policy(params)
        others = read_namespaces(
            self._ctx.settings.set_namespaces or str(params.get("applicationsetcontroller.namespaces") or "")
        )
        if policy != self.passes.policy:
            self.passes.policy = policy
            for one in self.store.all():
                self._ask(one.key, anew=True)
        if others != self.store.others:
            self.store.others = others
            if self._following is not None:
                self._following.cancel()
                self._following = self._tasks.start("application sets", self.store.follow())

    def guests_changed(self) -> None:
        """Applications may be in other namespaces than before."""
        for one in self.store.all():
            if one.is_guest:
                self._ask(one.key)

    def close(self) -> None:
        self._queue.close()
        self.passes.close()

    def urls(self) -> frozenset[str]:
        """The repositories that sets read."""
        return frozenset(url for one in self.store.all() for url in git_urls(one.generators))

    def _ask(self, key: str, *, anew: bool = False, delay: float = 0.0) -> None:
        if not self._open:
            return
        if anew:
            self.passes.runtime(key).stale = True
        self._queue.add(key, delay=delay)

    def _set_changed(self, key: str, anew: bool) -> None:
        self._ask(key, anew=anew)

    def clusters_changed(self) -> None:
        for one in self.store.all():
            if uses(one.generators, "clusters") or uses(one.generators, "clusterDecisionResource"):
                self._ask(one.key, anew=True, delay=_PAUSE)

    def project_changed(self) -> None:
        for one in self.store.all():
            self._ask(one.key, delay=_PAUSE)

    def application_observed(self, name: str) -> None:
        """A version of an Application that we had not seen, also one of our own writing; or that it is gone."""
        fleet = self._ctx.fleet
        app = fleet.get(name)
        owner = "" if app is None else owning_set(fleet.raw(name).get("metadata") or {})
        if app is not None and owner:
            owner = instance_name(app.namespace, owner, self._ctx.settings.namespace)
        before = self._owned.note(name, owner)
        for concerned in {owner, before} - {""}:
            if self.store.get(concerned) is not None:
                self._ask(concerned, delay=_PAUSE + _FOR_EACH * self._owned.count(concerned))

    async def fetched(self, url: str) -> None:
        """A fetch of this repository ended: sets whose revision of it has moved, or that could not read it, look again."""
        for one in self.store.all():
            rt = self.passes.runtimes.get(one.key)
            read = [(there, revision) for there, revision in (rt.commits if rt else {}) if there == url]
            if rt is None or (not read and url not in git_urls(one.generators)):
                continue
            if not read or (rt.made is not None and rt.made.error) or await self._moved(one, url):
                self._ask(one.key, anew=True)

    async def _moved(self, one: ApplicationSet, url: str) -> bool:
        for (there, revision), sha in self.passes.runtime(one.key).commits.items():
            if there == url and await self._ctx.commit_of(url, revision) != sha:
                return True
        return False

    def following(self, pushes: Iterable[Push]) -> tuple[list[str], set[str]]:
        """The sets that read what was pushed to, and the repositories as they spell them."""
        told = list(pushes)
        names, urls = [], set()
        for one in self.store.all():
            found = {url for url in git_urls(one.generators) if any(push.concerns(url) for push in told)}
            if found:
                names.append(one.key)
                urls |= found
        return names, urls

    def pull_request_told(self, forge: str) -> list[str]:
        """Something happened to a pull request at a forge of that kind: sets that ask one look again."""
        found = [one.key for one in self.store.all() if _asks(one.generators, forge)]
        for name in found:
            self._ask(name, anew=True, delay=_PAUSE)
        return found


def _asks(generators: object, forge: str) -> bool:
    for entry in generators if isinstance(generators, (list, tuple)) else ():
        block = entry.get("pullRequest") if hasattr(entry, "get") else None
        if isinstance(block, dict) and any(str(key).lower() == forge.replace("-", "") for key in block):
            return True
        for nest in ("matrix", "merge"):
            inner = entry.get(nest) if hasattr(entry, "get") else None
            if isinstance(inner, dict) and _asks(inner.get("generators"), forge):
                return True
    return False
