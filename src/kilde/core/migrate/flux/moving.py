"""The plan of a move from Flux, and the manifests: one Application for each Kustomization and HelmRelease, one AppProject for all."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kilde.core.basics.values import Object
from kilde.core.migrate.flux import helm, kustomization
from kilde.core.migrate.flux.making import IN_CLUSTER
from kilde.core.migrate.flux.reading import Place, inventory, is_busy, mapping, place, referred, text
from kilde.core.migrate.flux.sources import Origin, origin
from kilde.core.migrate.manifests import file_of
from kilde.core.migrate.model import Mapped, Move, Moved, Note, Workload

_MOST = 6
_WRITERS = ("kustomize-controller", "helm-controller")


@dataclass(frozen=True, slots=True, kw_only=True)
class FluxInstallation:
    """What a cluster holds of Flux. `namespace`: where the Applications will be; `others`: kinds that are there and have no place here."""

    cluster: str
    namespace: str
    kustomizations: Sequence[Object] = ()
    releases: Sequence[Object] = ()
    sources: Mapping[Place, Object] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    workloads: tuple[Workload, ...] = ()
    unread: tuple[str, ...] = ()
    project: str = "flux"


def is_writer(body: Object) -> bool:
    """Whether a Deployment is one of Flux's controllers that write objects."""
    labels = mapping(mapping(body, "metadata"), "labels")
    return text(mapping(body, "metadata"), "name") in _WRITERS or (
        labels.get("app.kubernetes.io/part-of") == "flux" and labels.get("app.kubernetes.io/component") in _WRITERS
    )


def move_flux(found: FluxInstallation) -> Moved:
    """Never raises: what cannot be moved is told."""
    names = _names([*found.kustomizations, *found.releases])
    files: dict[str, Object] = {}
    mapped: list[Mapped] = []
    notes: list[Note] = []
    told: set[Place] = set()
    urls: dict[str, None] = {}
    retracked: list[str] = []
    for body in (*found.kustomizations, *found.releases):
        at = place(body)
        wanted = _source_of(body)
        source, about_source = origin(found.sources.get(wanted), wanted)
        notes += about_source if wanted not in told else ()
        told.add(wanted)
        if source is None:
            mapped.append(Mapped(what=str(at), becomes="no Application"))
            continue
        name = names[at]
        made, its_notes = _made(found, body, source, names)
        notes += its_notes
        urls[str(made["spec"]["source"]["repoURL"])] = None
        file = file_of("Application", name, set(files))
        files[file] = made
        owned = [str(ref) for ref in inventory(body)]
        retracked += owned
        mapped.append(Mapped(what=str(at), becomes=f"Application {name}", file=file, objects=len(owned)))
    if files:
        files[f"projects/{found.project}.yaml"] = _project(found, list(urls))
        mapped.append(Mapped(what=f"AppProject {found.project}", becomes="new", file=f"projects/{found.project}.yaml"))
    move = Move(
        system="Flux",
        cluster=found.cluster,
        workloads=found.workloads,
        mapped=tuple(mapped),
        notes=(*notes, *_general(found)),
        owned=len(retracked),
        retracked=tuple(sorted(set(retracked))),
        busy=tuple(str(place(body)) for body in (*found.kustomizations, *found.releases) if is_busy(body)),
    )
    return Moved(move, files)


@dataclass(frozen=True, slots=True)
class FluxMove:
    """One Kustomization or HelmRelease that moves, and the Application that it becomes."""

    at: Place
    body: Object
    made: Object

    @property
    def name(self) -> str:
        return str(self.made["metadata"]["name"])


def movable(found: FluxInstallation, *, stopped: Collection[str] = ()) -> tuple[tuple[FluxMove, ...], Object]:
    """What becomes Applications of this cluster, and their AppProject. `stopped`: those that are suspended for the move alone."""
    names = _names([*found.kustomizations, *found.releases])
    out: list[FluxMove] = []
    urls: dict[str, None] = {}
    for body in (*found.kustomizations, *found.releases):
        wanted, at = _source_of(body), place(body)
        source, _ = origin(found.sources.get(wanted), wanted)
        if source is None or stays(found, body):
            continue
        before = {**body, "spec": {**mapping(body, "spec"), "suspend": False}} if str(at) in stopped else body
        made, _ = _made(found, before, source, names)
        urls[str(made["spec"]["source"]["repoURL"])] = None
        out.append(FluxMove(at, body, made))
    return tuple(out), _project(found, list(urls))


def stays(found: FluxInstallation, body: Object) -> str:
    """Why a Kustomization or HelmRelease becomes no Application of this cluster; "" where it does."""
    wanted = _source_of(body)
    if origin(found.sources.get(wanted), wanted)[0] is None:
        return f"its source, {wanted}, can be none of an Application"
    return "it deploys into another cluster (kubeConfig)" if mapping(body, "spec").get("kubeConfig") else ""


def _made(
    found: FluxInstallation, body: Object, source: Origin, names: Mapping[Place, str]
) -> tuple[Object, list[Note]]:
    at = place(body)
    make = helm.as_application if at.kind == "HelmRelease" else kustomization.as_application
    return make(
        body,
        source,
        name=names[at],
        namespace=found.namespace,
        project=found.project,
        name_of=lambda other: names.get(other, ""),
    )


def _source_of(body: Object) -> Place:
    at = place(body)
    if at.kind == "HelmRelease":
        return helm.source_of(body)
    return referred(mapping(body, "spec"), "sourceRef", at.namespace)


def _names(bodies: Sequence[Object]) -> dict[Place, str]:
    """The name of each Application: its own, with its namespace before it where two are called so, and its kind if that is not enough."""
    places = [place(body) for body in bodies]
    short = Counter(at.name for at in places)
    longer = Counter((at.namespace, at.name) for at in places)
    out = {}
    for at in places:
        name = at.name if short[at.name] == 1 else f"{at.namespace}-{at.name}"
        out[at] = name if longer[at.namespace, at.name] == 1 else f"{name}-{at.kind.lower()}"
    return out


def _project(found: FluxInstallation, urls: list[str]) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": found.project, "namespace": found.namespace},
        "spec": {
            "sourceRepos": sorted(urls),
            "destinations": [{"server": IN_CLUSTER, "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }


def _general(found: FluxInstallation) -> list[Note]:
    """What is so for all of them."""
    notes = []
    if found.kustomizations:
        text_ = "annotations of objects that are meant for Flux (kustomize.toolkit.fluxcd.io/prune, force, ssa, reconcile) say nothing here"
        keep = "argocd.argoproj.io/sync-options: Prune=false, Force=true, …"
        notes.append(Note(kind="differs", about="Kustomizations", text=text_, keep=keep))
        text_ = "whoever is waited for has to be Healthy as a whole, whatever wait and healthChecks say; timeout is not kept"
        notes.append(Note(kind="differs", about="dependsOn", text=text_))
    if found.releases:
        text_ = "charts are rendered and applied: helm list shows no release, hooks run as Argo CD runs them, lookup finds nothing"
        notes.append(Note(kind="differs", about="HelmReleases", text=text_))
    if found.kustomizations or found.releases:
        text_ = "drift is undone at once, and Git is asked every 120 s or told by a webhook, whatever interval says"
        notes.append(Note(kind="differs", about="interval", text=text_, keep="kilde up --poll"))
        text_ = "suspend each before it is deleted: one that is not suspended deletes its objects"
        notes.append(Note(kind="differs", about="Kustomizations and HelmReleases", text=text_))
    notes += [
        Note(kind="unmapped", about=f"{count} {kind}{'s' if count > 1 else ''}", text="has no counterpart")
        for kind, count in sorted(found.others.items())
    ]
    notes += [
        Note(kind="person", about=what, text="may not be read with this kubeconfig: nothing can be told of it")
        for what in found.unread[:_MOST]
    ]
    return notes
