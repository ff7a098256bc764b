"""Unit: something that was rendered: an Application, or a kustomization or chart that none points to; with its objects."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kilde.core.apps.application import Application
from kilde.core.basics.errors import KildeError, Place
from kilde.core.basics.values import Object
from kilde.core.check.installation import NO_INSTALLATION, Installation
from kilde.core.objects.manifest import Manifest


class Spot(NamedTuple):
    """Where an object would be: cluster ("" the one that Kilde runs in), namespace ("" none), kind and name."""

    cluster: str
    namespace: str
    group: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a unit; `namespace` is where it goes: "" where its kind lives in none, or where nobody says."""

    manifest: Manifest
    namespace: str

    @property
    def words(self) -> str:
        """`Deployment web/web`."""
        manifest = self.manifest
        return (
            f"{manifest.kind} {self.namespace}/{manifest.name}"
            if self.namespace
            else f"{manifest.kind} {manifest.name}"
        )

    def spot(self, cluster: str) -> Spot:
        return Spot(cluster, self.namespace, self.manifest.group, self.manifest.kind, self.manifest.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """`name` is the Application's, or says which folder it is. `declared`: where its Application is written; `body`: as it is written.

    `parent` is the name of the unit that brings it, `set NAME`, or ""; `home` the cluster that its declaration is for, `cluster` the one
    that it deploys into.

    `failure` is why it does not render; `unjudged` why it cannot be judged here, through no fault of its own. `seen` is what its
    render looked at. `affected`: whether it is to be judged.
    """

    name: str
    app: Application | None = None
    body: Object = field(default_factory=dict, repr=False)
    parent: str = ""
    declared: Place | None = None
    home: str = ""
    cluster: str = ""
    items: tuple[Item, ...] = ()
    failure: KildeError | None = None
    unjudged: str = ""
    seen: frozenset[str] = field(default=frozenset(), repr=False)
    affected: bool = True

    def of_kind(self, group: str, kind: str) -> Iterator[Item]:
        for item in self.items:
            if item.manifest.kind == kind and item.manifest.group == group:
                yield item


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResult:
    """One ApplicationSet: what is wrong with it, or why it cannot be expanded here."""

    name: str
    declared: Place | None
    body: Object = field(default_factory=dict, repr=False)
    error: str = ""
    unjudged: str = ""
    affected: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """Everything that a repository renders to. `guessed`: the URL that was taken for this repository's, "" where it is known.

    `unread` is what is wrong with files that seem to declare something; `removed` is what a change takes away.
    """

    units: tuple[Unit, ...] = ()
    sets: tuple[SetResult, ...] = ()
    projects: tuple[Manifest, ...] = ()
    definitions: tuple[Manifest, ...] = ()
    own_urls: tuple[str, ...] = ()
    guessed: str = ""
    unread: tuple[KildeError, ...] = ()
    removed: frozenset[Spot] = frozenset()
    home: Callable[[str], str] = field(default=lambda file: "", repr=False)
    installation: Installation = NO_INSTALLATION
