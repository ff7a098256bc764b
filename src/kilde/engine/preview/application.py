"""One application's part of a plan: the steps of a sync in the order in which the engine takes them, and what is known against them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kilde.core.apply.tasks import Task, arrange
from kilde.core.apps.application import IN_CLUSTER, Application
from kilde.core.apps.operation import Operation
from kilde.core.apps.quarantine import quarantine_of
from kilde.core.basics.errors import SourceError
from kilde.core.basics.values import Object
from kilde.core.objects.images import images_of
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.budget import DEFAULT, Budget
from kilde.core.plan.change import ABSENT, MASKED, Action, FieldChange
from kilde.core.plan.desired import Desired
from kilde.core.plan.digest import basis_digest, basis_of, plan_digest, writes_of
from kilde.core.plan.masking import is_secret, redacted
from kilde.core.plan.planner import Plan
from kilde.core.preview.model import AppPlan, Field, Finding, SourceAt, Step
from kilde.core.render import Rendered
from kilde.core.source.repository_url import redact
from kilde.engine.beside.comparing import Compared, Comparer, Met
from kilde.engine.beside.inspect import difference
from kilde.engine.fleet.projects import Projects
from kilde.engine.operation.orders import make_order
from kilde.engine.preview.against import Missing, known_against, recreated
from kilde.engine.runtime import Running, Wish
from kilde.engine.sources.signatures import Signatures
from kilde.engine.sources.wishes import make_wish

_LONGEST = 400  # characters of a value
_MOST_FIELDS = 200  # of one object
_LONGEST_DIFF = 64 * 1024  # characters of one object's diff
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every application of a plan is judged with."""

    by: Comparer
    projects: Projects
    assess: Callable[[Object], Any]
    write: Callable[[Object], str]
    manager: str
    now: float
    dry_run: bool = False
    signatures: Signatures | None = None  # commits are not judged without it
    budget: Budget = DEFAULT  # of the controller, where neither the Application nor its project says


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """An application at some commits: a word, a commit and what was rendered for each source."""

    words: tuple[str, ...]
    revisions: tuple[str, ...]
    parts: tuple[Rendered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The plan; what is missing unless another application makes it; and the Applications that it changes, as they would be."""

    plan: AppPlan
    missing: Missing
    applications: Mapping[str, Object]
    server: str = ""  # of the cluster that it deploys to
    going: Mapping[str, int] = field(default_factory=dict)  # deletions that its own budget permits


async def plan_application(bench: Bench, app: Application, head: Side, base: Side | None, *, prune: bool) -> Planned:
    """Raises KildeError where it cannot be told."""
    by = bench.by
    manifests = tuple(manifest for part in head.parts for manifest in part.manifests)
    compared = await by.compare(app, manifests, prune=prune)
    wish = make_wish(head.revisions, head.parts, compared.desired, compared.discovery)
    changes = tuple(met.change for met in compared.objects)
    before = await _before(by, app, base, compared)
    against = await known_against(
        by,
        app,
        compared,
        bench.projects,
        rendered=wish.digest,
        dry_run=bench.dry_run,
        manager=bench.manager,
        budget=bench.budget,
    )
    for refusal in await _unsigned(bench, app, head.revisions):
        against.add("signature", refusal, grave=True)
    quarantine = quarantine_of(app)
    if quarantine is not None and quarantine.covers(wish.sha, wish.digest):
        against.add("quarantine", quarantine.sentence(app.name), grave=True)
    for text in (*wish.repeated, *wish.warnings):
        against.add("warning", text)
    told = app.status
    plan = AppPlan(
        name=app.name,
        namespace=app.namespace,
        uid=app.uid,
        project=app.project,
        destination=f"{app.destination.server or app.destination.name or IN_CLUSTER} {app.destination.namespace}".strip(),
        sources=_sources(app, head, base),
        revision=wish.sha,
        rendered=wish.digest,
        digest=plan_digest(application=app.place, revision=wish.sha, rendered=wish.digest, changes=changes),
        basis=basis_digest((change.ref, _basis(compared, change.ref)) for change in writes_of(changes)),
        automated=app.policy.automated is not None,
        prune=prune,
        health=str((told.get("health") or {}).get("status") or ""),
        sync=str((told.get("sync") or {}).get("status") or ""),
        steps=tuple(_steps(bench, app, wish, compared, before)),
        unchanged=sum(1 for change in changes if change.action is Action.KEEP),
        findings=tuple(against.findings),
        images=_new_images(compared, base),
    )
    return Planned(
        plan=plan,
        missing=against.missing,
        applications=_applications(app, compared),
        server=app.destination.cluster.server,
        going=against.going,
    )


async def _unsigned(bench: Bench, app: Application, revisions: tuple[str, ...]) -> list[str]:
    """Why commits may not be deployed, where the project demands signatures."""
    out: list[str] = []
    for source, sha in zip(app.sources, revisions, strict=True) if bench.signatures is not None else ():
        try:
            assert bench.signatures is not None
            await bench.signatures.check(app, source, sha)
        except SourceError as error:
            out.append(error.what)
    return list(dict.fromkeys(out))


def _sources(app: Application, head: Side, base: Side | None) -> tuple[SourceAt, ...]:
    bases = base.revisions if base is not None else ("",) * len(app.sources)
    return tuple(
        SourceAt(url=redact(source.repo_url), path=source.path or source.chart, word=word, sha=sha, base=was)
        for source, word, sha, was in zip(app.sources, head.words, head.revisions, bases, strict=True)
    )


async def _before(
    by: Comparer, app: Application, base: Side | None, compared: Compared
) -> dict[ObjectRef, Object] | None:
    """What was wanted on the other side; None where there is none, or where it cannot be placed."""
    if base is None:
        return None
    manifests = tuple(manifest for part in base.parts for manifest in part.manifests)
    desired = by.desired(app, manifests, compared.discovery, lenient=True)
    return {one.ref: one.manifest.body for one in (*desired.objects, *desired.hooks)}


def _basis(compared: Compared, ref: ObjectRef) -> str:
    return next((basis_of(met.live) for met in compared.objects if met.change.ref == ref), "")


def _steps(
    bench: Bench, app: Application, wish: Wish, compared: Compared, before: dict[ObjectRef, Object] | None
) -> list[Step]:
    """In the order of the walk; objects that are as in Git are not listed."""
    operation = Operation(prune=True)
    running = Running(operation, heal=False, started_at=bench.now, number=0)
    plan = Plan(changes=tuple(met.change for met in compared.objects))
    order = make_order(app, wish, plan, running, create_namespace="", before=())
    by_ref = {met.change.ref: met for met in compared.objects}
    wanted = _bodies(compared.desired)
    steps = [*_namespace(app, compared)]
    for task in arrange(order.sync.tasks, order.sync.defines):
        if task.hook is not None:
            steps.append(_hook(task, wanted.get(task.change.ref), before))
        elif task.change.action is not Action.KEEP:
            met = by_ref[task.change.ref]
            steps.append(_step(bench, app, task, met, _cause(met, before)))
    return steps


def _bodies(desired: Desired) -> dict[ObjectRef, Object]:
    return {one.ref: one.manifest.body for one in desired.hooks}


def _cause(met: Met, before: dict[ObjectRef, Object] | None) -> str:
    if before is None:
        return ""
    was, now = before.get(met.change.ref), met.wanted.manifest.body if met.wanted else None
    return "before" if was == now else "commit"


def _step(bench: Bench, app: Application, task: Task, met: Met, cause: str) -> Step:
    change, live = met.change, met.live
    found = difference(met, write=bench.write)
    health = bench.assess(live) if live is not None else None
    return Step(
        **_place(task),
        action="replace" if recreated(app, met) else str(change.action),
        why=change.why,
        cause=cause,
        origin=found.origin,
        health=str(health.status) if health is not None else ("Missing" if live is None else ""),
        uid=change.live_uid,
        basis=basis_of(live),
        fields=tuple(_field(field, met) for field in change.fields[:_MOST_FIELDS]),
        diff=_cut(found.text, _LONGEST_DIFF),
    )


def _hook(task: Task, body: Object | None, before: dict[ObjectRef, Object] | None) -> Step:
    cause, place = "", _place(task)
    if body is None:  # its name is made of the moment at which it begins
        place["name"] = f"{place['name'].rpartition('-')[0]}-*"
    elif before is not None:
        cause = "before" if before.get(task.change.ref) == body else "commit"
    return Step(**place, action="hook", why=f"runs as a {task.phase} hook", cause=cause)


def _place(task: Task) -> dict[str, Any]:
    ref = task.change.ref
    return {
        "phase": str(task.phase),
        "wave": task.wave,
        "group": ref.group,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
        "version": task.change.version,
    }


def _namespace(app: Application, compared: Compared) -> list[Step]:
    """The namespace that `CreateNamespace=true` makes, where the application itself does not want it."""
    name = app.destination.namespace
    ref = ObjectRef("", "Namespace", "", name)
    if not name or not app.policy.options.is_on("CreateNamespace") or ref in compared.desired.refs or compared.space:
        return []
    place: dict[str, Any] = {
        "phase": "PreSync",
        "wave": 0,
        "group": "",
        "kind": "Namespace",
        "namespace": "",
        "name": name,
    }
    return [Step(**place, version="v1", action="create", why="CreateNamespace=true", cause="")]


def _field(field: FieldChange, met: Met) -> Field:
    hidden = (met.wanted.manifest.body if met.wanted else None, met.live)
    return Field(
        path=field.path,
        live=_value(field.live, hidden),
        wanted=_value(field.wanted, hidden),
        why=field.why,
        owner=str(field.owner or ""),
    )


def _value(value: Any, hidden: Sequence[Object | None]) -> str:
    if value is ABSENT:
        return ""
    if value is MASKED:
        return repr(MASKED)
    text = _encode(value).decode()
    if any(body is not None and is_secret(body) for body in hidden):
        text = redacted(text, *hidden)
    return _cut(text, _LONGEST)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def _new_images(compared: Compared, base: Side | None) -> tuple[str, ...]:
    """Images that the wanted objects name, and neither the other side nor what is there."""
    now = images_of([one.manifest.body for one in (*compared.desired.objects, *compared.desired.hooks)])
    had = set(images_of([met.live for met in compared.objects if met.live is not None]))
    if base is not None:
        had |= set(images_of([manifest.body for part in base.parts for manifest in part.manifests]))
    return tuple(image for image in now if image not in had)


def _applications(app: Application, compared: Compared) -> dict[str, Object]:
    """The Applications beside this one that it makes or changes, as they would be; by name."""
    out: dict[str, Object] = {}
    for met in compared.objects:
        ref = met.change.ref
        mine = (ref.group, ref.kind, ref.namespace) == ("argoproj.io", "Application", app.namespace)
        if (
            mine
            and not app.is_guest
            and met.after is not None
            and met.change.action in (Action.CREATE, Action.UPDATE)
            and ref.name != app.name
        ):
            out[ref.name] = met.after
    return out


def failed(app: Application, error: str) -> AppPlan:
    """An application of which nothing can be told."""
    return AppPlan(name=app.name, namespace=app.namespace, uid=app.uid, project=app.project, error=error)


def with_findings(plan: AppPlan, findings: Sequence[Finding]) -> AppPlan:
    """The same with other findings, the grave ones first."""
    return msgspec.structs.replace(plan, findings=tuple(sorted(findings, key=lambda one: not one.grave)))
