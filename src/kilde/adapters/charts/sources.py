"""ChartSources: charts of repositories and registries as sources; keeps the promises of ports.sources, a version is its revision."""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from kilde.adapters.charts.archive import unpacked
from kilde.adapters.charts.limits import ChartLimits
from kilde.adapters.charts.registry import CHART_LAYER, Registry
from kilde.adapters.charts.store import PackageStore
from kilde.adapters.charts.web import Ask, Fetcher, basic
from kilde.core.basics.errors import InvalidInput, RevisionNotFound, SourceError, SourceUnavailable
from kilde.core.source.chart_index import (
    ChartVersion,
    best_version,
    entry_of,
    index_url,
    is_pinned,
    read_index,
)
from kilde.core.source.chart_place import OCI, ChartPlace, parse_place
from kilde.core.source.repository_url import redact
from kilde.core.source.revert import Revert
from kilde.core.source.revision import Revision
from kilde.core.source.signature import Signature, Signers, Verified
from kilde.core.source.tree import MemoryTree, Tree
from kilde.ports.sources import Credentials


@dataclass(slots=True)
class _Known:
    """What the last fetch of one place saw."""

    place: ChartPlace
    credentials: Credentials
    registry: bool
    seen: object = None  # which index the entries are of
    entries: tuple[ChartVersion, ...] | None = None  # None: the index has no such chart
    tags: tuple[str, ...] = ()
    packages: dict[str, str] = field(default_factory=dict)  # revision → SHA-256 of its archive


@dataclass(slots=True)
class _Index:
    """An index as it came, for the next question whether it changed."""

    body: bytes
    tag: str
    modified: str
    seen: object = field(default_factory=object)  # another for each that came


class ChartSources:
    """Archives are kept below `folder`. Belongs to one event loop; the Trees it gives may be used from any thread."""

    def __init__(self, folder: Path, *, limits: ChartLimits | None = None) -> None:
        self._limits = limits or ChartLimits()
        self._fetcher = Fetcher(self._limits)
        self._folder = folder
        self._store: PackageStore | None = None
        self._known: dict[str, _Known] = {}
        self._indexes: OrderedDict[tuple[str, Credentials], _Index] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}
        self._trees: OrderedDict[tuple[str, bool], MemoryTree] = OrderedDict()

    async def fetch(self, url: str, credentials: Credentials) -> None:
        """Reads the index or the tags. What a version is made of is asked anew afterwards, for it may have been replaced."""
        place = parse_place(url)
        if place is None or not place.host:
            raise SourceUnavailable("this is not the address of a chart", about=redact(url))
        registry = place.in_registry or credentials.enable_oci
        fresh = _Known(place, credentials, registry)
        try:
            if registry:  # who may not list tags is not let in: another's credentials may be those of the next fetch
                fresh.tags = await self._registry(fresh).tags()
            else:
                await self._entries(fresh, self._known.get(url))
        except InvalidInput as error:  # a hostile answer: the repository is what is wrong
            raise SourceUnavailable(f"cannot be read: {error}", about=redact(place.repository)) from None
        self._known[url] = fresh

    async def _entries(self, fresh: _Known, before: _Known | None) -> None:
        place = fresh.place
        if not place.repository.startswith(("https://", "http://")):
            raise SourceUnavailable("a chart repository has an http(s) or oci address", about=redact(str(place)))
        index = await self._index(place, fresh.credentials)
        fresh.seen = index.seen
        if before is not None and before.seen is fresh.seen:
            fresh.entries = before.entries
            return
        fresh.entries = await asyncio.to_thread(read_index, index.body, place.chart, place.repository)

    async def _index(self, place: ChartPlace, credentials: Credentials) -> _Index:
        """The index; as it was where the server says that it has not changed. One question a repository at a time."""
        key = (place.repository, credentials)
        async with self._locks.setdefault(place.repository, asyncio.Lock()):
            before = self._indexes.get(key)
            headers = {"Accept-Encoding": "gzip, identity"}
            if before is not None and before.tag:
                headers["If-None-Match"] = before.tag
            if before is not None and before.modified:
                headers["If-Modified-Since"] = before.modified
            ask = Ask(
                url=index_url(place.repository),
                credentials=credentials,
                most=self._limits.index_bytes,
                headers=headers,
                authorization=basic(credentials),
                everywhere=place.pass_credentials,
            )
            response = await self._fetcher.get(ask)
            if response.status == 304 and before is not None:
                return before
            if response.status != 200:
                hint = "are its credentials right?" if response.status in (401, 403) else ""
                about = redact(place.repository)
                raise SourceUnavailable(f"its index: the server answers {response.status}", about=about, hint=hint)
            tag, modified = response.headers.get("etag", ""), response.headers.get("last-modified", "")
            self._indexes.pop(key, None)
            found = _Index(response.body, tag, modified)
            if tag or modified:
                self._indexes[key] = found
            while sum(len(one.body) for one in self._indexes.values()) > self._limits.index_bytes:
                self._indexes.popitem(last=False)
            return found

    def _registry(self, one: _Known, place: ChartPlace | None = None) -> Registry:
        return Registry(self._fetcher, place or one.place, one.credentials, self._limits)

    async def resolve(self, url: str, revision: str, *, tag_prefix: str = "") -> str:
        """The version that a version or a range means; of a whole artifact its digest."""
        one = self._at(url)
        about = redact(str(one.place))
        if one.registry and not one.place.chart:
            return await self._artifact(one, revision)
        if is_pinned(revision):
            return revision
        if one.registry:
            versions: tuple[str, ...] = one.tags
        elif one.entries is None:
            raise RevisionNotFound(f"chart '{one.place.chart}' is not in the index", about=redact(one.place.repository))
        else:
            versions = tuple(entry.version for entry in one.entries)
        found = best_version(revision, versions)
        if not found:
            raise RevisionNotFound(f"no version fits '{revision}' among {len(versions)}", about=about)
        return found

    async def _artifact(self, one: _Known, revision: str) -> str:
        if revision.startswith("sha256:"):
            return revision
        word = revision if revision not in ("", "HEAD") else "latest"
        tag = word
        if not is_pinned(word) and word not in one.tags:
            tag = best_version(word, one.tags)
            if not tag:
                raise RevisionNotFound(f"no tag fits '{word}' among {len(one.tags)}", about=redact(str(one.place)))
        if tag not in one.packages:
            digest, _ = await self._registry(one).manifest(tag)
            one.packages[tag] = digest
        return one.packages[tag]

    async def revision(self, url: str, sha: str) -> Revision:
        one = self._at(url)
        entry = entry_of(sha, one.entries or ())
        return Revision(sha=sha, committed_at=entry.created if entry else "")

    async def tree(self, url: str, sha: str) -> Tree:
        """The files of a version: those that are kept, else fetched with the credentials of the last fetch. SourceError, LimitExceeded."""
        one = self._at(url)
        async with self._locks.setdefault(f"{url} {sha}", asyncio.Lock()):
            try:
                digest, strip, content = await self._package(one, sha)
            finally:
                self._locks.pop(f"{url} {sha}", None)
        key = (digest, strip)
        if key not in self._trees:
            about = f"{redact(str(one.place))} {sha}"
            if content is None:
                content = await self._kept(digest)
            if content is None:
                raise SourceUnavailable("its archive is gone from the disk", about=about)
            tree = await asyncio.to_thread(unpacked, content, self._limits, about=about, strip=strip)
            self._trees[key] = tree
        self._trees.move_to_end(key)
        while len(self._trees) > self._limits.trees:
            self._trees.popitem(last=False)
        return self._trees.get(key) or tree

    async def _package(self, one: _Known, sha: str) -> tuple[str, bool, bytes | None]:
        """SHA-256 of the archive, whether its top folder is to be stripped, and its bytes where they were fetched just now."""
        if one.registry:
            return await self._from_registry(one, one.place, sha)
        entry = entry_of(sha, one.entries or ())
        if entry is None:
            raise RevisionNotFound(f"there is no version '{sha}'", about=redact(str(one.place)))
        if entry.url.startswith(OCI):
            place, tag = _artifact_place(entry.url, entry.version)
            return await self._from_registry(one, place, tag)
        digest = entry.digest or one.packages.get(sha, "")
        if digest and await self._kept(digest) is not None:
            return digest, True, None
        content = await self._download(one, entry)
        found = hashlib.sha256(content).hexdigest()
        if entry.digest and found != entry.digest:
            raise SourceError(
                "the archive is not what the index says (SHA-256)", about=f"{redact(str(one.place))} {sha}"
            )
        one.packages[sha] = found
        await self._keep(found, content)
        return found, True, content

    async def _download(self, one: _Known, entry: ChartVersion) -> bytes:
        """The archive. Credentials go where the index is, and further only where the Application passes them on."""
        if not entry.url.startswith(("https://", "http://")):
            raise SourceUnavailable("the index leads to no http(s) address", about=redact(entry.url))
        here = _same_host(entry.url, one.place.repository) or one.place.pass_credentials
        ask = Ask(
            url=entry.url,
            credentials=one.credentials
            if here
            else Credentials(proxy=one.credentials.proxy, no_proxy=one.credentials.no_proxy),
            most=self._limits.package_bytes,
            authorization=basic(one.credentials) if here else "",
            everywhere=one.place.pass_credentials,
        )
        response = await self._fetcher.get(ask)
        if response.status != 200:
            raise SourceUnavailable(f"the server answers {response.status}", about=redact(entry.url.partition("?")[0]))
        return response.body

    async def _from_registry(self, one: _Known, place: ChartPlace, reference: str) -> tuple[str, bool, bytes | None]:
        here = place.host == one.place.host or one.place.pass_credentials
        known = one if here else _Known(place, Credentials(), registry=True)
        registry, chart = self._registry(known, place), bool(one.place.chart)
        _, manifest = await registry.manifest(reference)
        kind, digest = await registry.layer(manifest, chart=chart)
        plain, strip = digest.removeprefix("sha256:"), chart or kind == CHART_LAYER
        if await self._kept(plain) is not None:
            return plain, strip, None
        content = await registry.blob(digest)
        await self._keep(plain, content)
        return plain, strip, content

    async def _kept(self, digest: str) -> bytes | None:
        return await asyncio.to_thread(self._opened().get, digest)

    async def _keep(self, digest: str, content: bytes) -> None:
        await asyncio.to_thread(self._opened().put, digest, content)

    def _opened(self) -> PackageStore:
        if self._store is None:
            self._store = PackageStore(self._folder, self._limits.folder_bytes)
        return self._store

    async def changed_paths(self, url: str, old: str, new: str) -> frozenset[str] | None:
        """Another version may differ in everything."""
        return frozenset() if old == new else None

    async def signature(self, url: str, sha: str, signers: Signers) -> Signature:
        """Nobody's: provenance files of charts are not read."""
        return Signature(Verified.NONE)

    async def push_revert(self, url: str, credentials: Credentials, wanted: Revert) -> str:
        raise SourceUnavailable(
            "a chart repository is only read", about=redact(str(self._at(url).place)), hint="set targetRevision instead"
        )

    async def close(self) -> None:
        """Ends connections. The archives stay."""
        await self._fetcher.close()

    def _at(self, url: str) -> _Known:
        if url not in self._known:
            place = parse_place(url)
            raise SourceUnavailable("the chart repository has not been fetched yet", about=redact(str(place or url)))
        return self._known[url]


def _artifact_place(url: str, version: str) -> tuple[ChartPlace, str]:
    """A chart in a registry that an index leads to, `oci://host/path:tag`, and its tag."""
    rest = url.removeprefix(OCI)
    head, _, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return ChartPlace(repository=f"{OCI}{head}", chart=name), (tag or version).replace("_", "+")


def _same_host(url: str, repository: str) -> bool:
    """Whether helm would hand the repository's credentials to that address."""
    return ChartPlace(repository=url, chart="").host == ChartPlace(repository=repository, chart="").host and (
        url.startswith("https:") or repository.startswith("http:")
    )
