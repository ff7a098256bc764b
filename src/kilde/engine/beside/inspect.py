"""What would change, and how to go back: looks at one application from outside a running controller, for the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kilde.core.apps.application import Application
from kilde.core.apps.quarantine import Quarantine, last_other
from kilde.core.apps.sources import joined
from kilde.core.basics.errors import InvalidInput, Place
from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.adopt import operations
from kilde.core.plan.change import Action, Change
from kilde.core.plan.diff_text import unified
from kilde.core.secrets.raw import refusal
from kilde.core.source.chart_place import parse_place
from kilde.core.source.revert import Revert
from kilde.core.source.revision import shortened
from kilde.engine.beside.comparing import Compared, Met, comparer
from kilde.engine.beside.looking import Eyes, Looked, look
from kilde.ports.cluster import Cluster

Write = Callable[[Object], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDiff:
    """One object that would change: what would happen, where it came from, and the unified diff, secret values masked.

    `refused`: a Secret that stands in Git in plain text, where the project does not allow that.
    """

    change: Change
    origin: str
    text: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Everything that a sync to `revision` would change; of several sources that is all of them in one word.

    `refused`: why a controller that is not told to allow it refuses all of it; "" where it does not.
    """

    revision: str
    objects: tuple[ObjectDiff, ...]
    refused: str = ""


async def diff_application(
    cluster: Cluster, eyes: Eyes, app: Application, *, revision: str = "", write: Write
) -> Differences:
    """What a sync would change. `revision` is of the first source. Raises KildeError."""
    looked, compared = await _compared(cluster, eyes, app, revision=revision)
    raw = () if eyes.allows_raw else tuple(one for memory in looked.memories for one in memory.raw)
    places = {one.place for one in raw if one.place is not None}
    changed = [met for met in compared.objects if met.change.action is not Action.KEEP]
    return Differences(
        revision=joined(looked.revisions),
        objects=tuple(difference(met, write=write, refused=_is_of(met, places)) for met in changed),
        refused=str(refusal(raw, app.project)) if raw else "",
    )


def _is_of(met: Met, places: set[Place]) -> bool:
    return met.wanted is not None and met.wanted.manifest.origin in places


async def _compared(cluster: Cluster, eyes: Eyes, app: Application, *, revision: str = "") -> tuple[Looked, Compared]:
    """What was rendered, and both sides of it."""
    if not app.sources or app.problems:
        raise InvalidInput("; ".join(app.problems) or "has no source", about=str(app))
    looked = await look(eyes, app, revision=revision)
    manifests = tuple(manifest for part in looked.parts for manifest in part.manifests)
    auto = app.policy.automated
    by = await comparer(cluster, app.home, of=eyes.cluster)
    return looked, await by.compare(app, manifests, prune=bool(auto and auto.prune))


def difference(met: Met, *, write: Write, refused: bool = False) -> ObjectDiff:
    """How one object differs, as text."""
    named = met.wanted.manifest.body if met.wanted else met.live or {}
    origin = str(met.wanted.manifest.origin or "") if met.wanted else ""
    text = unified(_file_name(met.change.ref, str(named.get("apiVersion", ""))), met.before, met.after, write=write)
    return ObjectDiff(change=met.change, origin=origin, text=text, refused=refused)


def _file_name(ref: ObjectRef, api_version: str) -> str:
    """As kubectl diff names its files: version.kind.namespace.name."""
    return ".".join((api_version.replace("/", "."), ref.kind, ref.namespace, ref.name))


async def plan_rollback(
    eyes: Eyes, app: Application, *, to: str = "", reason: str = "", author: str = ""
) -> tuple[str, Revert]:
    """The repository, and which files to put back: those that the application reads and that have changed since `to`.

    `to` empty: the last revision that was deployed and is not what the branch has now. Of several sources the first Git
    repository is meant, with whatever else of the application comes from it. Raises KildeError.
    """
    if app.source is None:
        raise InvalidInput("has no source", about=str(app))
    url, word, sources = app.source.url, app.source.target_revision, eyes.sources
    if parse_place(url) is not None:
        hint = "set targetRevision to the version that is to run"
        raise InvalidInput("its source is a chart, which no revert commit brings back", about=str(app), hint=hint)
    await sources.fetch(url, eyes.credentials(url))
    head = await sources.resolve(url, word, tag_prefix=app.source.tag_prefix)
    target = await sources.resolve(url, to) if to else _last_good(app, head)
    if target == head:
        raise InvalidInput("is at that revision already", about=str(app), hint="name another with --to")
    changed = await sources.changed_paths(url, target, head)
    mine = [(number, one) for number, one in enumerate(app.sources) if (one.url, one.target_revision) == (url, word)]
    back = {number: target for number, _ in mine}
    looked = await look(eyes, app, revisions=back)
    read = {
        path
        for memory in looked.memories
        for one in memory.reads
        if one.url == url and one.of in back
        for path in one.trace.seen
    }
    prefixes = [f"{path}/" if path not in ("", ".") else "" for _, one in mine if (path := one.path.strip("/"))]
    paths = tuple(sorted(p for p in changed or () if p in read or p.startswith(tuple(prefixes))))
    if not paths:
        raise InvalidInput(f"reads nothing that has changed since {shortened(target)}", about=str(app))
    subject = f"Roll {app.name} back to {shortened(target)}"
    message = f"{subject}\n\n{reason}\n" if reason else f"{subject}\n"
    return url, Revert(branch=word or "HEAD", to=target, paths=paths, author=author, message=message)


async def plan_quarantine(eyes: Eyes, app: Application, *, to: str = "", reason: str = "", by: str) -> Quarantine:
    """What the branch has now, in quarantine, and where the application is to be kept: `to`, or its last other deployment. KildeError."""
    if not app.sources or app.policy.automated is None:
        hint = f"sync it to the revision that is to be: kilde app sync {app.name} --revision …"
        raise InvalidInput("is not synced automatically: there is nothing to keep from it", about=str(app), hint=hint)
    heads = []
    for source in app.sources:
        await eyes.sources.fetch(source.url, eyes.credentials(source.url))
        heads.append(await eyes.sources.resolve(source.url, source.target_revision))
    back = last_other(app, joined(heads))
    if to:
        first, commit = app.sources[0], await eyes.sources.resolve(app.sources[0].url, to)
        same = [(one.url, one.target_revision) == (first.url, first.target_revision) for one in app.sources]
        back = tuple(commit if mine else head for mine, head in zip(same, heads, strict=True))
    if not back:
        hint = "name a revision with --to"
        raise InvalidInput("has no earlier deployment of these sources in its history", about=str(app), hint=hint)
    if back == tuple(heads):
        raise InvalidInput("is at that revision already", about=str(app), hint="name another with --to")
    return Quarantine(revisions=tuple(heads), to=back, reason=reason or "kilde app rollback", by=by)


def _last_good(app: Application, head: str) -> str:
    for entry in reversed(app.status.get("history") or ()):
        several = entry.get("revisions")
        revision = str(several[0] if several else entry.get("revision", ""))
        if revision and revision != head:
            return revision
    raise InvalidInput("has no earlier deployment in its history", about=str(app), hint="name a revision with --to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One object that was changed by hand: where Git has it, and the operations that make Git say the same. `gone`: it was deleted."""

    ref: ObjectRef
    api_version: str
    origin: Place | None
    operations: tuple[dict[str, Any], ...] = ()
    gone: bool = False


async def drift_of(cluster: Cluster, eyes: Eyes, app: Application) -> list[Drift]:
    """What the cluster has otherwise than Git at the application's target revision. Raises KildeError."""
    found: list[Drift] = []
    for met in (await _compared(cluster, eyes, app))[1].objects:
        if met.wanted is None:
            continue
        manifest = met.wanted.manifest
        about = partial(Drift, ref=met.wanted.ref, api_version=manifest.api_version, origin=manifest.origin)
        if met.live is None or met.predicted is None:
            found.append(about(gone=True))
        elif met.change.action is Action.UPDATE:
            made = operations(manifest.body, met.predicted, met.live)
            found += [about(operations=tuple(made))] if made else []
    return found
