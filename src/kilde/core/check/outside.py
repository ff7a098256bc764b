"""What renders and generators may ask beyond the repository that is judged: nothing. That they asked is noted: it is no fault."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from kilde.core.basics.errors import RenderFailed
from kilde.core.basics.values import Object
from kilde.core.check.here import Revisions
from kilde.core.render.kustomize.remote import RemoteRepository, told
from kilde.core.render.outside import Fetched, Importer, JsonnetVariables, Outside
from kilde.core.sets.outside import Answer, KnownCluster, Request
from kilde.core.source.chart_place import ChartPlace
from kilde.core.source.repository_url import redact, same_repository
from kilde.core.source.tree import Tree


class NotHere(RenderFailed):
    """What is asked for is not in the repository that is judged."""

    code = "not-here"


class Refusing:
    """Remotes, charts' packages, programs where there are none, and what generators ask. `asked` is what was refused first."""

    def __init__(self) -> None:
        self.asked = ""

    def refuse(self, what: str) -> NoReturn:
        self.asked = self.asked or what
        raise NotHere(what)

    # Remotes

    def repository(self, wanted: RemoteRepository) -> Fetched:
        self.refuse(f"needs {told(wanted.raw)}, which is not fetched")

    def file(self, url: str) -> bytes:
        self.refuse(f"needs {told(url)}, which is not fetched")

    # Packages

    def repository_named(self, alias: str) -> str:
        self.refuse(f"needs the chart repository that is called '{alias}', which is not known here")

    def chart(self, place: ChartPlace, version: str) -> tuple[Tree, str]:
        self.refuse(f"needs {version} of the chart {redact(place.repository)}/{place.chart}, which is not fetched")

    # Helm

    def template(self, files: Mapping[str, bytes], folder: str, arguments: Sequence[str], values: bytes) -> bytes:
        self.refuse("is a Helm chart, and there is no helm program")

    # Jsonnet

    def evaluate(self, files: Sequence[str], variables: JsonnetVariables, importer: Importer) -> list[str]:
        self.refuse("has Jsonnet, which is not evaluated")


def nothing_outside(programs: Outside) -> tuple[Outside, Refusing]:
    """What one render gets beside these programs, and what tells afterwards whether it asked for more than there is."""
    refusing = Refusing()
    helm, jsonnet = programs.helm or refusing, programs.jsonnet or refusing
    return Outside(remotes=refusing, packages=refusing, values=refusing, helm=helm, jsonnet=jsonnet), refusing


class OnlyHere:
    """What generators of ApplicationSets may ask: files of this repository. `asked` as above."""

    def __init__(self, revisions: Revisions, own: Sequence[str]) -> None:
        self._revisions, self._own = revisions, own
        self._refusing = Refusing()

    @property
    def asked(self) -> str:
        return self._refusing.asked

    def tree(self, url: str, revision: str, *, project: str) -> Tree:
        del project
        if not any(same_repository(url, own) for own in self._own):
            self._refusing.refuse(f"reads the repository {redact(url)}")
        found = self._revisions.at(revision)
        if found is None:
            raise RenderFailed(f"the revision '{revision}' is not in this repository")
        return found

    def clusters(self) -> Sequence[KnownCluster]:
        self._refusing.refuse("asks for the clusters that are registered")

    def request(self, request: Request) -> Answer:
        del request
        self._refusing.refuse("asks a forge or a plugin")

    def secret(self, name: str, *, for_forge: bool = False) -> Mapping[str, str]:
        del name, for_forge
        self._refusing.refuse("needs a Secret of the cluster")

    def config_map(self, name: str, *, for_forge: bool = False) -> Mapping[str, str]:
        del name, for_forge
        self._refusing.refuse("needs a ConfigMap of the cluster")

    def objects(self, *, group: str, version: str, plural: str, name: str, selector: str) -> Sequence[Object]:
        del group, version, name, selector
        self._refusing.refuse(f"asks the cluster for {plural}")

    def now(self) -> float:
        return 0.0
