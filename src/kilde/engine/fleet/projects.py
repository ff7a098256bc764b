"""Projects: every AppProject as the cluster has it, and what each says of an application, an object, and this moment."""

import asyncio
from collections.abc import Callable

import msgspec

from kilde.core.access.accounts import Impersonation, account_for, no_account
from kilde.core.access.kind_filter import KindFilter
from kilde.core.access.project import Project, destination_refusal, permissive, read_project
from kilde.core.access.windows import Window, may_sync
from kilde.core.apps.application import Application
from kilde.core.apps.clusters import ONLY_HOME, KnownCluster
from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import ObjectRef
from kilde.core.source.repository_url import redact
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, EventType, Resource

_decode = msgspec.json.Decoder(dict).decode
PROJECTS = Resource("argoproj.io", "v1alpha1", "AppProject", "appprojects", True)
DEFAULT_PROJECT = "default"


class Projects:
    """The AppProjects of one namespace. Without one named `default`, that one permits everything, as Argo CD makes it."""

    def __init__(self, cluster: Cluster, namespace: str, clock: Clock, on_change: Callable[[str], None]) -> None:
        self._cluster, self._namespace, self._clock, self._on_change = cluster, namespace, clock, on_change
        self._known: dict[str, Project] = {}
        self.clusters = ONLY_HOME
        self.synced = asyncio.Event()
        self.impersonation = Impersonation()  # the controller brings what argocd-cm says
        self.kinds = KindFilter()  # as the line before

    async def follow(self) -> None:
        """Follows them for ever."""
        listed: set[str] = set()
        async for event in self._cluster.watch(PROJECTS, self._namespace):
            if event.type is EventType.BROKEN:
                listed = set()
                self.synced.set()  # where they cannot be read, applications of the default project still work
            elif event.type is EventType.SYNCED:
                for name in set(self._known) - listed:
                    self._forget(name)
                listed = set()
                self.synced.set()
            elif event.type is EventType.DELETED:
                self._forget(event.name)
            else:
                if event.type is EventType.LISTED:
                    listed.add(event.name)
                project = read_project(_decode(event.raw))
                if self._known.get(event.name) != project:
                    self._known[event.name] = project
                    self._on_change(event.name)

    async def load(self) -> None:
        """Reads them once, instead of following them. Raises ClusterError."""
        for raw in await self._cluster.list(PROJECTS, self._namespace):
            project = read_project(_decode(raw))
            self._known[project.name] = project
        self.synced.set()

    def _forget(self, name: str) -> None:
        if self._known.pop(name, None) is not None:
            self._on_change(name)

    def of(self, app: Application) -> Project | None:
        """The application's project; None if there is none of that name."""
        return self._known.get(app.project) or (permissive(DEFAULT_PROJECT) if app.project == DEFAULT_PROJECT else None)

    def lets_in(self, project: str, namespace: str) -> bool:
        """Whether Applications outside of the controller's namespace may be of the project."""
        found = self._known.get(project)
        return found is not None and found.guests.has(namespace)

    def refusals(self, app: Application) -> tuple[str, ...]:
        """Why the project does not let the application be, in Argo CD's words."""
        project = self.of(app)
        if project is None:
            return (f"Application referencing project {app.project} which does not exist",)
        if app.is_guest and not project.guests.has(app.namespace):
            return (
                f"application '{app.own_name}' in namespace '{app.namespace}' is not allowed to use project {project.name}",
            )
        found = [f"project '{project.name}': {problem}" for problem in project.problems]
        destination = app.destination
        found += [
            f"application repo {redact(url)} is not permitted in project '{project.name}'"
            for url in dict.fromkeys(source.repo_url for source in app.sources)
            if not project.permits_repository(url)
        ]
        if not self._permits(project, destination.cluster, destination.namespace):
            found.append(
                destination_refusal(project, destination.cluster.server, destination.name, destination.namespace)
            )
        return tuple(found)

    def _permits(self, project: Project, cluster: KnownCluster, namespace: str) -> bool:
        """Whether that namespace of the cluster may be deployed to; the cluster may have to be one of the project's own."""
        if not project.permits_destination(cluster.server, cluster.name, namespace):
            return False
        return not project.own_clusters or any(
            own.server == cluster.server or own.name == cluster.name for own in self.clusters.of_project(project.name)
        )

    def allows_remote(self, project: str, url: str) -> bool:
        """Whether kustomizations of the project's applications may use a base of that repository: where it says so, and permits it."""
        found = self._known.get(project)
        return found is not None and found.remote_bases and found.permits_repository(url)

    def allows_chart(self, project: str, url: str) -> bool:
        """Whether charts of the project's applications may depend on charts of that repository."""
        found = self._known.get(project) or (permissive(DEFAULT_PROJECT) if project == DEFAULT_PROJECT else None)
        return found is not None and found.permits_repository(url)

    def allows_raw_secrets(self, app: Application) -> bool:
        """Whether Secrets that stand in Git in plain text may be applied. A project that nobody made allows none."""
        found = self.of(app)
        return found is not None and found.raw_secrets

    def account(self, app: Application, *, demanded: bool = True) -> str:
        """The user as whom its objects are written; "" for ourselves. InvalidInput where one is demanded and its project has none."""
        project = self.of(app)
        if not self.impersonation.enabled or project is None:
            return ""
        server, namespace = app.destination.cluster.server, app.destination.namespace
        found = account_for(project.accounts, server, namespace, app.namespace)
        if not found and demanded and self.impersonation.enforced:
            raise no_account(server, namespace)
        return found

    def account_refusal(self, app: Application) -> str:
        """Why a sync of it must not write; "" where it may."""
        try:
            self.account(app)
        except InvalidInput as error:
            return error.what
        return ""

    def may_sync(self, app: Application, *, manual: bool, begun: float | None = None) -> bool:
        """Whether the windows let a sync of it begin now, or go on that began at `begun`."""
        return may_sync(self._windows(app), now=self._clock.now(), manual=manual, begun=begun)

    def unread_window(self, app: Application) -> str:
        """Why a window that concerns it cannot be read; "" where all can."""
        return next((window.problem for window in self._windows(app) if window.problem), "")

    def _windows(self, app: Application) -> list[Window]:
        """Those that concern it; of its cluster they know what the Application says."""
        project, to = self.of(app), app.destination
        clusters = tuple(filter(None, (to.server, to.name)))
        return [
            window
            for window in (project.windows if project is not None else ())
            if window.concerns(application=app.own_name, namespace=to.namespace, clusters=clusters)
        ]

    def excludes(self, app: Application, kind: ObjectRef | Manifest) -> bool:
        """Whether the installation takes objects of that kind out of all applications."""
        return self.kinds.excludes(app.destination.cluster.server, kind.group, kind.kind)

    def permits_kind(self, app: Application, ref: ObjectRef, *, namespaced: bool) -> bool:
        """Whether objects of that kind and name may be of the application, wherever they are."""
        project = self.of(app)
        return project is not None and project.permits_kind(ref.group, ref.kind, ref.name, namespaced=namespaced)

    def forbids(self, app: Application, ref: ObjectRef, *, namespaced: bool) -> str:
        """Why an object may not be of the application; "" where it may."""
        project = self.of(app)
        if project is None:
            return f"project {app.project} does not exist"
        if not project.permits_kind(ref.group, ref.kind, ref.name, namespaced=namespaced):
            return f"resource {ref.group}:{ref.kind} is not permitted in project {project.name}"
        if namespaced and not self._permits(project, app.destination.cluster, ref.namespace):
            return f"namespace {ref.namespace} is not permitted in project '{project.name}'"
        return ""

    def hides(self, app: Application, cluster: KnownCluster, namespace: str) -> str:
        """Why an application may not wait for what is in a namespace of a cluster; "" where it may: it would learn how that is."""
        project = self.of(app)
        if project is None:
            return f"project {app.project} does not exist"
        if not self._permits(project, cluster, namespace):
            return f"is in namespace {namespace}, which is not permitted in project '{project.name}'"
        return ""
