"""Discovery: which kinds the cluster serves, in two requests (aggregated) or one a group version (legacy)."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from kilde.adapters.cluster.transport import Call, Transport
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import GroupKind, split_api_version
from kilde.ports.cluster import Resource

_AGGREGATED: Final = ",".join(
    [
        *(
            f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
            for version in ("v2", "v2beta1")  # Kubernetes 1.27 to 1.29 have v2beta1 only
        ),
        "application/json",
    ]
)


class Served:
    """What a cluster serves, as read at one moment; keeps ports.cluster.Discovery's promises."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        """`resources` come with the preferred version of each group first."""
        self._kinds: dict[GroupKind, dict[str, Resource]] = {}
        for resource in resources:
            self._kinds.setdefault(resource.group_kind, {}).setdefault(resource.version, resource)

    def resource(self, group: str, kind: str, version: str = "") -> Resource | None:
        """The kind at that version, or at the one the server prefers; None if it is not served."""
        versions = self._kinds.get(GroupKind(group, kind), {})
        return versions.get(version) if version else next(iter(versions.values()), None)

    def versions(self, group: str, kind: str) -> tuple[str, ...]:
        """All served versions of a kind, preferred first."""
        return tuple(self._kinds.get(GroupKind(group, kind), ()))

    def all(self) -> Sequence[Resource]:
        """Every served kind at its preferred version."""
        return [next(iter(versions.values())) for versions in self._kinds.values()]


async def discover(transport: Transport) -> Served:
    """Reads what is served. A group whose own API server is away is left out. Raises ClusterError."""
    core, groups = await asyncio.gather(_get(transport, "/api"), _get(transport, "/apis"))
    found: list[Resource] = []
    for body in (core, groups):
        found += await _resources(transport, body)
    return Served(found)


class _Kind(msgspec.Struct, gc=False):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Entry(msgspec.Struct, gc=False, rename="camel"):
    """A resource in either shape: aggregated (resource, responseKind, scope) or legacy (name, kind, namespaced)."""

    resource: str = ""
    response_kind: _Kind | None = None
    scope: str = ""
    singular_resource: str = ""
    name: str = ""
    kind: str = ""
    namespaced: bool = False
    singular_name: str = ""
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class _Version(msgspec.Struct, gc=False, rename="camel"):
    version: str = ""
    resources: list[_Entry] = []
    group_version: str = ""


class _Metadata(msgspec.Struct, gc=False, frozen=True):
    name: str = ""


class _Group(msgspec.Struct, gc=False, rename="camel"):
    metadata: _Metadata = _Metadata()
    versions: list[_Version] = []
    preferred_version: _Version | None = None


class _Document(msgspec.Struct, gc=False, rename="camel"):
    """APIGroupDiscoveryList, APIVersions, APIGroupList or APIResourceList, told apart by `kind`."""

    kind: str = ""
    items: list[_Group] = []
    versions: list[str] = []
    groups: list[_Group] = []
    resources: list[_Entry] = []


_decode = msgspec.json.Decoder(_Document).decode


async def _get(transport: Transport, path: str, *, aggregated: bool = True) -> _Document:
    accept = _AGGREGATED if aggregated else "application/json"
    call = Call(method="GET", path=path, verb="discovery", about="discovery", accept=accept)
    answer = await transport.request(call)
    try:
        return _decode(answer.body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ClusterError(f"{path} is not what an API server says there", about="discovery") from error


async def _resources(transport: Transport, document: _Document) -> list[Resource]:
    if document.kind == "APIGroupDiscoveryList":
        return list(_aggregated(document.items))
    wanted = [(path, version) for path, version in _legacy_paths(document)]
    answers = await asyncio.gather(*(_legacy(transport, path) for path, _ in wanted))
    return [
        resource
        for (_, group_version), entries in zip(wanted, answers, strict=True)
        for resource in _listed(group_version, entries)
    ]


class _Named(NamedTuple):
    path: str
    group_version: str


def _legacy_paths(document: _Document) -> list[_Named]:
    if document.kind == "APIVersions":
        return [_Named(f"/api/{version}", version) for version in document.versions]
    found = []
    for group in document.groups:
        versions = [version.group_version for version in group.versions]
        if group.preferred_version is not None:
            first = group.preferred_version.group_version
            versions = [first, *(version for version in versions if version != first)]
        found += [_Named(f"/apis/{version}", version) for version in versions]
    return found


async def _legacy(transport: Transport, path: str) -> list[_Entry]:
    try:
        return (await _get(transport, path, aggregated=False)).resources
    except ClusterError as error:
        if error.status in (404, 503):  # an aggregated API whose server is away hides no other group
            return []
        raise


def _aggregated(groups: Iterable[_Group]) -> Iterable[Resource]:
    for group in groups:
        for version in group.versions:
            for entry in version.resources:
                kind = entry.response_kind.kind if entry.response_kind else ""
                if kind:
                    yield Resource(
                        group=group.metadata.name,
                        version=version.version,
                        kind=kind,
                        plural=entry.resource,
                        namespaced=entry.scope == "Namespaced",
                        verbs=frozenset(entry.verbs),
                        short_names=entry.short_names,
                        singular=entry.singular_resource,
                        categories=entry.categories,
                    )


def _listed(group_version: str, entries: Iterable[_Entry]) -> Iterable[Resource]:
    group, version = split_api_version(group_version)
    for entry in entries:
        if entry.kind and "/" not in entry.name:
            yield Resource(
                group=group,
                version=version,
                kind=entry.kind,
                plural=entry.name,
                namespaced=entry.namespaced,
                verbs=frozenset(entry.verbs),
                short_names=entry.short_names,
                singular=entry.singular_name,
                categories=entry.categories,
            )
