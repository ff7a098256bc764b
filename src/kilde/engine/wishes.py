"""Wishes: what Git wants of an application, fetched, resolved, rendered and made ready; and nothing done twice."""

from collections.abc import Iterable
from dataclasses import replace

from kilde.core.apps.application import Application, Source
from kilde.core.basics.errors import InvalidInput, SourceError
from kilde.core.basics.values import digest
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.desired import Desired, prepare
from kilde.core.plan.masking import masked
from kilde.core.render import Rendered
from kilde.core.source.revision import Revision
from kilde.engine.context import NAMESPACES, Context
from kilde.engine.remotes import remote_urls
from kilde.engine.runtime import Runtime, Wish, delete_phases, digest_inputs, pack
from kilde.ports.cluster import Discovery


class Wishes:
    """Works wishes out, and sees to it that the live view watches what they need."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def current(self, app: Application, rt: Runtime, *, fresh: bool, hard: bool) -> Wish:
        """The wish at the application's target revision, all its objects watched. Raises KildeError."""
        ctx = self._ctx
        source = _source(app)
        await ctx.repositories.ensure(source.repo_url)
        if fresh:
            for url in (source.repo_url, *remote_urls(rt.memory.trace if rt.memory else None)):
                await ctx.repositories.fetch(url)
        sha = await ctx.world.sources.resolve(source.repo_url, source.target_revision)
        await ctx.signatures.check(app, sha)
        discovery = await ctx.world.cluster.discovery()
        stale = rt.wish is None or (rt.wish.unserved and rt.wish.made_for is not discovery)
        result, memory = await ctx.renderer.render(
            source, sha, None if hard or stale else rt.memory, project=app.project
        )
        if result.rendered is not None:
            rt.wish = self._wish(app, sha, result.rendered, discovery)
        elif rt.wish is not None and rt.wish.sha != sha:
            rt.wish = rt.wish.moved(app, sha)
        rt.memory = memory
        assert rt.wish is not None
        await self._watch(app, rt.wish, discovery)
        return rt.wish

    async def at(self, app: Application, revision: str) -> Wish:
        """The wish at another revision, for one operation. Raises KildeError."""
        ctx = self._ctx
        source = _source(app)
        sha = await ctx.world.sources.resolve(source.repo_url, revision)
        await ctx.signatures.check(app, sha)
        result, _ = await ctx.renderer.render(source, sha, None, project=app.project)
        assert result.rendered is not None
        return self._wish(app, sha, result.rendered, await ctx.world.cluster.discovery())

    async def revision(self, app: Application, sha: str) -> Revision | None:
        """Who made the commit; None where that cannot be told."""
        try:
            found = await self._ctx.world.sources.revision(_source(app).repo_url, sha)
            signature = await self._ctx.signatures.check(app, sha)
        except SourceError:
            return None
        if signature is None:
            return found
        return replace(
            found, signature=str(signature.verified), signer=" ".join((signature.signer, *signature.keys[:1]))
        )

    def _wish(self, app: Application, sha: str, rendered: Rendered, discovery: Discovery) -> Wish:
        coming = defined_scopes(rendered.manifests)

        def scope(kind: GroupKind) -> bool | None:
            found = discovery.resource(kind.group, kind.kind)
            return found.namespaced if found else coming.get(kind)

        desired = prepare(
            rendered.manifests,
            app=app.name,
            namespace=app.destination.namespace,
            scope=scope,
            tracking=self._ctx.live.tracking,
        )
        refs = (*desired.refs, *(hook.ref for hook in desired.hooks))
        unserved = any(discovery.resource(ref.group, ref.kind) is None for ref in refs)
        return _wish(sha, rendered, desired, discovery, unserved)

    async def _watch(self, app: Application, wish: Wish, discovery: Discovery) -> None:
        """Everything wanted, and everything the status says we may own; their schemas known."""
        ctx, rt = self._ctx, self._ctx.runtime(app.name)
        owned = owned_refs(app) | ctx.left_over(app.name)
        made_for = (discovery, wish.objects, owned)
        before = rt.watched
        same = before is not None and before[0] is discovery and before[1] is wish.objects
        if before is not None and same and owned <= before[2] | wish.objects.keys():
            return
        for ref, packed in wish.objects.items():
            resource = discovery.resource(ref.group, ref.kind)
            if resource is not None:
                await ctx.schemas.learn(resource, packed.version)
        ctx.hold(app.name, wish.objects)
        await ctx.watch_all(app.name, {*wish.objects, *owned, *(ref for ref, _ in wish.hooks)}, discovery)
        if app.policy.options.is_on("CreateNamespace") and app.destination.namespace:
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


def _wish(sha: str, rendered: Rendered, desired: Desired, discovery: Discovery, unserved: bool) -> Wish:
    return Wish(
        sha=sha,
        source_type=str(rendered.source_type),
        digest=digest([masked(body) for body in digest_inputs(desired)]),
        objects={wanted.ref: pack(wanted) for wanted in desired.objects},
        hooks=tuple((hook.ref, pack(hook)) for hook in desired.hooks),
        delete_phases=delete_phases(desired.hooks),
        repeated=desired.repeated,
        warnings=tuple(rendered.warnings),
        unserved=unserved,
        made_for=discovery,
    )


def _source(app: Application) -> Source:
    if app.source is None:
        raise InvalidInput("has no source", about=str(app))
    return app.source
