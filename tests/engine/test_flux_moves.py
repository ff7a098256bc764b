"""What of Flux moves first, what is written for it, and when it stands in the way."""

import json
from typing import Any

import pytest

from kilde.adapters.clock import SystemClock
from kilde.core.apps.application import read_application
from kilde.core.basics.values import Object
from kilde.core.migrate.flux import FluxInstallation, FluxMove, movable
from kilde.core.migrate.flux.reading import place
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import Tracking
from kilde.engine.migration.flux.handover import FluxHandover
from kilde.engine.migration.flux.moving import careful, makers_first
from kilde.engine.migration.flux.rivals import told_of_flux
from kilde.engine.migration.handover import HandedOver
from kilde.ports.cluster import Resource
from kilde.testing.cluster import FakeCluster

DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
URL = "https://git.example/config.git"
GIT: Object = {"kind": "GitRepository", "metadata": {"namespace": "flux", "name": "config"}, "spec": {"url": URL}}


def kustomization(name: str, *entries: str) -> Object:
    spec: Object = {"prune": True, "path": f"./{name}", "sourceRef": {"kind": "GitRepository", "name": "config"}}
    status = {"inventory": {"entries": [{"id": one} for one in entries]}}
    return {"kind": "Kustomization", "metadata": {"namespace": "flux", "name": name}, "spec": spec, "status": status}


def moves(*bodies: Object) -> tuple[FluxMove, ...]:
    found = FluxInstallation(cluster="c", namespace="argocd", kustomizations=bodies, sources={place(GIT): GIT})
    return movable(found)[0]


def release_move(*entries: str) -> FluxMove:
    source = {"kind": "GitRepository", "name": "config"}
    spec: Object = {"chart": {"spec": {"chart": "./chart", "sourceRef": source}}, "releaseName": "web"}
    meta = {"namespace": "flux", "name": "web"}
    status = {"inventory": {"entries": [{"id": one} for one in entries]}}
    body = {"kind": "HelmRelease", "metadata": meta, "spec": spec, "status": status}
    [move] = movable(FluxInstallation(cluster="c", namespace="argocd", releases=[body], sources={place(GIT): GIT}))[0]
    return move


def entry(name: str) -> str:
    return f"flux_{name}_kustomize.toolkit.fluxcd.io_Kustomization"


def test_makers_come_before_what_they_make_whatever_makes_itself() -> None:
    found = moves(
        kustomization("leaf"), kustomization("mid", entry("leaf")), kustomization("top", entry("top"), entry("mid"))
    )
    assert [move.name for move in makers_first(found)] == ["top", "mid", "leaf"]
    circle = moves(kustomization("a", entry("b")), kustomization("b", entry("a")))
    assert [move.name for move in makers_first(circle)] == ["a", "b"]


def test_what_is_written_prunes_nothing() -> None:
    [move] = moves(kustomization("shop"))
    assert move.made["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    assert careful(move.made)["spec"]["syncPolicy"]["automated"] == {"prune": False, "selfHeal": True}


def test_what_helm_has_put_on_an_object_is_nobodys_afterwards_and_stays() -> None:
    move = release_move()
    labels = {"app": "web", "app.kubernetes.io/managed-by": "Helm"}
    labels |= {"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "flux"}
    annotations = {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "flux"}
    owned = {f"f:{key}": {} for key in labels}
    fields = {"f:metadata": {"f:labels": owned, "f:annotations": {f"f:{key}": {} for key in annotations}}}
    entry = {"manager": "helm-controller", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    meta = {"namespace": "flux", "name": "config", "resourceVersion": "1", "labels": labels}
    meta |= {"annotations": annotations, "managedFields": [{**entry, "fieldsV1": fields}]}
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    ref = ObjectRef("", "ConfigMap", "flux", "config")
    after = FluxHandover(FakeCluster(SystemClock()), Tracking()).would_take(move, ref, live)["metadata"]
    mark = {"argocd.argoproj.io/tracking-id": "web:/ConfigMap:flux/config"}
    assert (after["labels"], after["annotations"]) == (labels, {**annotations, **mark})
    [owner] = after["managedFields"]
    assert (owner["manager"], owner["fieldsV1"]) == ("kilde", {"f:metadata": {"f:labels": {"f:app": {}}}})


@pytest.mark.anyio
async def test_definitions_bear_no_mark_and_change_hands_all_the_same() -> None:
    """As in any sync of ours: with a marked one that is pruned every object of its kind would go."""
    cluster = FakeCluster(SystemClock())
    names = ("widgets.shop.example", "others.shop.example", "made.shop.example")
    owners = dict(zip(names, ("web", "another", ""), strict=True))
    for name in names:
        kind = name.partition(".")[0]
        plural = {"plural": kind, "singular": kind, "kind": kind.title(), "listKind": f"{kind.title()}List"}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        spec = {"group": "shop.example", "names": plural, "scope": "Namespaced", "versions": [version]}
        by = owners[name]
        labels = {"helm.toolkit.fluxcd.io/name": by, "helm.toolkit.fluxcd.io/namespace": "flux"} if by else {}
        body = {"kind": DEFINITIONS.kind, "metadata": {"name": name, "labels": labels}, "spec": spec}
        manager = "helm-controller" if by else "kilde"  # a chart's newer commit has brought that one
        await cluster.apply(DEFINITIONS, {"apiVersion": "apiextensions.k8s.io/v1", **body}, manager=manager)

    async def managers() -> list[str]:
        found = []
        for name in names:
            meta = json.loads(await cluster.get(DEFINITIONS, "", name) or b"{}")["metadata"]
            assert "annotations" not in meta
            found += [one["manager"] for one in meta["managedFields"] if one["operation"] == "Apply"]
        return found

    move = release_move(*(f"_{name}_apiextensions.k8s.io_CustomResourceDefinition" for name in names[:2]))
    hands = FluxHandover(cluster, Tracking())
    assert await hands.take([move]) == HandedOver(changed=1, same=1, failed=())
    assert await managers() == ["kilde", "helm-controller", "kilde"]
    listed = [ObjectRef(DEFINITIONS.group, DEFINITIONS.kind, "", name) for name in names]
    assert await hands.give_back([move], {move.name: listed}) == HandedOver(changed=2, same=1, failed=())
    assert await managers() == ["helm-controller"] * 3


def test_flux_is_in_the_way_where_it_has_a_source_or_an_object_of_an_application() -> None:
    found = moves(kustomization("shop", "shop_config__ConfigMap"))

    def app(path: str, **status: Any) -> Any:
        spec = {"source": {"repoURL": URL, "path": path}, "destination": {"namespace": "shop"}}
        return read_application({"metadata": {"name": "mine", "namespace": "argocd"}, "spec": spec, "status": status})

    listed = [{"kind": "ConfigMap", "namespace": "shop", "name": "config"}]
    said = (
        "Flux runs (Kustomization flux/shop has the objects of Application mine); "
        "kilde migrate flux --take-over suspends it and moves what it owns"
    )
    assert told_of_flux(found, [app("shop")]) == said
    assert told_of_flux(found, [app("other", resources=listed)]) == said
    assert told_of_flux(found, [app("other")]) == ""
