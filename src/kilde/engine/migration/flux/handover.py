"""Hands objects from Flux to Kilde and back: their mark, then the fields. No spec is touched, and what is another's stays so."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kilde.core.basics.values import Object
from kilde.core.migrate.flux import FluxMove
from kilde.core.migrate.flux.reading import Place, inventory
from kilde.core.migrate.ownership import given_back, taken
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import ANNOTATION, INSTALLATION, UNMARKED, Tracking, read_tracking
from kilde.engine.fleet.applications import CONFIG_MAPS
from kilde.engine.migration.handover import MANAGER, Find, HandedOver, Hands, Job, Patch, managed_steps, same_version
from kilde.ports.cluster import Cluster

_CONTROLLERS = {"Kustomization": "kustomize-controller", "HelmRelease": "helm-controller"}
_LABELS = {"Kustomization": "kustomize.toolkit.fluxcd.io", "HelmRelease": "helm.toolkit.fluxcd.io"}
_OTHERS = (
    *(("labels", f"{group}/{key}") for group in _LABELS.values() for key in ("name", "namespace")),
    *(("annotations", f"meta.helm.sh/release-{key}") for key in ("name", "namespace")),
)
_LEFT = {"Kustomization": _OTHERS, "HelmRelease": (*_OTHERS, ("labels", "app.kubernetes.io/managed-by"))}


class FluxHandover:
    """For one cluster. Objects are told by Flux's labels before they move, and by our mark afterwards; definitions bear none."""

    def __init__(self, cluster: Cluster, tracking: Tracking) -> None:
        self._cluster, self.tracking = cluster, tracking

    def would_take(self, move: FluxMove, ref: ObjectRef, live: Object) -> Object:
        """The object as `take` would leave it."""
        for find in (self._marking(move, ref), self._taking(move)):
            steps = find(live)
            live = json_patch(live, steps[0]) if steps is not None else live
        return live

    async def take(self, moves: Iterable[FluxMove]) -> HandedOver:
        """What Flux has applied is Kilde's; Flux's labels become nobody's, and stay."""
        jobs = [(move, ref) for move in moves for ref in inventory(move.body)]
        marked = await Hands().each(self._job(ref, self._marking(move, ref)) for move, ref in jobs)
        if marked.failed:
            return marked
        return await Hands().each(self._job(ref, self._taking(move)) for move, ref in jobs)

    async def give_back(self, moves: Iterable[FluxMove], listed: Mapping[str, Iterable[ObjectRef]]) -> HandedOver:
        """What Kilde has applied is Flux's, and bears no mark of ours. `listed`: what each Application has by now."""
        jobs = [
            (move, ref) for move in moves for ref in dict.fromkeys((*inventory(move.body), *listed.get(move.name, ())))
        ]
        given = await Hands().each(self._job(ref, self._giving(move, ref)) for move, ref in jobs)
        if given.failed:
            return given
        unmarked = await Hands().each(self._job(ref, self._unmarking(move, ref)) for move, ref in jobs)
        return HandedOver(given.changed, given.same, unmarked.failed)

    def _job(self, ref: ObjectRef, find: Find) -> Job:
        return Job(lambda: self._cluster, ref, find)

    def _marking(self, move: FluxMove, ref: ObjectRef) -> Find:
        into = str(move.made["spec"]["destination"]["namespace"])
        named = ObjectRef(ref.group, ref.kind, ref.namespace or into, ref.name)

        def find(live: Object) -> Patch | None:
            meta = _meta(live)
            if ref.group_kind == UNMARKED or not _is_of(meta, move.at):
                return None
            marked = self.tracking.marked(meta, move.name, named)
            return _steps(live, marked, sender=MANAGER)

        return find

    def _taking(self, move: FluxMove) -> Find:
        def find(live: Object) -> Patch | None:
            if not _is_of(_meta(live), move.at):
                return None
            managed = taken(
                live, manager=MANAGER, former=(_CONTROLLERS[move.at.kind], MANAGER), left=_LEFT[move.at.kind]
            )
            return None if managed is None else (managed_steps(live, managed), MANAGER)

        return find

    def _giving(self, move: FluxMove, ref: ObjectRef) -> Find:
        controller = _CONTROLLERS[move.at.kind]

        def find(live: Object) -> Patch | None:
            if not self._has(move, ref, _meta(live)):
                return None
            found = given_back(live, manager=MANAGER, server_side=True, to=controller)
            return None if found is None else (managed_steps(live, found[0]), controller)

        return find

    def _has(self, move: FluxMove, ref: ObjectRef, meta: Mapping[str, Any]) -> bool:
        """Whether an object is the Application's: by its mark, or where there is none for its kind, because Flux names no other."""
        if ref.group_kind == UNMARKED:
            return _is_of(meta, move.at) or not any(
                f"{group}/name" in (meta.get("labels") or {}) for group in _LABELS.values()
            )
        return self.tracking.owner(meta, ref) == move.name

    def _unmarking(self, move: FluxMove, ref: ObjectRef) -> Find:
        controller = _CONTROLLERS[move.at.kind]

        def find(live: Object) -> Patch | None:
            meta = _meta(live)
            if ref.group_kind == UNMARKED or self.tracking.owner(meta, ref) != move.name:
                return None
            gone = {ANNOTATION, INSTALLATION}
            annotations = {key: text for key, text in (meta.get("annotations") or {}).items() if key not in gone}
            labels = dict(meta.get("labels") or {})
            if self.tracking.method != "annotation":
                labels.pop(self.tracking.label, None)
            return _steps(live, {**meta, "annotations": annotations, "labels": labels}, sender=controller)

        return find


async def handover_for(cluster: Cluster, namespace: str) -> FluxHandover:
    """With the marks that `argocd-cm` asks for. Raises ClusterError."""
    raw = await cluster.get(CONFIG_MAPS, namespace, "argocd-cm")
    return FluxHandover(cluster, read_tracking((msgspec.json.decode(raw).get("data") or {}) if raw else {}))


def _meta(live: Object) -> dict[str, Any]:
    found = live.get("metadata")
    return found if isinstance(found, dict) else {}


def _is_of(meta: Mapping[str, Any], at: Place) -> bool:
    labels = meta.get("labels") or {}
    group = _LABELS[at.kind]
    return bool(labels.get(f"{group}/name") == at.name and labels.get(f"{group}/namespace") == at.namespace)


def _steps(live: Object, wanted: Mapping[str, Any], *, sender: str) -> Patch | None:
    """From the annotations and labels that there are to the wanted ones."""
    meta, steps = _meta(live), []
    for section in ("annotations", "labels"):
        before, after = meta.get(section) or {}, wanted.get(section) or {}
        if before != after:
            steps.append({"op": "add", "path": f"/metadata/{section}", "value": after})
    return ([*steps, same_version(live)], sender) if steps else None
