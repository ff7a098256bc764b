"""An Argo CD installation in Kilde's terms: what goes on unchanged, what differs, what somebody has to decide, what has no place here."""

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kilde.core.access.project import read_project
from kilde.core.apps.application import Application, read_application
from kilde.core.apps.clusters import Clusters
from kilde.core.basics.values import Object
from kilde.core.migrate.manifests import declared, file_of
from kilde.core.migrate.model import Mapped, Move, Moved, Note, Workload
from kilde.core.migrate.settings import settings
from kilde.core.plan.options import unknown_options
from kilde.core.plan.tracking import parse, read_tracking

_MOST = 6  # names in one sentence
SECRET_TYPE = "argocd.argoproj.io/secret-type"  # noqa: S105 - a label
_ROLES = {
    "argocd-application-controller": "application-controller",
    "argocd-applicationset-controller": "applicationset-controller",
}
_WORDS = {"repository": "repository", "repo-creds": "credentials of repositories", "cluster": "cluster"}
_PROJECT_FIELDS = {
    "roles": "kept as they are (kilde project role); no API of Kilde's asks for them yet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What a cluster holds of Argo CD. `credentials`: labelled Secrets without their data; `operators`: what would start it again."""

    cluster: str
    namespace: str
    applications: Sequence[Object] = ()
    projects: Sequence[Object] = ()
    sets: Sequence[Object] = ()
    credentials: Sequence[Mapping[str, str]] = ()  # kind, name, type, url, project, cluster's server
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clusters: Clusters = field(default_factory=Clusters)
    workloads: tuple[Workload, ...] = ()
    operators: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()  # Applications of other namespaces
    unread: tuple[str, ...] = ()  # what we may not read


def is_controller(body: Object) -> bool:
    """Whether a StatefulSet or Deployment is one of the controllers that write: of Applications, or of ApplicationSets."""
    return bool(role_of(body))


def role_of(body: Object) -> str:
    """`application-controller` or `applicationset-controller`; "" for anything else."""
    meta = body.get("metadata") or {}
    labels = meta.get("labels") or {}
    component = str(labels.get("app.kubernetes.io/component", ""))
    if labels.get("app.kubernetes.io/part-of") == "argocd" and component in _ROLES.values():
        return component
    for name in (labels.get("app.kubernetes.io/name"), meta.get("name")):
        if name in _ROLES:
            return _ROLES[name]
    return ""


def move_argocd(found: Installation) -> Moved:
    """The plan of the move and the manifests. Never raises: what cannot be used is told."""
    files: dict[str, Object] = {}
    mapped: list[Mapped] = []
    notes: list[Note] = []
    apps = [read_application(body, found.clusters) for body in found.applications]
    for kind, bodies in (
        ("AppProject", found.projects),
        ("ApplicationSet", found.sets),
        ("Application", found.applications),
    ):
        mapped += [_thing(kind, body, files) for body in bodies]
    for secret in found.credentials:
        mapped.append(_credential(secret))
    read, unread = settings(found.config)
    mapped += read
    allowed = {project.name for project in map(read_project, found.projects) if project.raw_secrets}
    notes += [note for app in apps for note in _application(app, raw_secrets=app.project in allowed)]
    notes += [note for body in found.projects for note in _project(body)]
    notes += _defaults(apps, found.sets)
    notes += [*unread, *_clusters(found), *_starters(found, apps), *_not_seen(found)]
    move = Move(
        system="Argo CD",
        cluster=found.cluster,
        workloads=found.workloads,
        mapped=tuple(mapped),
        notes=tuple(notes),
        owned=sum(len(inventory(app)) for app in apps),
        busy=tuple(str(app) for app in apps if busy(app)),
    )
    return Moved(move, files)


def busy(app: Application) -> bool:
    """Whether an operation of it runs, or is asked for."""
    state = app.status.get("operationState")
    running = isinstance(state, dict) and state.get("phase") in ("Running", "Terminating")
    return running or app.operation is not None


def inventory(app: Application) -> tuple[Mapping[str, Any], ...]:
    """The objects that its status lists as its own: no hooks."""
    listed = app.status.get("resources")
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return tuple(one for one in found if not one.get("hook") and one.get("kind") and one.get("name"))


def _thing(kind: str, body: Object, files: dict[str, Object]) -> Mapped:
    meta = body.get("metadata") or {}
    name = str(meta.get("name", ""))
    what = f"{kind} {meta.get('namespace', '')}/{name}"
    objects = len(inventory(read_application(body))) if kind == "Application" else 0
    parent = _made_by(meta)
    if parent:
        return Mapped(what=what, made_by=parent, objects=objects)
    file = file_of(kind, name, set(files))
    files[file] = declared(body)
    return Mapped(what=what, file=file, objects=objects)


def _made_by(meta: Mapping[str, Any]) -> str:
    for owner in meta.get("ownerReferences") or ():
        if isinstance(owner, dict) and owner.get("kind") == "ApplicationSet":
            return f"ApplicationSet {owner.get('name')}"
    tracked = parse(str((meta.get("annotations") or {}).get("argocd.argoproj.io/tracking-id", "")))
    return f"Application {tracked.app}" if tracked else ""


def _credential(secret: Mapping[str, str]) -> Mapped:
    word = _WORDS.get(secret["kind"], secret["kind"])
    where = f" ({secret['url']})" if secret.get("url") else ""
    return Mapped(what=f"Secret {secret['name']}: {word}{where}", becomes="read where it is; not written to files")


def _application(app: Application, *, raw_secrets: bool) -> list[Note]:
    about = str(app)
    notes = [Note(kind="person", about=about, text=problem) for problem in app.problems]
    if app.deleting:
        notes.append(Note(kind="person", about=about, text="it is being deleted: let that end first"))
    notes += [Note(kind="differs", about=about, text=text) for text in unknown_options(app.policy.options)]
    secrets = [str(one["name"]) for one in inventory(app) if one["kind"] == "Secret" and not one.get("group")]
    if secrets and not raw_secrets:
        text = f"{_some('Secret', secrets)}: refused by Kilde where Git has them in plain text (seal them: kilde seal)"
        keep = f"annotation kilde.dev/raw-secrets: allowed on AppProject {app.project}, or kilde up --raw-secrets allow"
        notes.append(Note(kind="person", about=about, text=text, keep=keep))
    if any(source.render.plugin is not None for source in app.sources):
        text = "a config management plugin: its program runs beside Kilde, not in a sidecar"
        notes.append(Note(kind="person", about=about, text=text, keep="kilde up --plugins DIR"))
    return notes


def _project(body: Object) -> list[Note]:
    about = f"AppProject {(body.get('metadata') or {}).get('name', '')}"
    spec = body.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    return [
        Note(kind="unmapped", about=about, text=f"{name}: {text}")
        for name, text in _PROJECT_FIELDS.items()
        if spec.get(name)
    ]


def _defaults(apps: Sequence[Application], sets: Sequence[Object]) -> list[Note]:
    """What Kilde does otherwise unless told not to."""
    auto = [app.name for app in apps if app.policy.automated is not None]
    prunes = [app.name for app in apps if app.policy.automated is not None and app.policy.automated.prune]
    notes = []
    if prunes:
        text = "a sync that would delete more than 5 objects and a tenth of them is held until somebody approves"
        keep = "kilde up --deletion-budget off --fleet-deletion-budget off"
        notes.append(Note(kind="differs", about=_some("Application", prunes), text=text, keep=keep))
    if auto:
        text = "a commit that fails or does harm is put into quarantine; drift waits until a better one comes"
        notes.append(
            Note(kind="differs", about=_some("Application", auto), text=text, keep="kilde up --on-degraded off")
        )
    if sets:
        names = [str((body.get("metadata") or {}).get("name", "")) for body in sets]
        text = "a generator that answers with nothing deletes no Application"
        keep = 'annotation kilde.dev/allow-empty: "true" on the set'
        notes.append(Note(kind="differs", about=_some("ApplicationSet", names), text=text, keep=keep))
    if apps:
        text = "objects are written by server-side apply, by the field manager kilde; drift is undone without delay"
        notes.append(Note(kind="differs", about="all Applications", text=text))
    return notes


def _clusters(found: Installation) -> list[Note]:
    tracking = read_tracking(found.config.get("argocd-cm") or {})
    if tracking.method == "label":
        text = f"objects are told apart by the label {tracking.label}, as in Argo CD: copied objects count as the application's"
        return [Note(kind="differs", about="application.resourceTrackingMethod", text=text)]
    return []


def _starters(found: Installation, apps: Iterable[Application]) -> list[Note]:
    """Whatever would start the other controller again once it is stopped."""
    notes = []
    names = {(workload.kind, workload.namespace, workload.name) for workload in found.workloads}
    for app in apps:
        for one in inventory(app):
            if (one["kind"], one.get("namespace"), one["name"]) in names:
                text = (
                    f"it deploys {one['kind']} {one.get('namespace')}/{one['name']}: a sync would start Argo CD again"
                )
                notes.append(
                    Note(kind="person", about=str(app), text=f"{text}; set replicas: 0 there, or take it out of Git")
                )
    for operator in found.operators:
        text = "an operator looks after Argo CD, and would start it again: scale it down there"
        notes.append(Note(kind="person", about=operator, text=text))
    return notes


def _not_seen(found: Installation) -> list[Note]:
    notes = [
        Note(kind="person", about=what, text="may not be read with this kubeconfig: nothing can be told of it")
        for what in found.unread
    ]
    read = [name for name in found.elsewhere if _is_read(name, found.config)]
    if read:
        text = f"stands outside of namespace {found.namespace}: Kilde looks after it, and this move does not look at it"
        notes.append(Note(kind="person", about=_some("Application", read), text=text))
    return notes


def _is_read(name: str, config: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether this installation reads the Applications of that namespace; others may be another's."""
    listed = str((config.get("argocd-cmd-params-cm") or {}).get("application.namespaces") or "")
    patterns = [word.strip() for word in listed.split(",") if word.strip()]
    return any(word.startswith("/") or fnmatch.fnmatchcase(name.partition("/")[0], word) for word in patterns)


def _some(kind: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{kind}{'s' if len(names) > 1 else ''} {', '.join(names[:_MOST])}{more}"
