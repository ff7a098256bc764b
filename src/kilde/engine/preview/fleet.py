"""A plan over many applications: those that a commit touches are found by what they read, rendered on both sides and compared."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from kilde.core.apps.application import Application, read_application
from kilde.core.apps.clusters import Clusters
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object
from kilde.core.plan.budget import FLEET_DEFAULT, FleetBudget, Spent
from kilde.core.preview.model import AppPlan, Finding
from kilde.core.render import Rendered
from kilde.core.secrets.raw import RawSecret, refusal
from kilde.engine.beside.looking import surroundings
from kilde.engine.fleet.projects import Projects
from kilde.engine.preview.against import settled
from kilde.engine.preview.application import Bench, Planned, Side, failed, plan_application, with_findings
from kilde.engine.preview.sides import Asked, Pinned, Resolver, Sides
from kilde.engine.preview.traces import Traces, key_of
from kilde.engine.preview.waits import waits
from kilde.engine.sources.rendering import Memories, Renderer
from kilde.engine.sources.sops import SopsKeys, decrypter
from kilde.ports.cluster import Cluster

_AT_ONCE = 4  # applications that are compared at the same time
_DEEPEST = 5  # Applications that Applications make, and so on
Progress = Callable[[int, int, str], None]  # how many of how many are done, and the name of the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cluster that applications deploy to. `served`: its version and what it serves."""

    bench: Bench
    served: tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a plan is worked out with. `cluster`: that of the Applications; `place`: where one is deployed to, or a KildeError."""

    cluster: Cluster
    clusters: Clusters
    where: str  # its address, for people
    now: float
    projects: Projects
    place: Callable[[Application], Awaitable[Place]]
    renderer: Renderer
    resolver: Resolver | Pinned
    traces: Traces
    sops: SopsKeys
    fleet_budget: FleetBudget = FLEET_DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The plans of applications that are touched or could not be judged, and how many are not; `keys`: of their traces."""

    plans: tuple[AppPlan, ...]
    untouched: int
    keys: tuple[str, ...]


@dataclass(slots=True)
class _Work:
    """One application on its way. `base`: what its other side gave, where that had to be rendered to learn what it reads."""

    app: Application
    sides: Sides
    memories: Memories = ()
    base: tuple[Rendered, ...] | None = None
    follows: str = ""


async def plan_fleet(
    desk: Desk, apps: Sequence[Application], asked: Asked, progress: Progress, fleet: Sequence[Application]
) -> Found:
    """Never raises for one application: what cannot be told of it is in its plan. KildeError where nothing can be told.

    `fleet`: all applications there are, those that nobody asked about included: some may be waited for.
    """
    plans: list[AppPlan] = []
    touched: list[_Work] = []
    keys: dict[str, None] = {}
    for number, app in enumerate(apps, 1):
        try:
            work, key = await _looked(desk, app, asked)
            keys[key] = None
            if work is not None:
                touched.append(work)
        except KildeError as error:
            plans.append(failed(app, str(error)))
        progress(number, len(apps), app.name)
    desk.resolver.check()
    untouched = len(apps) - len(touched) - len(plans)
    planned = await _planned(desk, touched, asked, progress)
    children = await _children(desk, planned, {app.name: app for app in apps}, asked, progress)
    done = [*planned, *children]
    made_by = {
        (one.server, step.ref): one.plan.name
        for one in done
        for step in one.plan.steps
        if step.action in ("create", "update", "replace")
    }
    later, over = _waits(fleet, done, desk.clusters), _over_fleet(desk, done, fleet)
    for one in done:
        near = {ref: name for (server, ref), name in made_by.items() if server == one.server}
        findings = settled(one.plan.findings, one.missing, near, one.plan.name)
        more = (*later.get(one.plan.name, ()), *(over if one.going else ()))
        plans.append(with_findings(one.plan, (*findings, *more)))
    untouched -= len({one.plan.name for one in children} & ({app.name for app in apps} - {w.app.name for w in touched}))
    return Found(plans=tuple(sorted(plans, key=lambda plan: plan.name)), untouched=max(untouched, 0), keys=tuple(keys))


def _waits(fleet: Sequence[Application], done: Sequence[Planned], clusters: Clusters) -> dict[str, list[Finding]]:
    known = {app.name: app for app in fleet}
    for one in done:
        known |= {name: _as_it_would_be(body, known.get(name), clusters) for name, body in one.applications.items()}
    return waits(known, (one.plan.name for one in done if one.plan.changes))


def _over_fleet(desk: Desk, done: Sequence[Planned], fleet: Sequence[Application]) -> list[Finding]:
    """Whether all deletions of the plan together are over the budget of the fleet, as if nothing had been deleted lately."""
    weights = {uid: weight for one in done for uid, weight in one.going.items()}
    total = sum(len(app.status.get("resources") or ()) for app in fleet)
    reason = Spent().excess(weights, desk.fleet_budget, total=total, now=desk.now)
    text = f"{reason}: the first ones go, the rest will be held"
    return [Finding(kind="budget", text=text, grave=True)] if reason else []


async def _looked(desk: Desk, app: Application, asked: Asked) -> tuple[_Work | None, str]:
    """The work on an application; None where the commit touches nothing that it reads."""
    _require_usable(app)
    sides = await desk.resolver.sides(app)
    work = _Work(app, sides)
    around = surroundings(app, desk.renderer.kustomize, *(await desk.place(app)).served)
    sops = await decrypter(desk.cluster, app, desk.sops)
    key = key_of(app.sources, around, sops.keys if sops else "")
    if sides.base is None or (asked.names and not sides.moves):
        return work, key
    if not sides.moves:
        return None, key
    known = desk.traces.of(key, app.sources, around, sops.keys if sops else "")
    if known and await _hold(desk, known, sides.base):
        memories = tuple(memory.at(sides.base) for memory in known)
    else:
        result, memories = await desk.renderer.render(app.sources, sides.base, (), around=around, sops=sops)
        work.base = result.parts
    desk.traces.note(key, memories)
    if not asked.names and await _hold(desk, memories, sides.head):
        return None, key
    return work, key


def _require_usable(app: Application) -> None:
    if app.problems or not app.sources:
        raise KildeError("; ".join(app.problems) or "has no source", about=str(app))


async def _hold(desk: Desk, memories: Memories, revisions: tuple[str, ...]) -> bool:
    """Whether renders at these commits would read what they read before."""
    if any(read.trace.remotes for memory in memories for read in memory.reads):
        return False
    for memory in memories:
        if not await desk.renderer.still_true(memory, revisions):
            return False
    return True


async def _planned(desk: Desk, works: Iterable[_Work], asked: Asked, progress: Progress) -> list[Planned]:
    works, gate, done = list(works), asyncio.Semaphore(_AT_ONCE), 0

    async def one(work: _Work) -> Planned:
        nonlocal done
        async with gate:
            try:
                found = await _plan(desk, work, asked)
            except KildeError as error:
                found = Planned(plan=failed(work.app, str(error)), missing={}, applications={})
        done += 1
        progress(done, len(works), work.app.name)
        return found

    return list(await asyncio.gather(*map(one, works)))


async def _plan(desk: Desk, work: _Work, asked: Asked) -> Planned:
    app, sides = work.app, work.sides
    place = await desk.place(app)
    around = surroundings(app, desk.renderer.kustomize, *place.served)
    sops = await decrypter(desk.cluster, app, desk.sops)

    async def rendered(revisions: tuple[str, ...]) -> tuple[tuple[Rendered, ...], tuple[RawSecret, ...]]:
        result, memories = await desk.renderer.render(app.sources, revisions, (), around=around, sops=sops)
        return result.parts or (), tuple(one for memory in memories for one in memory.raw)

    parts, raw = await rendered(sides.head)
    head = Side(words=sides.words, revisions=sides.head, parts=parts)
    base = None
    if sides.base is not None and not work.follows:
        other = head.parts if sides.base == sides.head else work.base
        if other is None:
            other, _ = await rendered(sides.base)
        base = Side(words=app.words, revisions=sides.base, parts=other)
    auto = app.policy.automated
    prune = asked.prune or bool(auto and auto.prune) if sides.prune is None else sides.prune
    planned = await plan_application(place.bench, app, head, base, prune=prune)
    plan = planned.plan
    if raw and not desk.projects.allows_raw_secrets(app):
        told = Finding(
            kind="raw-secret", text=f"refused unless the controller allows it: {refusal(raw, app.project)}", grave=True
        )
        plan = with_findings(plan, (*plan.findings, told))
    return replace(planned, plan=_following(plan, work.follows))


def _following(plan: AppPlan, parent: str) -> AppPlan:
    return msgspec.structs.replace(plan, follows=parent) if parent else plan


async def _children(
    desk: Desk, planned: Sequence[Planned], known: dict[str, Application], asked: Asked, progress: Progress
) -> list[Planned]:
    """Applications that the plan itself makes or changes, as they would be then; an Application that makes Applications is one step."""
    out: list[Planned] = []
    seen = {one.plan.name for one in planned}
    level: Sequence[Planned] = planned
    for _ in range(_DEEPEST):
        works, lost = [], []
        for parent in level:
            for name, body in parent.applications.items():
                if name in seen:
                    continue
                seen.add(name)
                app = _as_it_would_be(body, known.get(name), desk.clusters)
                try:
                    _require_usable(app)
                    works.append(_Work(app, await desk.resolver.sides(app), follows=parent.plan.name))
                except KildeError as error:
                    plan = _following(failed(app, str(error)), parent.plan.name)
                    lost.append(Planned(plan=plan, missing={}, applications={}))
        if not works and not lost:
            break
        level = await _planned(desk, works, asked, progress)
        out += [*level, *lost]
    return out


def _as_it_would_be(body: Object, known: Application | None, clusters: Clusters) -> Application:
    """The Application of a manifest, with the status of the one that is there: its inventory is still what it owns."""
    app = read_application(body, clusters)
    return replace(app, status=known.status, uid=known.uid) if known is not None else app
