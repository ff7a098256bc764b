"""Wishes: what Git wants of an application, fetched, resolved, rendered and made ready; and nothing done twice."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kilde.core.access.kind_filter import told
from kilde.core.apps.application import Application
from kilde.core.apps.local import local_manifests, local_refusal
from kilde.core.apps.operation import Operation
from kilde.core.apps.sources import Source
from kilde.core.basics.errors import ClusterError, InvalidInput, SourceError
from kilde.core.basics.values import digest
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.desired import Desired, prepare
from kilde.core.plan.masking import masked
from kilde.core.render import Rendered, Surroundings
from kilde.core.secrets.raw import refusal
from kilde.core.secrets.sops_tree import Decrypter
from kilde.core.source.revision import Revision
from kilde.core.source.tree import Trace
from kilde.engine.beside.looking import served_by, surroundings
from kilde.engine.context import NAMESPACES, Context
from kilde.engine.runtime import Runtime, Wish, delete_phases, digest_inputs, pack, sync_hooks
from kilde.engine.sources.rendering import Memories
from kilde.engine.sources.sops import decrypter
from kilde.ports.cluster import Discovery

UNMANAGED = "Unmanaged"  # an object is outside of what the Secret of its cluster lets us look at


class Wishes:
    """Works wishes out, and sees to it that the live view watches what they need."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._served: tuple[object, str, tuple[str, ...]] | None = None

    async def current(self, app: Application, rt: Runtime, *, fresh: bool, hard: bool) -> Wish:
        """The wish at the application's target revision, all its objects watched. Raises KildeError."""
        ctx = self._ctx
        _require(app)
        rt.source = 0
        for number, source in enumerate(app.sources):
            rt.source = number
            await ctx.repositories.ensure(source.url, app.project)
        if fresh:
            for url in dict.fromkeys((*(source.url for source in app.sources), *_known_urls(rt))):
                await ctx.repositories.fetch(url, app.project)
        revisions = await self._resolved(app, app.sources, app.words, rt)
        discovery = await ctx.world.cluster.discovery()
        stale = rt.wish is None or (rt.wish.unserved and rt.wish.made_for is not discovery)
        stale = stale or (rt.wish is not None and rt.wish.namespace != app.destination.namespace)
        before = () if hard or stale else rt.memories

        def entering(number: int) -> None:
            rt.source = number

        result, memories = await ctx.renderer.render(
            app.sources,
            revisions,
            before,
            around=await self._around(app, discovery),
            entering=entering,
            sops=await self._sops(app),
        )
        self._check_raw(app, rt, memories)
        if result.parts is not None:
            rt.wish = self._wish(app, revisions, result.parts, discovery)
        elif rt.wish is not None and rt.wish.revisions != revisions:
            rt.wish = rt.wish.moved(app, revisions)
        rt.memories = memories
        assert rt.wish is not None
        await self.watch(app, rt.wish)
        return rt.wish

    async def _resolved(
        self, app: Application, sources: Sequence[Source], words: Sequence[str], rt: Runtime
    ) -> tuple[str, ...]:
        found = []
        for number, (source, word) in enumerate(zip(sources, words, strict=True)):
            rt.source = number
            found.append(await self._ctx.world.sources.resolve(source.url, word, tag_prefix=source.tag_prefix))
            await self._ctx.signatures.check(app, source, found[-1])
        return tuple(found)

    async def revisions(
        self, app: Application, rt: Runtime, sources: Sequence[Source], words: Sequence[str]
    ) -> tuple[str, ...]:
        """The commits or versions that these words mean. Raises KildeError."""
        for source in sources:
            await self._ctx.repositories.ensure(source.url, app.project)
        return await self._resolved(app, sources, words, rt)

    async def at(self, app: Application, rt: Runtime, operation: Operation) -> Wish:
        """The wish of the sources and revisions that an operation names instead of the application's. Raises KildeError."""
        ctx = self._ctx
        sources = operation.sources or app.sources
        words = operation.revisions or tuple(source.target_revision or "HEAD" for source in sources)
        revisions = await self.revisions(app, rt, sources, words)
        discovery = await ctx.world.cluster.discovery()
        around, sops = await self._around(app, discovery), await self._sops(app)
        result, memories = await ctx.renderer.render(sources, revisions, (), around=around, sops=sops)
        self._check_raw(app, rt, memories)
        assert result.parts is not None
        return self._wish(app, revisions, result.parts, discovery)

    async def local(self, app: Application, operation: Operation) -> Wish:
        """The wish of the manifests that an operation hands over. Raises KildeError."""
        if refused := local_refusal(app, operation, signed=self._ctx.signatures.demanded(app)):
            raise InvalidInput(refused)
        part = Rendered(local_manifests(operation.manifests), "", Trace())
        revisions = ("",) * len(app.sources)
        return self._wish(app, revisions, [part], await self._ctx.world.cluster.discovery())

    def _check_raw(self, app: Application, rt: Runtime, memories: Memories) -> None:
        """RenderFailed for Secrets that Git holds in plain text, unless the project or a setting allows them."""
        ctx = self._ctx
        if ctx.settings.raw_secrets or ctx.projects.allows_raw_secrets(app):
            return
        for number, memory in enumerate(memories):
            if memory.raw:
                rt.source = number
                raise refusal(memory.raw, app.project)

    async def _around(self, app: Application, discovery: Discovery) -> Surroundings:
        """What a chart may ask of the cluster is asked once for each discovery."""
        if self._served is None or self._served[0] is not discovery:
            self._served = (discovery, *await served_by(self._ctx.world.cluster, discovery))
        _, version, apis = self._served
        return surroundings(app, self._ctx.renderer.kustomize, version, apis)

    async def _sops(self, app: Application) -> Decrypter | None:
        return await decrypter(self._ctx.home, app, self._ctx.world.sops)

    async def revision(self, app: Application, revisions: tuple[str, ...]) -> Revision | None:
        """Who made the commit (of the first source, where there are several); None where that cannot be told."""
        try:
            found = await self._ctx.world.sources.revision(app.sources[0].url, revisions[0])
            signature = await self._ctx.signatures.check(app, app.sources[0], revisions[0])
        except SourceError:
            return None
        if signature is None:
            return found
        return replace(
            found, signature=str(signature.verified), signer=" ".join((signature.signer, *signature.keys[:1]))
        )

    def _wish(
        self, app: Application, revisions: tuple[str, ...], parts: Sequence[Rendered], discovery: Discovery
    ) -> Wish:
        projects = self._ctx.projects
        projects.kinds.check()
        rendered = tuple(manifest for part in parts for manifest in part.manifests)
        manifests = tuple(each for each in rendered if not projects.excludes(app, each))
        excluded = tuple(told(each.group, each.kind, each.name) for each in rendered if projects.excludes(app, each))
        coming = defined_scopes(manifests)

        def scope(kind: GroupKind) -> bool | None:
            found = discovery.resource(kind.group, kind.kind)
            return found.namespaced if found else coming.get(kind)

        desired = prepare(
            manifests,
            app=app.name,
            namespace=app.destination.namespace,
            scope=scope,
            tracking=self._ctx.live.tracking,
            lenient=True,
        )
        refs = (*desired.refs, *(hook.ref for hook in desired.hooks))
        unserved = any(discovery.resource(ref.group, ref.kind) is None for ref in refs)
        made = make_wish(revisions, parts, desired, discovery, unserved=unserved)
        return replace(made, excluded=excluded, namespace=app.destination.namespace)

    async def watch(self, app: Application, wish: Wish) -> None:
        """Everything wanted, and everything that may be ours by its status or its mark; their schemas known."""
        ctx, rt = self._ctx, self._ctx.runtime(app.name)
        discovery = await ctx.world.cluster.discovery()
        owned = frozenset(ref for ref in owned_refs(app) | ctx.may_own(app) if not ctx.projects.excludes(app, ref))
        made_for = (discovery, wish.objects, owned)
        before = rt.watched
        same = before is not None and before[0] is discovery and before[1] is wish.objects
        if before is not None and same and owned <= before[2] | wish.objects.keys():
            return
        for ref, packed in wish.objects.items():
            if why := ctx.of.unmanaged(ref.kind, ref.namespace, ref.name):
                raise ClusterError(why, reason=UNMANAGED)
            resource = discovery.resource(ref.group, ref.kind)
            if resource is not None:
                await ctx.schemas.learn(resource, packed.version)
        ctx.hold(app.name, wish.objects)
        await ctx.watch_all(app.name, {*wish.objects, *owned, *(ref for ref, _ in wish.hooks)}, discovery)
        sees_spaces = not ctx.of.namespaces or ctx.of.cluster_resources
        if app.policy.options.is_on("CreateNamespace") and app.destination.namespace and sees_spaces:
            await ctx.live.need([(NAMESPACES, "")], patience=ctx.settings.watch_patience)
        await ctx.live.load(ref for ref in wish.objects if ctx.live.get(ref) is None)
        rt.watched = made_for


def owned_refs(app: Application) -> frozenset[ObjectRef]:
    """What the status lists: the inventory, written before the objects were."""
    out = set()
    for entry in app.status.get("resources") or ():
        if isinstance(entry, dict):
            out.add(
                ObjectRef(
                    str(entry.get("group") or ""),
                    str(entry.get("kind") or ""),
                    str(entry.get("namespace") or ""),
                    str(entry.get("name") or ""),
                )
            )
    return frozenset(out)


def defined_scopes(manifests: Iterable[Manifest]) -> dict[GroupKind, bool]:
    """Whether each kind that CustomResourceDefinitions among the manifests define is namespaced."""
    out = {}
    for manifest in manifests:
        if manifest.kind == "CustomResourceDefinition" and isinstance(spec := manifest.body.get("spec"), dict):
            names = spec.get("names")
            if isinstance(names, dict):
                kind = GroupKind(str(spec.get("group", "")), str(names.get("kind", "")))
                out[kind] = spec.get("scope") != "Cluster"
    return out


def make_wish(
    revisions: tuple[str, ...],
    parts: Sequence[Rendered],
    desired: Desired,
    discovery: Discovery,
    *,
    unserved: bool = False,
) -> Wish:
    """A wish of what was rendered; `unserved`: the cluster does not serve one of the kinds."""
    return Wish(
        revisions=revisions,
        source_types=tuple(str(part.source_type) for part in parts),
        digest=digest([masked(body) for body in digest_inputs(desired)]),
        objects={wanted.ref: pack(wanted) for wanted in desired.objects},
        hooks=tuple((hook.ref, pack(hook)) for hook in desired.hooks),
        delete_phases=delete_phases(desired.hooks),
        sync_hooks=sync_hooks(desired.hooks),
        repeated=desired.repeated,
        homeless=desired.homeless,
        warnings=tuple(warning for part in parts for warning in part.warnings),
        unserved=unserved,
        made_for=discovery,
    )


def _require(app: Application) -> None:
    if not app.sources:
        raise InvalidInput("has no source", about=str(app))


def _known_urls(rt: Runtime) -> tuple[str, ...]:
    return tuple(url for memory in rt.memories for url in sorted(memory.urls))
