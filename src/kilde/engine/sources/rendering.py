"""Renders an application's source at a commit, and only when something it reads has changed (input-traced rendering)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import msgspec

from kilde.core.apps.source_overrides import overridden
from kilde.core.apps.sources import Source
from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.objects.manifest import Manifest
from kilde.core.render import RenderCache, Rendered, RenderSource, SourceType, Surroundings, render
from kilde.core.render.kustomize.settings import DEFAULT_KUSTOMIZE, KustomizeSettings
from kilde.core.render.outside import NOTHING_OUTSIDE, Outside
from kilde.core.secrets.raw import RawSecret, raw_secrets
from kilde.core.secrets.sops_tree import DecryptedTree, Decrypter
from kilde.core.source.chart_place import parse_place
from kilde.core.source.tree import Trace, TracedTree, Tree, touched
from kilde.engine.sources.remotes import AllowRemote, Download, Fetch, Named, RemoteBases, RemoteNeeded, remote_urls
from kilde.ports.sources import Sources

_REMEMBERED = 64
Done = TypeVar("Done")
_decode = msgspec.json.Decoder(dict).decode
_encode = msgspec.json.Encoder().encode


Judged = tuple[Rendered, tuple[RawSecret, ...]]  # what was rendered, and what of it stands in Git in plain text


def plain_render(
    tree: Tree, source: RenderSource, cache: RenderCache, outside: Outside, around: Surroundings
) -> Judged:
    """A render of files as they are. KildeError."""
    rendered = render(tree, source, cache=cache, outside=outside, around=around)
    return rendered, raw_secrets(rendered.manifests)


def decrypted_render(
    tree: Tree, source: RenderSource, sops: Decrypter, outside: Outside, around: Surroundings
) -> Judged:
    """A render that reads SOPS files in plain, with a cache of its own that ends with it. KildeError, without a value."""
    plain = DecryptedTree(tree, sops)
    rendered = plain.guarded(lambda: render(plain, source, cache=RenderCache(), outside=outside, around=around))
    plain.check(rendered.manifests)
    return rendered, raw_secrets(rendered.manifests, plain.gave)


@dataclass(frozen=True, slots=True)
class Result:
    """What a render gave, a part for each source. None: nothing that is read has changed, and the earlier one still holds."""

    parts: tuple[Rendered, ...] | None


@dataclass(frozen=True, slots=True)
class Read:
    """What was looked at in one repository at one commit; `of`: the place of the source that it is of."""

    url: str
    sha: str
    trace: Trace
    of: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What the last render of one source rested on. `kept`: what it gave, packed; () where it is the only source."""

    source: RenderSource
    reads: tuple[Read, ...]
    source_type: SourceType = ""
    kept: tuple[tuple[bytes, Place | None], ...] = ()
    keys: str = ""  # of its SOPS files
    raw: tuple[RawSecret, ...] = ()
    around: Surroundings | None = None  # where it was made of more than files: a chart asks what the cluster serves
    kustomize: KustomizeSettings = DEFAULT_KUSTOMIZE  # of a kustomization: how it was built

    @property
    def urls(self) -> frozenset[str]:
        """The repositories it came from, those of remote bases included."""
        return frozenset(read.url for read in self.reads).union(*(remote_urls(read.trace) for read in self.reads))

    def at(self, revisions: Sequence[str]) -> "Memory":
        """The same at other commits, which change nothing that it read."""
        return replace(self, reads=tuple(replace(read, sha=revisions[read.of]) for read in self.reads))

    def unpacked(self) -> Rendered:
        """What it gave."""
        manifests = tuple(Manifest(_decode(raw), origin) for raw, origin in self.kept)
        return Rendered(manifests, self.source_type, Trace())


Memories = tuple[Memory, ...]  # one for each source of an application; () where nothing is known


class Renderer:
    """Renders in one thread of its own, so that reading and computing do not hold the loop."""

    def __init__(
        self,
        sources: Sources,
        *,
        fetch: Fetch,
        allow_remote: AllowRemote,
        allow_chart: AllowRemote,
        named: Named = lambda project, name: "",
        programs: Outside = NOTHING_OUTSIDE,
        download: Download | None = None,
        kustomize: KustomizeSettings = DEFAULT_KUSTOMIZE,
    ) -> None:
        self.kustomize = kustomize  # a controller brings what argocd-cm says; who renders puts it into the surroundings
        self._sources, self._fetch, self._programs, self._download = sources, fetch, programs, download
        self._allow_remote, self._allow_chart, self._named = allow_remote, allow_chart, named
        self._cache = RenderCache()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")
        self._touched: dict[tuple[str, str, str], asyncio.Future[frozenset[str] | None]] = {}
        self.renders = 0

    async def render(
        self,
        sources: Sequence[Source],
        revisions: Sequence[str],
        before: Memories,
        *,
        around: Surroundings,
        entering: Callable[[int], None] = lambda number: None,
        sops: Decrypter | None = None,
    ) -> tuple[Result, Memories]:
        """The objects of all sources at these commits; a source is rendered only when something that it reads has changed.

        `entering` is told the place of the source that is looked at; `sops` decrypts. Raises KildeError.
        """
        remotes = RemoteBases(
            self._sources,
            partial(self._fetch, around.project),
            partial(self._allow_remote, around.project),
            partial(self._allow_chart, around.project),
            partial(self._named, around.project),
            self._download,
        )
        memories: list[Memory] = []
        parts: dict[int, Rendered] = {}
        for number in range(len(sources)):
            entering(number)
            known = before[number] if len(before) == len(sources) else None
            here = around_source(around, sources[number], revisions[number])
            same_keys = known is not None and known.keys == (sops.keys if sops else "")
            if known is not None and same_keys and await self._holds(known, sources, number, revisions, here, remotes):
                memories.append(known.at(revisions))
            else:
                parts[number], memory = await self._anew(sources, number, revisions, here, remotes, sops)
                memories.append(memory)
        if not parts:
            return Result(None), tuple(memories)
        whole = (parts.get(number) or memory.unpacked() for number, memory in enumerate(memories))
        return Result(tuple(whole)), tuple(memories)

    async def _holds(
        self,
        before: Memory,
        sources: Sequence[Source],
        number: int,
        revisions: Sequence[str],
        around: Surroundings,
        remotes: RemoteBases,
    ) -> bool:
        if before.around is not None and replace(before.around, revision="") != replace(around, revision=""):
            return False  # whether the commit is among what it rendered, still_true asks
        if before.source_type == "Kustomize" and before.kustomize != around.kustomize:
            return False
        if before.source != sources[number].render or any(read.url != sources[read.of].url for read in before.reads):
            return False
        if not await self.still_true(before, revisions):
            return False
        return await remotes.still_true(before.reads[0].trace)

    async def _anew(
        self,
        sources: Sequence[Source],
        number: int,
        revisions: Sequence[str],
        around: Surroundings,
        remotes: RemoteBases,
        sops: Decrypter | None,
    ) -> tuple[Rendered, Memory]:
        written, sha, keys = sources[number], revisions[number], sops.keys if sops else ""
        if not written.renders:
            reads = [Read(written.url, sha, Trace(), number)]
            return Rendered((), "", Trace()), Memory(written.render, tuple(reads), keys=keys)
        tree = await self._sources.tree(written.url, sha)
        looked = TracedTree(tree)
        source = await self._in_thread(partial(overridden, looked, written, around.app))
        told = around_source(around, source, sha)
        around = replace(told, revision=sha) if source.render.plugin or source.render.implicit else told
        called = {other.ref: place for place, other in enumerate(sources) if other.ref in source.render.refs}
        for ref, at in called.items():
            if parse_place(sources[at].url) is not None:
                raise RenderFailed(
                    "values are taken from Git repositories alone, and this source is a chart", about=f"${ref}"
                )
        refs = {ref: TracedTree(await self._sources.tree(sources[at].url, revisions[at])) for ref, at in called.items()}
        rendered, raw = await self._rendered(tree, source.render, remotes, replace(around, refs=refs), sops)
        kept: tuple[tuple[bytes, Place | None], ...] = ()
        if len(sources) > 1:
            kept = tuple((_encode(manifest.body), manifest.origin) for manifest in rendered.manifests)
        rendered.trace.seen.update(looked.trace.seen)
        reads = [Read(written.url, sha, rendered.trace, number)]
        reads += [Read(sources[at].url, revisions[at], refs[ref].trace, at) for ref, at in called.items()]
        more = told if source.render.asks or rendered.source_type == "Helm" else None
        if rendered.source_type == "Plugin":
            more = around  # which is told the commit
        by = around.kustomize if rendered.source_type == "Kustomize" else DEFAULT_KUSTOMIZE
        return rendered, Memory(written.render, tuple(reads), rendered.source_type, kept, keys, raw, more, by)

    async def _rendered(
        self, tree: Tree, source: RenderSource, remotes: RemoteBases, around: Surroundings, sops: Decrypter | None
    ) -> Judged:
        """Renders, as often as it takes to learn of every remote base."""
        self.renders += 1
        while True:
            outside = remotes.outside(
                self._programs if sops is None else self._programs._replace(helm=_NoHelm(), plugins=None)
            )
            work = partial(plain_render, tree, source, self._cache, outside, around)
            if sops is not None:
                work = partial(decrypted_render, tree, source, sops, outside, around)
            try:
                return await self._in_thread(work)
            except RemoteNeeded as needed:
                wanted = needed.wanted
            await remotes.learn(wanted)

    async def still_true(self, before: Memory, revisions: Sequence[str]) -> bool:
        """Whether a render at these commits would read what the last one read."""
        told = before.around.revision if before.around is not None else ""
        if told and told != revisions[before.reads[0].of]:
            return False  # the commit itself is among what it rendered
        for read in before.reads:
            new = revisions[read.of]
            if new == read.sha:
                continue
            met = await self._touched_between(read.url, read.sha, new)
            if met is None or not met.isdisjoint(read.trace.seen):
                return False
        return True

    async def _touched_between(self, url: str, old: str, new: str) -> frozenset[str] | None:
        """What looks differently in the second commit, in the words of a trace; None: it cannot be told."""
        key = (url, old, new)
        asked = self._touched.get(key)
        if asked is not None:
            return asked.result() if asked.done() else await asyncio.shield(asked)
        if len(self._touched) >= _REMEMBERED:
            self._touched = {known: found for known, found in self._touched.items() if not found.done()}
        answer = self._touched[key] = asyncio.get_running_loop().create_future()
        try:
            found = await self._compared(url, old, new)
        except BaseException:
            answer.set_result(None)  # whoever waits renders anew, and meets the error itself
            del self._touched[key]
            raise
        answer.set_result(found)
        return found

    async def _compared(self, url: str, old: str, new: str) -> frozenset[str] | None:
        paths = await self._sources.changed_paths(url, old, new)
        if paths is None:
            return None
        before, after = await self._sources.tree(url, old), await self._sources.tree(url, new)
        return await asyncio.to_thread(touched, before, after, paths)  # not behind the renders of other commits

    async def _in_thread(self, work: Callable[[], Done]) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


class _NoHelm:
    """Of an application with SOPS files: what is decrypted stays in memory, and helm reads files."""

    def template(self, files: Mapping[str, bytes], folder: str, arguments: Sequence[str], values: bytes) -> bytes:
        hint = "take the annotation kilde.dev/sops off the application, and seal the secrets"
        raise RenderFailed("a chart is not rendered from decrypted files", about=folder, hint=hint)


def around_source(app: Surroundings, source: Source, revision: str) -> Surroundings:
    """What one source's render knows; the commit only where the source asks for it, so that a new one changes nothing else."""
    asks = "ARGOCD_APP_REVISION" in repr(source.render)
    return replace(
        app,
        repo_url=source.repo_url,
        target_revision=source.target_revision,
        revision=revision if asks else "",
    )
