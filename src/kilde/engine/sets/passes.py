"""One pass over one ApplicationSet: generate where something changed, write what differs, delete only what may go, say how it is."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from kilde.core.apps.application import read_application
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.patches.merge_patch import patch_between
from kilde.core.objects.typed.unknown import declared_only
from kilde.core.sets import rollout, status
from kilde.core.sets.application_set import FINALIZER, REFRESH_ANNOTATION, ApplicationSet
from kilde.core.sets.generating import Generated, generate, requeue_after
from kilde.core.sets.policy import ANYTHING
from kilde.engine.context import Context
from kilde.engine.fleet.applications import APPLICATIONS
from kilde.engine.fleet.clusters import ClusterSecrets
from kilde.engine.sets.outside import PortsOutside
from kilde.engine.sets.store import SETS, SetStore
from kilde.engine.sets.writes import Failure, SetWriter

log = structlog.get_logger()

_AFTER_AN_ERROR = 180.0
_SOON = 0.5
_PATIENCE = 900.0  # seconds that generating may take
_THREADS = 4
_NAMED = 10  # Applications that a message names


@dataclass(slots=True)
class SetRuntime:
    """What is remembered of a set between two passes; all of it can be lost. `due` in monotonic seconds."""

    made: Generated | None = None
    stale: bool = True
    due: float = 0.0
    commits: dict[tuple[str, str], str] = field(default_factory=dict)
    generations: int = 0


class SetPasses:
    """Runs passes, one at a time for each set."""

    def __init__(self, ctx: Context, store: SetStore, secrets: ClusterSecrets, owned: "Owned") -> None:
        self._ctx, self._store, self._secrets, self._owned = ctx, store, secrets, owned
        self.runtimes: dict[str, SetRuntime] = {}
        self.policy = ANYTHING  # the controller brings what argocd-cmd-params-cm says
        self._writer = SetWriter(ctx)
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="generate")

    def runtime(self, key: str) -> SetRuntime:
        return self.runtimes.setdefault(key, SetRuntime())

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, key: str) -> float | None:
        """One pass; seconds after which the next one is due. Nothing that one set does stops the others."""
        await self._ctx.fleet.synced.wait()  # what exists must not be made again
        owner = self._store.get(key)
        if owner is None:
            self.runtimes.pop(key, None)
            return None
        if self.policy.dry:
            return None
        try:
            if owner.is_guest and not self._ctx.fleet.others.has(owner.namespace):
                words = (
                    f"Applications may not be in namespace {owner.namespace}: application.namespaces does not name it"
                )
                await self._say(owner, status.failed("ErrorOccurred", words, generated=False), [])
                return None
            if owner.deleted_at is not None:
                return await self._deleting(self.policy.over(owner))
            return await self._pass(self.policy.over(owner))
        except ClusterError as error:
            log.warning("a pass over an ApplicationSet was cut off", set=key, error=str(error))
            return _SOON if error.status == 409 else 5.0
        except Exception as error:  # noqa: BLE001 - one set must not stop the others
            fault = type(error).__name__  # its words and its traceback may hold values: only its kind is shown
            log.error("defect in a pass over an ApplicationSet", set=key, error=fault)  # noqa: TRY400
            return _AFTER_AN_ERROR

    async def _pass(self, owner: ApplicationSet) -> float | None:
        if owner.deletes_in_reverse and FINALIZER not in owner.finalizers:
            await self._patch(owner, {"metadata": {"finalizers": [*owner.finalizers, FINALIZER]}})
            return None  # the watch brings it back
        rt = self.runtime(owner.key)
        made = await self._made(owner, rt)
        live = self._owned.applications(owner.key)
        if made.error:
            await self._say(owner, status.failed(made.reason, made.error, generated=False), live)
            return self._next(rt, failed=True)
        problems = self._problems(owner, made.applications)
        turn = rollout.advance(owner, live, made.applications, self._ctx.now())
        await self._writer.refresh(owner, turn.to_refresh)
        wanted = self._to_write(owner, made.applications, problems, turn)
        failure = await self._writer.bring(owner, wanted, {str(a["metadata"]["name"]): a for a in live})
        kept = ""
        if owner.may_delete and not failure:
            kept, failure = await self._deleted(owner, made, live)
        said = _verdict(problems, kept, failure)
        await self._say(owner, [*turn.conditions, *said], self._owned.applications(owner.key), turn)
        if owner.refresh and not failure:
            await self._patch(owner, {"metadata": {"annotations": {REFRESH_ANNOTATION: None}}})
        if list(turn.statuses) != list(owner.status.get("applicationStatus") or ()) and owner.rolling:
            return _SOON  # what one Application reached may be what another waits for
        return self._next(rt, failed=bool(problems or failure))

    async def _made(self, owner: ApplicationSet, rt: SetRuntime) -> Generated:
        """What the generators and templates give; the last result where nothing has changed that they look at."""
        clock = self._ctx.world.clock
        if rt.made is not None and not rt.stale and clock.monotonic() < rt.due:
            return rt.made
        rt.stale = False
        outside = self._outside(owner)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(
            self._threads, partial(generate, owner, outside, replace(self.policy, guest=owner.is_guest))
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                made = await work
        except TimeoutError:
            made = Generated(error=f"generating took longer than {_PATIENCE:g} s", reason="ErrorOccurred")
        made = await self._declared(made)
        rt.made, rt.commits = made, outside.commits
        rt.generations += 1
        every = requeue_after(owner.generators, unsaid=self.policy.every) or float("inf")
        rt.due = clock.monotonic() + (min(every, _AFTER_AN_ERROR) if made.error else every)
        if made.error:
            log.warning("an ApplicationSet gives no Applications", set=owner.name, error=made.error)
        return made

    async def _declared(self, made: Generated) -> Generated:
        """Without fields that Applications do not have: the API server drops them, so they would be missed for ever."""
        schemas = self._ctx.schemas
        await schemas.learn(APPLICATIONS, APPLICATIONS.version)
        node = schemas.node(APPLICATIONS.group, APPLICATIONS.version, APPLICATIONS.kind)
        if node is None:
            return made
        return replace(made, applications=tuple(declared_only(body, node) for body in made.applications))

    def _outside(self, owner: ApplicationSet) -> PortsOutside:
        ctx = self._ctx
        every = requeue_after(owner.generators, unsaid=self.policy.every) or ctx.settings.poll

        async def fetch(url: str, project: str) -> None:
            if owner.is_guest and not ctx.projects.lets_in(project, owner.namespace):
                project = ""  # the credentials of a project are for those that it lets in
            fresh = ctx.world.clock.monotonic() - (0.0 if owner.refresh else every)
            await ctx.repositories.ensure(url, project)
            await ctx.repositories.fetch(url, project, since=fresh)

        async def cluster() -> Any:
            return ctx.world.cluster

        return PortsOutside(
            namespace=ctx.settings.namespace,
            own_namespace=owner.namespace,
            cluster=cluster,
            sources=ctx.world.sources,
            web=ctx.world.web,
            clock=ctx.world.clock,
            fetch=fetch,
            clusters=self._secrets.for_generators,
            start=ctx.start,
            labelled_tokens=self.policy.labelled_tokens,
        )

    def _problems(self, owner: ApplicationSet, wanted: Iterable[Object]) -> dict[str, str]:
        """Why generated Applications cannot be, by name; the others go on."""
        found: dict[str, str] = {}
        seen: set[str] = set()
        for body in wanted:
            name = str(body["metadata"].get("name") or "")
            if not name:
                found[name] = (
                    f"ApplicationSet {owner.name} contains an application with no name; a name must be set in the "
                    "template's metadata.name or via a templatePatch (generateName is not supported)"
                )
                continue
            if name in seen:
                found[name] = f"ApplicationSet {owner.name} contains applications with duplicate name: {name}"
                continue
            seen.add(name)
            app = read_application(body, self._secrets.clusters, home=self._ctx.settings.namespace)
            if self._ctx.projects.of(app) is None:
                found[name] = f"application references project {app.project} which does not exist"
            wrong = [problem for problem in app.problems if problem.startswith("spec.destination")]
            if wrong:
                words = wrong[0].removeprefix("spec.destination: ")
                found[name] = f"application destination spec is invalid: {words}"
        return found

    def _to_write(
        self, owner: ApplicationSet, made: tuple[Object, ...], problems: dict[str, str], turn: rollout.Rollout
    ) -> list[Object]:
        """The Applications that can be, by name; in a rolling set without automation, those whose turn it is with a sync."""
        usable = sorted(
            (body for body in made if body["metadata"].get("name") not in problems and body["metadata"].get("name")),
            key=lambda body: str(body["metadata"]["name"]),
        )
        if not owner.rolling:
            return usable
        targets = {str(each["application"]): list(each.get("targetRevisions") or ()) for each in turn.statuses}
        return [
            rollout.with_sync(body, targets.get(name, []))
            if (name := str(body["metadata"]["name"])) in turn.to_sync
            else rollout.without_automation(body)
            for body in usable
        ]

    async def _deleted(self, owner: ApplicationSet, made: Generated, live: list[Object]) -> tuple[str, Failure | None]:
        """Deletes what the set does not want any more; gives why some are kept, and what failed."""
        wanted = {str(body["metadata"].get("name")) for body in made.applications}
        unwanted = [app for app in live if app["metadata"]["name"] not in wanted]
        empty = made.empty if owner.generators else ("spec.generators",)
        if unwanted and empty and not owner.may_be_empty:
            names = sorted(str(app["metadata"]["name"]) for app in unwanted)
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            return (
                f"{', '.join(empty)} gives nothing: {len(names)} Applications are kept ({', '.join(names[:_NAMED])}{more}); "
                'if that is meant, set the annotation kilde.dev/allow-empty: "true" on the ApplicationSet'
            ), None
        return "", await self._writer.delete(owner, unwanted)

    async def _say(
        self,
        owner: ApplicationSet,
        said: list[Object],
        live: list[Object],
        turn: rollout.Rollout | None = None,
    ) -> None:
        """Writes the status, where it changed."""
        now = self._ctx.now()
        owner = self._store.get(owner.key) or owner
        before = owner.status
        conditions = status.merged(before.get("conditions") or (), said, rolling=owner.steps is not None, now=now)
        entries, count = status.resources(live, self.policy.resources)
        after: Object = {
            **before,
            "conditions": conditions,
            "health": {**(before.get("health") or {}), **status.health(conditions)},
            "resources": entries,
            "resourcesCount": count,
        }
        if not owner.rolling:
            after.pop("applicationStatus", None)
        elif turn is not None:
            after["applicationStatus"] = list(turn.statuses)
        if not count and "resources" not in before:
            del after["resources"], after["resourcesCount"]
        change = patch_between(dict(before), after)
        if change:
            await self._patch(owner, {"status": change}, subresource="status")

    async def _patch(self, owner: ApplicationSet, patch: Object, *, subresource: str = "") -> None:
        ctx = self._ctx
        raw = await ctx.world.cluster.patch(
            SETS, owner.namespace, owner.name, patch, manager=ctx.settings.manager, subresource=subresource
        )
        self._store.observe(raw)

    async def _deleting(self, owner: ApplicationSet) -> float | None:
        """A set that is being deleted: its Applications are let go, or go in order, before its finalizer does."""
        if FINALIZER not in owner.finalizers:
            return None  # the garbage collector does it
        live = self._owned.applications(owner.key)
        if not owner.may_delete:
            await self._writer.disown(owner, live)
        elif owner.deletes_in_reverse and await self._writer.delete_last(owner, live):
            return 10.0  # or when the one that goes is gone
        left = [each for each in owner.finalizers if each != FINALIZER]
        await self._patch(owner, {"metadata": {"finalizers": left or None}})
        return None

    def _next(self, rt: SetRuntime, *, failed: bool) -> float | None:
        remaining = rt.due - self._ctx.world.clock.monotonic()
        if failed:
            remaining = min(remaining, _AFTER_AN_ERROR)
        return None if remaining == float("inf") else max(remaining, _SOON)


def _verdict(problems: dict[str, str], kept: str, failure: Failure | None) -> list[Object]:
    """The conditions after an attempt to write: the gravest word counts."""
    if failure is not None:
        return status.failed(*failure, generated=True)
    if problems:
        last = problems[max(problems)]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return status.failed("ApplicationValidationError", last + more, generated=True)
    if kept:
        return status.failed("DeleteApplicationError", kept, generated=True)
    return status.went_well()


class Owned:
    """Which Applications belong to which set, from what the fleet has seen."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._by_set: dict[str, set[str]] = {}
        self._set_of: dict[str, str] = {}

    def note(self, application: str, owner: str) -> str:
        """The Application belongs to that set ("": to none) from now on; gives the set it belonged to."""
        before = self._set_of.pop(application, "")
        if before:
            self._by_set[before].discard(application)
        if owner:
            self._set_of[application] = owner
            self._by_set.setdefault(owner, set()).add(application)
        return before

    def count(self, owner: str) -> int:
        return len(self._by_set.get(owner, ()))

    def applications(self, owner: str) -> list[Object]:
        """The Applications of a set as they are now."""
        names = sorted(self._by_set.get(owner, ()))
        return [self._ctx.fleet.raw(name) for name in names if self._ctx.fleet.get(name) is not None]
