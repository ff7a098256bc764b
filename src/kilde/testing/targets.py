"""Targets: from `deploy/web` or a manifest to a path of the API, by what the cluster's discovery says it serves."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.ref import split_api_version
from kilde.kubeapi.remote import Remote


class Kind(NamedTuple):
    """One resource in one version, and the words that mean it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    words: frozenset[str]

    def path(self, namespace: str | None) -> str:
        """The collection's path."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return (
            f"{root}/namespaces/{namespace}/{self.plural}" if self.namespaced and namespace else f"{root}/{self.plural}"
        )


class Target(NamedTuple):
    """One object: its path, and the namespace it is in ("" for none)."""

    path: str
    namespace: str


class Directory:
    """What a cluster serves; asked again when a word is not known, for a definition may have come."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._kinds: list[Kind] = []

    def target(self, word: str, name: str, namespace: str) -> Target:
        """An object by a word for its kind: plural, singular, kind or short name, `.group` behind it if that is not clear."""
        kind = self._named(word)
        space = namespace if kind.namespaced else ""
        return Target(f"{kind.path(space)}/{name}", space)

    def collection(self, word: str, namespace: str | None) -> str:
        """The path of all objects of a kind."""
        return self._named(word).path(namespace)

    def of_manifest(self, body: Object, namespace: str) -> Target:
        """The object that a manifest means."""
        group, version = split_api_version(str(body.get("apiVersion") or ""))
        kind = self._find(lambda one: (one.group, one.version, one.kind) == (group, version, body.get("kind")))
        if kind is None:
            what = f'no matches for kind "{body.get("kind", "")}" in version "{body.get("apiVersion", "")}"'
            raise ClusterError(what, about=self._remote.server, status=404)
        space = str((body.get("metadata") or {}).get("namespace") or namespace) if kind.namespaced else ""
        return Target(f"{kind.path(space)}/{body['metadata']['name']}", space)

    def _named(self, word: str) -> Kind:
        wanted = word.lower()
        found = self._find(lambda one: wanted in one.words)
        if found is None:
            raise ClusterError(
                f'the server doesn\'t have a resource type "{word}"', about=self._remote.server, status=404
            )
        return found

    def _find(self, fits: Callable[[Kind], bool]) -> Kind | None:
        for fresh in (False, True):
            if fresh or not self._kinds:
                self._kinds = list(_served(self._remote))
            found = next(filter(fits, self._kinds), None)
            if found is not None:
                return found
        return None


def _served(remote: Remote) -> Iterator[Kind]:
    """Every kind, the preferred version of each group first."""
    yield from _of_version(remote, "", "v1", "/api/v1")
    groups = msgspec.json.decode(remote.ask("GET", "/apis"))["groups"]
    for group in groups:
        preferred = group["preferredVersion"]["version"]
        for version in sorted(group["versions"], key=lambda one: one["version"] != preferred):
            yield from _of_version(remote, group["name"], version["version"], f"/apis/{version['groupVersion']}")


def _of_version(remote: Remote, group: str, version: str, path: str) -> Iterator[Kind]:
    for one in remote.object("GET", path)["resources"]:
        if "/" in one["name"]:
            continue
        words = {one["name"], one["singularName"], one["kind"].lower(), *(one.get("shortNames") or ())}
        words |= {f"{word}.{group}" for word in words} if group else set()
        yield Kind(group, version, one["kind"], one["name"], one["namespaced"], frozenset(words))
