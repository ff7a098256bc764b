"""What is known against the steps of a plan: refused, forbidden, in the way of another application, missing, lost for good."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kilde.core.apps.application import Application
from kilde.core.basics.errors import ClusterError
from kilde.core.check.references import MADE_BY_KUBERNETES, makes, pod_references, pod_template
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.budget import DEFAULT, Budget
from kilde.core.plan.change import Action
from kilde.core.plan.desired import Wanted
from kilde.core.plan.held import approvals, deletions_of, over_limits
from kilde.core.plan.immutable import immutable_fields
from kilde.core.plan.masking import redacted
from kilde.core.plan.planner import Plan
from kilde.core.preview.model import Finding
from kilde.engine.beside.comparing import Compared, Comparer, Met
from kilde.engine.deletion.budgets import limits_of
from kilde.engine.fleet.projects import Projects
from kilde.engine.operation.pen import way_of
from kilde.engine.preview.losses import losses
from kilde.engine.sources.wishes import defined_scopes

Missing = dict[ObjectRef, tuple[ObjectRef, ...]]  # what is not there → who needs it


@dataclass(slots=True)
class Against:
    """Findings, and what is missing until other applications of the same plan were asked."""

    findings: list[Finding] = field(default_factory=list)
    missing: Missing = field(default_factory=dict)
    going: Mapping[str, int] = field(
        default_factory=dict
    )  # what its own budget lets go: how many objects with each, by uid

    def add(self, kind: str, text: str, about: object = "", *, grave: bool = False) -> None:
        self.findings.append(Finding(kind=kind, text=text, object=str(about), grave=grave))


async def known_against(
    by: Comparer,
    app: Application,
    compared: Compared,
    projects: Projects,
    *,
    rendered: str,
    dry_run: bool,
    manager: str,
    budget: Budget = DEFAULT,
) -> Against:
    """All of it but what needs other applications; `rendered`: the digest. Raises ClusterError where the cluster does not answer."""
    out = Against()
    for refusal in projects.refusals(app):
        out.add("forbidden", refusal, grave=True)
    _closed(app, projects, out)
    for met in compared.objects:
        _judge(app, met, projects, out)
    _unserved(compared, out)
    for met in compared.objects:
        if met.change.action is Action.PRUNE and met.live is not None:
            out.findings += await losses(by, met.change.ref, met.live)
    _over_budget(app, compared, projects, rendered, budget, out)
    out.missing = await _missing(by, compared)
    if dry_run:
        out.findings += await _refused(by, compared, manager)
    return out


def _judge(app: Application, met: Met, projects: Projects, out: Against) -> None:
    change, ref = met.change, met.change.ref
    if change.action is Action.KEEP:
        return
    denied = "" if change.hook else projects.forbids(app, ref, namespaced=bool(ref.namespace))
    if denied:
        out.add("forbidden", denied, ref, grave=True)
    if change.holder:
        out.add("shared", f"is part of application {change.holder} too", ref, grave=True)
    if change.asks and change.action is Action.PRUNE:
        out.add("confirm", "a person has to confirm that it is deleted (Prune=confirm)", ref)
    if met.wanted is None:
        return
    way = way_of(app.policy, met.wanted.manifest.body, met.live)
    if way.impossible:
        out.add("refused", way.impossible, ref, grave=True)
    elif met.live is not None and not recreated(app, met):
        paths = immutable_fields(ref, met.live, change.fields)
        if paths:
            option = "Force=true,Replace=true" if way.server_side else "Force=true"
            text = f"the server refuses to change {', '.join(paths)}; {option} would delete it and make it anew"
            out.add("immutable", text, ref, grave=True)


def recreated(app: Application, met: Met) -> bool:
    """Whether a sync deletes the object and makes it anew."""
    if met.wanted is None or met.live is None or met.change.action is not Action.UPDATE:
        return False
    way = way_of(app.policy, met.wanted.manifest.body, met.live)
    if not way.force or way.impossible:
        return False
    kept = (GroupKind("", "Namespace"), GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"))
    if way.replace:
        return met.change.ref.group_kind not in kept
    return bool(immutable_fields(met.change.ref, met.live, met.change.fields))


def _unserved(compared: Compared, out: Against) -> None:
    wanted = (*compared.desired.objects, *compared.desired.hooks)
    coming = defined_scopes(one.manifest for one in wanted)
    for one in wanted:
        ref, version = one.ref, one.manifest.version
        if compared.discovery.resource(ref.group, ref.kind, version) is None and ref.group_kind not in coming:
            served = compared.discovery.versions(ref.group, ref.kind)
            more = f", it serves {', '.join(served)}" if served else ""
            text = f"the cluster does not serve {ref.group_kind} in version {version}{more}"
            out.add("unserved", text, ref, grave=True)


def _closed(app: Application, projects: Projects, out: Against) -> None:
    """Sync windows as they are now; they may be others when the plan is carried out."""
    if not projects.may_sync(app, manual=True):
        out.add("window", f"the sync windows of AppProject {app.project} let nobody sync it now", grave=True)
    elif not projects.may_sync(app, manual=False):
        text = (
            f"the sync windows of AppProject {app.project} let a person sync it now, and not the controller by itself"
        )
        out.add("window", text, grave=app.policy.automated is not None)


def _over_budget(
    app: Application, compared: Compared, projects: Projects, rendered: str, budget: Budget, out: Against
) -> None:
    """Deletions that will be held by the application's own budget; `budget`: of the controller. The fleet's is counted over all of them."""
    plan = Plan(changes=tuple(met.change for met in compared.objects))
    found = deletions_of(plan, application=app.place, rendered=rendered)
    if not found.changes or found.digest in approvals(app.annotations):
        return
    reason = over_limits(found, limits_of(app, projects, budget))
    if reason:
        text = f"deletions will be held: {reason}; released by kilde app approve {app.name} --plan {found.digest[:12]}"
        out.add("budget", text, grave=True)
    else:
        out.going = found.weights


async def _missing(by: Comparer, compared: Compared) -> Missing:
    """What changed objects and hooks need, and neither the application nor the cluster has."""
    own = {ref for one in compared.desired.objects for ref in _brings(one)}
    going = {met.change.ref for met in compared.objects if met.change.action is Action.PRUNE}
    changed = [met.wanted for met in compared.objects if met.wanted and met.change.action is not Action.KEEP]
    asked: dict[ObjectRef, list[ObjectRef]] = {}
    for one in (*changed, *compared.desired.hooks):
        for need in _placed_needs(one):
            if need not in own and (need.kind, need.name) not in MADE_BY_KUBERNETES:
                asked.setdefault(need, []).append(one.ref)
    there = await asyncio.gather(*(_there(by, ref) for ref in asked))
    return {
        ref: tuple(who)
        for (ref, who), is_there in zip(asked.items(), there, strict=True)
        if not is_there or ref in going
    }


def _placed_needs(wanted: Wanted) -> tuple[ObjectRef, ...]:
    pod, space = pod_template(wanted.manifest), wanted.ref.namespace
    if pod is None or not space:
        return ()
    return tuple(dict.fromkeys(ObjectRef("", one.kind, space, one.name) for one in pod_references(pod)))


def _brings(wanted: Wanted) -> list[ObjectRef]:
    """The object, and what a controller is known to make of it in its namespace."""
    return [wanted.ref, *(ObjectRef("", made.kind, wanted.ref.namespace, made.name) for made in makes(wanted.manifest))]


async def _there(by: Comparer, ref: ObjectRef) -> bool:
    try:
        return await by.live(ref) is not None
    except ClusterError as error:
        if error.status == 403:
            return True  # nobody can tell: said once, with what was not judged
        raise


async def _refused(by: Comparer, compared: Compared, manager: str) -> list[Finding]:
    """What the API server and its admission say to each write, by a dry run of it."""
    written = [met for met in compared.objects if met.change.action in (Action.CREATE, Action.UPDATE) and met.wanted]
    gate = asyncio.Semaphore(8)

    async def one(met: Met) -> list[Finding]:
        ref, wanted = met.change.ref, met.wanted
        resource = compared.discovery.resource(ref.group, ref.kind, met.change.version)
        if resource is None or wanted is None:
            return []  # told as not served
        body = wanted.manifest.body
        async with gate:
            try:
                applied = await by.cluster.apply(resource, body, manager=manager, dry_run=True)
            except ClusterError as error:
                return [_refusal(ref, error, redacted(error.what, body, met.live))]
        return [Finding(kind="warning", object=str(ref), text=redacted(text, body)) for text in applied.warnings]

    return [finding for found in await asyncio.gather(*map(one, written)) for finding in found]


def _refusal(ref: ObjectRef, error: ClusterError, told: str) -> Finding:
    if error.status == 403 and "cannot patch resource" in told:
        return Finding(kind="not-judged", object=str(ref), text=f"no dry run, since you may not write it: {told}")
    if error.status == 404 and "namespaces" in told:
        return Finding(kind="not-judged", object=str(ref), text="no dry run, since its namespace is not there yet")
    return Finding(kind="refused", object=str(ref), text=told, grave=True)


def settled(findings: Sequence[Finding], missing: Missing, made_by: dict[ObjectRef, str], mine: str) -> list[Finding]:
    """The findings with what is missing, now that it is known what the other applications of the plan make."""
    out = list(findings)
    for ref, who in missing.items():
        maker = made_by.get(ref, "")
        if maker == mine:
            continue
        text = f"{ref} is not there, and needed" + (f"; application {maker} makes it in this plan" if maker else "")
        out += [Finding(kind="missing", object=str(one), text=text, grave=not maker) for one in _some(who)]
    return out


def _some(who: Iterable[ObjectRef]) -> list[ObjectRef]:
    return sorted(set(who))[:20]
