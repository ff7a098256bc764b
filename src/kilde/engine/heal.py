"""Heals: a foreign write to something Git owns is undone at once, by one apply, behind no sync and no other object.

Called by the controller for every change of an object that an application wants. A fight is slowed down, for that object only.
"""

import asyncio
from collections.abc import Iterable

import structlog

from kilde.core.apply.outcome import ObjectResult, Phase, ResultCode
from kilde.core.apps.application import Application
from kilde.core.apps.operation import read_operation
from kilde.core.apps.quarantine import quarantine_of
from kilde.core.apps.status import OperationState, last_attempt
from kilde.core.basics.backoff import Backoff
from kilde.core.objects.images import images_of
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.fight import FightBook
from kilde.core.plan.policy import Options, SyncPolicy
from kilde.engine.context import Context
from kilde.engine.operation.automated import automated_operation, named_out_of_step
from kilde.engine.operation.pen import Pen
from kilde.engine.operation.writes import apply_one
from kilde.engine.runtime import Heal, Packed, Runtime, Wish

log = structlog.get_logger()

_AGAIN = Backoff(first=1.0, factor=2.0, ceiling=30.0)
_WHOLE = ("(the object)",)


def may_heal(app: Application, rt: Runtime) -> bool:
    """Whether the application heals itself now: switched on, synced at what Git says, and no operation at work."""
    auto = app.policy.automated
    if auto is None or not auto.self_heal or app.deleting or app.skipped or app.operation is not None:
        return False
    if app.problems or app.uncomparable:
        return False
    if rt.wish is None or rt.busy or rt.running is not None:
        return False
    quarantine = quarantine_of(app)
    if quarantine is not None and quarantine.covers(rt.wish.sha, rt.wish.digest):
        return False
    attempt = last_attempt(app.status)
    if attempt is None or attempt.phase != Phase.SUCCEEDED or not attempt.revision:
        return False
    return attempt.revision in (rt.wish.sha, rt.wish.synced_at)


class Healer:
    """Heals objects one by one; the queue makes sure an object is healed by one hand only."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._failed: dict[tuple[str, ObjectRef], tuple[int, float]] = {}  # times in a row, and when it is tried again
        self.heals = 0

    async def heal(self, name: str, ref: ObjectRef) -> float | None:
        """Puts one object back if it must be. Gives the seconds after which to look again (None: when it changes)."""
        ctx = self._ctx
        app, rt = ctx.fleet.get(name), ctx.runtimes.get(name)
        ctx.require()
        if app is None or rt is None or rt.wish is None or not may_heal(app, rt) or ctx.window(name) is not None:
            return None
        packed = rt.wish.objects.get(ref)
        if packed is None or packed.skipped:
            return None
        change = ctx.surveyor.judge(app, rt, ref, packed).change
        if change.forbidden or ctx.projects.refusals(app) or not ctx.projects.may_sync(app, manual=False):
            return None
        if ctx.projects.account_refusal(app):
            return None  # the pass makes a sync of it, which tells why it fails
        if (
            change.action not in (Action.CREATE, Action.UPDATE)
            or not change.differs
            or (change.fault or ref in rt.refused)  # the pass makes a sync of it, which tells why it fails
            or ctx.is_rivals(app, change.holder)
        ):
            return None
        if change.live_version and _is_stuck(rt, ref, packed, change.live_version):
            return None
        fields = tuple(field.path for field in change.fields) or _WHOLE
        book = rt.fights.setdefault(ref, FightBook())
        now = ctx.world.clock.monotonic()
        delay = max(book.delay(fields, now=now), self._failed.get((name, ref), (0, now))[1] - now)
        if book.is_fight(fields, now=now):
            await self._fight(app, rt, ref, change)
        if delay > 0:
            return delay
        if not _wants(rt, ref, packed):
            return 0.001  # Git wants something else since the fight was told of
        return await self._put_back(app, rt, ref, packed, change, book, fields)

    async def _put_back(
        self,
        app: Application,
        rt: Runtime,
        ref: ObjectRef,
        packed: Packed,
        change: Change,
        book: FightBook,
        fields: tuple[str, ...],
    ) -> float | None:
        ctx = self._ctx
        begun, pen = ctx.now(), self._pen(app, ref, packed)
        revision = rt.wish.sha if rt.wish else ""
        number = ctx.accounts.opened(
            app,
            cause=f"self-heal of {revision}",
            asked_by="automated",
            revision=None,
            digest=rt.wish.digest if rt.wish else "",
            changes=[change],
        )
        over = asyncio.Event()
        rt.healing[ref] = packed, over
        try:
            result = await apply_one(change, pen)
        finally:
            del rt.healing[ref]
            over.set()
        ok = result.code is ResultCode.SYNCED
        if ok:
            book.healed(fields, now=ctx.world.clock.monotonic())
        writers = tuple(dict.fromkeys(str(field.owner) for field in change.fields if field.owner))
        heal = Heal(
            ref=ref,
            version=change.version,
            message=result.message,
            fields=fields,
            writers=writers,
            started_at=begun,
            ended_at=ctx.now(),
            ok=ok,
        )
        ctx.accounts.healed(number, app, heal, result)
        return await self._after(app, rt, ref, packed, heal, result)

    async def _after(
        self, app: Application, rt: Runtime, ref: ObjectRef, packed: Packed, heal: Heal, result: ObjectResult
    ) -> float | None:
        ctx = self._ctx
        key = (app.name, ref)
        if not heal.ok:
            log.warning("heal refused", application=app.name, object=str(ref), error=result.message)
            ctx.wake(app.name, 0.0)
            if result.lasting:
                rt.refused.add(ref)
                self._failed.pop(key, None)
                return None
            failures = self._failed.get(key, (0, 0.0))[0] + 1
            delay = _AGAIN.delay(failures, dice=ctx.world.clock.dice())
            self._failed[key] = failures, ctx.world.clock.monotonic() + delay
            return delay
        self._failed.pop(key, None)
        self.heals += 1
        rt.heal_count += 1
        rt.healed.append(heal)
        after = ctx.surveyor.judge(app, rt, ref, packed)
        if (
            after.change.action is Action.UPDATE and after.live_version == result.after
        ):  # a later one is somebody else's
            rt.stuck[ref] = packed, after.live_version
        else:
            rt.stuck.pop(ref, None)
        who = ", ".join(heal.writers) or "somebody"
        log.info("healed", application=app.name, object=str(ref), fields=list(heal.fields), changed_by=who)
        ctx.wake(app.name, 0.05)
        return None

    async def _fight(self, app: Application, rt: Runtime, ref: ObjectRef, change: Change) -> None:
        """Names the other side, once a fight."""
        who = ", ".join(dict.fromkeys(field.owner.manager for field in change.fields if field.owner)) or "somebody"
        fields = ", ".join(field.path for field in change.fields) or "the object itself"
        text = (
            f"{ref}: {who} keeps changing {fields}; it is put back every 2 s at most. "
            "Stop the other side, or leave the field out of Git or to ignoreDifferences"
        )
        if rt.fighting.get(ref) != text:
            known = ref in rt.fighting
            rt.fighting[ref] = text
            self._ctx.wake(app.name, 0.05)
            if not known:
                await self._ctx.reporter.event(app, kind="Warning", reason="DriftFight", message=text)

    def calm(self, rt: Runtime) -> None:
        """Forgets fights that have been quiet for a minute."""
        now = self._ctx.world.clock.monotonic()
        for ref in [ref for ref, book in rt.fights.items() if book.is_quiet(now=now)]:
            del rt.fights[ref]
            rt.fighting.pop(ref, None)

    def _pen(self, app: Application, ref: ObjectRef, packed: Packed) -> Pen:
        ctx = self._ctx
        return Pen(
            cluster=ctx.writer(app),
            live=ctx.live,
            clock=ctx.world.clock,
            manager=ctx.settings.manager,
            policy=_careful(app),
            ignore=(*ctx.surveyor.customizations.ignore, *app.ignore),
            body=lambda _: packed.unpack(ref).manifest.body,
            node=lambda ref, version: ctx.schemas.node(ref.group, version, ref.kind),
        )


def _careful(app: Application) -> SyncPolicy:
    """A heal puts back what drifted, and leaves alone what Git leaves to others; taking fields over is a sync's work."""
    way = tuple(text for text in ("ServerSideApply=true", "Replace=true") if app.policy.options.has(text))
    return SyncPolicy(options=Options(("RespectIgnoreDifferences=true", "ClientSideApplyMigration=false", *way)))


def _is_stuck(rt: Runtime, ref: ObjectRef, packed: Packed, live_version: str) -> bool:
    """Whether an apply of just this could not bring just that nearer: it is not tried again until either changes."""
    wanted, version = rt.stuck.get(ref, (None, ""))
    return wanted is packed and version == live_version


def _wants(rt: Runtime, ref: ObjectRef, packed: Packed) -> bool:
    return rt.wish is not None and rt.wish.objects.get(ref) is packed


async def outdated_heals(rt: Runtime, wish: Wish) -> None:
    """Waits for heals that write what Git no longer wants, or wants otherwise: what they leave has to be seen by whoever looks next."""
    for ref, (packed, over) in list(rt.healing.items()):
        if wish.objects.get(ref) is not packed:
            await over.wait()


def heal_state(app: Application, rt: Runtime, heals: Iterable[Heal]) -> OperationState | None:
    """What the status tells of heals: a partial automated operation, as Argo CD would have made."""
    heals = tuple(heals)
    wish = rt.wish
    if not heals or wish is None:
        return None
    latest = dict(sorted({heal.ref: heal for heal in heals}.items()))
    waves = {ref: wish.objects[ref].wave if ref in wish.objects else 0 for ref in latest}
    resources = named_out_of_step(latest, (judged.change for judged in rt.judged.values()))
    raw = automated_operation(app, wish.revisions, resources=resources, tries=rt.heal_count)
    operation = read_operation(raw)
    return OperationState(
        operation=operation.raw,
        phase=Phase.SUCCEEDED,
        message="successfully synced (all tasks run)",
        started_at=min(heal.started_at for heal in heals),
        finished_at=max(heal.ended_at for heal in heals),
        revisions=wish.revisions,
        has_result=True,
        results=tuple(
            ObjectResult(
                ref=heal.ref,
                version=heal.version,
                code=ResultCode.SYNCED,
                message=heal.message,
                verb="configured",
                images=_images(wish, heal.ref),
                hook_phase="Running" if waves[heal.ref] == max(waves.values()) else "Succeeded",
                reported_namespace="" if heal.ref.namespace else app.destination.namespace,
            )
            for heal in latest.values()
        ),
    )


def _images(wish: Wish, ref: ObjectRef) -> tuple[str, ...]:
    packed = wish.objects.get(ref)
    return () if packed is None else images_of([packed.unpack(ref).manifest.body])
