"""Signatures: a commit is deployed only if the project's signers signed it, where the project demands that."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Protocol

from kilde.core.access.signatures import KEYRING, Demand
from kilde.core.apps.application import Application
from kilde.core.apps.sources import Source
from kilde.core.basics.errors import SourceError
from kilde.core.basics.values import Object
from kilde.core.source.chart_place import parse_place
from kilde.core.source.signature import Signature, Signers
from kilde.engine.fleet.projects import Projects
from kilde.ports.sources import Sources

_REMEMBERED = 4096


class Maps(Protocol):
    """Who has the ConfigMaps of the Applications' namespace, by name."""

    @property
    def config_maps(self) -> Mapping[str, Object]: ...


class Signatures:
    """Checks commits, each once for the same signers."""

    def __init__(self, sources: Sources, projects: Projects, config: Maps) -> None:
        self._sources, self._projects, self._config = sources, projects, config
        self._known: OrderedDict[tuple[str, str, Signers], Signature] = OrderedDict()

    def demanded(self, app: Application) -> bool:
        """Whether the application's commits must be signed."""
        return any(self._demand(app, source).asked for source in app.sources)

    async def check(self, app: Application, source: Source, sha: str) -> Signature | None:
        """The commit's signature, None where none is demanded. Raises SourceError for a commit that may not be deployed."""
        demand = self._demand(app, source)
        if not demand.asked:
            return None
        if parse_place(source.url) is not None:
            raise SourceError(
                "the project demands signatures, and a chart's is not checked",
                hint="take the chart from a Git repository",
            )
        if demand.fault:
            raise SourceError(demand.fault, hint="sourceIntegrity wants one policy for a repository, of mode head")
        url = source.url
        signers = Signers(await self._ssh(demand, url), self._gpg(demand))
        key = (url, sha, signers)
        if key not in self._known:
            self._known[key] = await self._sources.signature(url, sha, signers)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        found = self._known[key]
        if refused := demand.refusal(found, sha):
            raise SourceError(
                refused, hint=f"project '{app.project}' demands it; nothing is deployed until it is signed"
            )
        return found

    def _demand(self, app: Application, source: Source) -> Demand:
        project = self._projects.of(app)
        return project.signing.for_repository(source.repo_url) if project else Demand(False)

    def _gpg(self, demand: Demand) -> tuple[str, ...]:
        """Argo CD's keyring, where a GPG signature could be good."""
        data = (self._config.config_maps.get(KEYRING) or {}).get("data") or {}
        return tuple(str(data[name]) for name in sorted(data)) if demand.gpg else ()

    async def _ssh(self, demand: Demand, url: str) -> str:
        """The signers that the project names, and those of the file it points to: at a revision of its own, not at the commit's."""
        if not demand.ssh_from:
            return demand.ssh
        revision, _, path = demand.ssh_from.partition(":")
        if not revision or not path:
            hint = "write REVISION:PATH, a revision that only trusted people can move"
            raise SourceError("its allowed signers cannot be found", about=demand.ssh_from, hint=hint)
        tree = await self._sources.tree(url, await self._sources.resolve(url, revision))
        return f"{demand.ssh}\n{tree.read(path.strip('/')).decode('utf-8', 'replace')}"
