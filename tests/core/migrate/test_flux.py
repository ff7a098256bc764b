"""What becomes of Flux' kinds: whole manifests, and everything that an Application cannot say."""

from dataclasses import replace
from typing import Any

import pytest

from kilde.core.apps.application import read_application
from kilde.core.basics.values import Object
from kilde.core.migrate.flux import FluxInstallation, movable, move_flux
from kilde.core.migrate.flux.kustomization import image
from kilde.core.migrate.flux.reading import inventory, is_busy, place
from kilde.core.migrate.flux.sources import revision_of
from kilde.core.migrate.model import Moved


def flux(group: str, kind: str, name: str, *, status: Object | None = None, **spec: Any) -> Object:
    api = f"{group}.toolkit.fluxcd.io/v1"
    meta = {"name": name, "namespace": "flux-system"}
    return {"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec, "status": status or {}}


GIT = flux("source", "GitRepository", "config", url="https://git.example/config.git", ref={"branch": "main"})
CHARTS = flux("source", "HelmRepository", "charts", url="https://charts.example")
REGISTRY = flux(
    "source", "OCIRepository", "podinfo", url="oci://registry.example/charts/podinfo", ref={"semver": "6.x"}
)
FROM_GIT = {"kind": "GitRepository", "name": "config"}


def kustomization(name: str = "shop", **spec: Any) -> Object:
    status = spec.pop("status", None)
    whole = {"interval": "10m", "prune": True, "path": "./apps/shop", "sourceRef": FROM_GIT, **spec}
    return flux("kustomize", "Kustomization", name, status=status, **whole)


def release(name: str = "podinfo", **spec: Any) -> Object:
    chart = {
        "spec": {"chart": "podinfo", "version": "6.5.x", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}
    }
    status = spec.pop("status", None)
    return flux("helm", "HelmRelease", name, status=status, **{"interval": "10m", "chart": chart, **spec})


def moved(*bodies: Object, sources: tuple[Object, ...] = (GIT, CHARTS, REGISTRY)) -> Moved:
    return move_flux(
        FluxInstallation(
            cluster="c",
            namespace="argocd",
            kustomizations=[body for body in bodies if body["kind"] == "Kustomization"],
            releases=[body for body in bodies if body["kind"] == "HelmRelease"],
            sources={place(body): body for body in sources},
        )
    )


def people(found: Moved) -> list[str]:
    return [note.text for note in found.move.of("person")]


def test_a_whole_kustomization() -> None:
    body = kustomization(
        targetNamespace="shop",
        namePrefix="a-",
        commonMetadata={"labels": {"team": "x"}, "annotations": {"a": "b"}},
        images=[{"name": "nginx", "newName": "mirror/nginx", "newTag": "1.29"}, {"name": "x", "digest": "sha256:0"}],
        patches=[{"patch": "- op: remove\n  path: /spec", "target": {"kind": "Deployment"}}],
        components=["../c"],
        retryInterval="1m",
        dependsOn=[{"name": "infra"}],
        ignore=[{"paths": ["/spec/replicas"], "target": {"kind": "Deployment"}}, {"paths": ["/data"]}],
        decryption={"provider": "sops", "secretRef": {"name": "age"}},
        status={"inventory": {"entries": [{"id": "shop_a-web_apps_Deployment", "v": "v1"}]}},
    )
    found = moved(body, kustomization("infra"))
    app = found.files["applications/shop.yaml"]
    assert app == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": "shop",
            "namespace": "argocd",
            "annotations": {"kilde.dev/depends-on": "app/infra", "kilde.dev/sops": "age"},
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "flux",
            "source": {
                "repoURL": "https://git.example/config.git",
                "path": "apps/shop",
                "targetRevision": "main",
                "kustomize": {
                    "generate": True,
                    "namePrefix": "a-",
                    "components": ["../c"],
                    "patches": [
                        *body["spec"]["patches"],
                        {
                            "patch": "apiVersion: v1\nkind: Any\nmetadata:\n  annotations:\n    a: b\n  name: any\n",
                            "target": {"kind": ".*"},
                        },
                    ],
                    "namespace": "shop",
                    "images": ["nginx=mirror/nginx:1.29", "x=x@sha256:0"],
                    "commonLabels": {"team": "x"},
                    "labelWithoutSelector": True,
                },
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "retry": {"limit": -1, "backoff": {"duration": "1m", "factor": 1, "maxDuration": "1m"}},
                "syncOptions": ["RespectIgnoreDifferences=true"],
            },
            "ignoreDifferences": [
                {"group": "*", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]},
                {"group": "*", "kind": "*", "jsonPointers": ["/data"]},
            ],
        },
    }
    assert found.move.retracked == ("apps/Deployment shop/a-web",)
    assert people(found) == [
        "SOPS files: copy the age keys of Secret age beside the Applications, with the label kilde.dev/sops-keys: flux"
    ]
    assert found.files["projects/flux.yaml"]["spec"]["sourceRepos"] == ["https://git.example/config.git"]


def test_a_whole_release() -> None:
    body = release(
        targetNamespace="web",
        values={"replicas": 2},
        install={"createNamespace": True, "crds": "Skip"},
        driftDetection={"mode": "enabled", "ignore": [{"paths": ["/spec/replicas"], "target": {"kind": "Deployment"}}]},
    )
    found = moved(body)
    spec = found.files["applications/podinfo.yaml"]["spec"]
    assert spec["source"] == {
        "repoURL": "https://charts.example",
        "chart": "podinfo",
        "targetRevision": "6.5.x",
        "helm": {"releaseName": "web-podinfo", "valuesObject": {"replicas": 2}, "skipCrds": True, "skipTests": True},
    }
    assert spec["destination"]["namespace"] == "web"
    assert spec["syncPolicy"]["syncOptions"] == ["CreateNamespace=true"]
    assert spec["ignoreDifferences"] == [{"group": "*", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]
    assert people(found) == []


@pytest.mark.parametrize(
    ("spec", "source"),
    [
        (
            {"chart": None, "chartRef": {"kind": "OCIRepository", "name": "podinfo"}},
            {"repoURL": "oci://registry.example/charts", "chart": "podinfo", "targetRevision": "6.x"},
        ),
        (
            {"chart": {"spec": {"chart": "./charts/a", "sourceRef": FROM_GIT}}},
            {"repoURL": "https://git.example/config.git", "path": "charts/a", "targetRevision": "main"},
        ),
    ],
)
def test_where_charts_come_from(spec: Object, source: Object) -> None:
    made = moved(release(**spec)).files["applications/podinfo.yaml"]
    assert {key: value for key, value in made["spec"]["source"].items() if key != "helm"} == source
    assert read_application(made).problems == ()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (kustomization(postBuild={"substitute": {"a": "b"}}), "postBuild: variables are not put into files"),
        (kustomization(kubeConfig={"secretRef": {"name": "x"}}), "it deploys into another cluster"),
        (kustomization(serviceAccountName="team"), "it acts as service account team"),
        (kustomization(force=True), "force: what cannot be changed is not made anew"),
        (kustomization(buildMetadata=["originAnnotations"]), "buildMetadata: where objects come from is not written"),
        (
            kustomization(ignore=[{"paths": ["/spec"], "target": {"name": "web-.*", "labelSelector": "a=b"}}]),
            "ignore: labelSelector, name of a target cannot be said in ignoreDifferences",
        ),
        (
            kustomization(sourceRef={"kind": "GitRepository", "name": "submodules"}),
            "recurseSubmodules: submodules are not fetched",
        ),
        (kustomization(sourceRef={"kind": "GitRepository", "name": "cloud"}), "credentials by the identity of a cloud"),
        (kustomization(healthCheckExprs=[{"kind": "X"}]), "healthCheckExprs: health by CEL"),
        (kustomization(decryption={"provider": "other"}), "decryption by other: not known here"),
        (
            kustomization(dependsOn=[{"name": "nobody"}]),
            "it depends on Kustomization flux-system/nobody, which becomes no",
        ),
        (kustomization(sourceRef={"kind": "Bucket", "name": "b"}), "no Application can name a Bucket"),
        (kustomization(sourceRef={"kind": "GitRepository", "name": "gone"}), "is not there, though something refers"),
        (
            kustomization(sourceRef={"kind": "GitRepository", "name": "private"}),
            "credentials of ssh://git.example/x in",
        ),
        (
            release(valuesFrom=[{"kind": "Secret", "name": "x"}]),
            "valuesFrom: values of ConfigMaps and Secrets are not read",
        ),
        (release(commonMetadata={"labels": {"a": "b"}}), "commonMetadata: labels and annotations are not put on what"),
        (release(healthCheckExprs=[{"kind": "X"}]), "healthCheckExprs: health by CEL"),
        (release(install={"disableHooks": True}), "install without hooks: an Application runs them"),
        (release(postRenderers=[{"kustomize": {}}]), "postRenderers: what a chart renders is not patched"),
    ],
)
def test_what_needs_a_person(body: Object, told: str) -> None:
    bucket = flux("source", "Bucket", "b", endpoint="x")
    private = flux("source", "GitRepository", "private", url="ssh://git.example/x", secretRef={"name": "key"})
    deep = flux("source", "GitRepository", "submodules", url="https://git.example/x", recurseSubmodules=True)
    cloud = flux("source", "GitRepository", "cloud", url="https://git.example/x", provider="azure")
    found = moved(body, sources=(GIT, CHARTS, bucket, private, deep, cloud))
    assert [text for text in people(found) if text.startswith(told)] == people(found) != []


def test_who_is_suspended_is_not_synced_and_who_does_not_prune_keeps() -> None:
    app = moved(kustomization(suspend=True, prune=False)).files["applications/shop.yaml"]
    assert "syncPolicy" not in app["spec"]
    assert "finalizers" not in app["metadata"]


@pytest.mark.parametrize(
    ("prune", "policy", "goes"),
    [(True, "", True), (True, "Orphan", False), (False, "MirrorPrune", False), (False, "Delete", True)],
)
def test_whose_objects_go_with_it(prune: bool, policy: str, goes: bool) -> None:
    app = moved(kustomization(prune=prune, deletionPolicy=policy)).files["applications/shop.yaml"]
    assert ("finalizers" in app["metadata"]) is goes


def test_names_are_told_apart() -> None:
    other = kustomization(sourceRef={**FROM_GIT, "namespace": "flux-system"})
    other["metadata"] = {"name": "shop", "namespace": "team"}
    found = moved(kustomization(), other, release("shop"))
    assert sorted(found.files) == [
        "applications/flux-system-shop-helmrelease.yaml",
        "applications/flux-system-shop-kustomization.yaml",
        "applications/team-shop.yaml",
        "projects/flux.yaml",
    ]


@pytest.mark.parametrize(
    ("ref", "revision"),
    [
        ({}, "master"),
        ({"branch": "main", "tag": "v1"}, "v1"),
        ({"tag": "v1", "semver": ">=1.0"}, ">=1.0"),
        ({"name": "refs/heads/x/y"}, "x/y"),
        ({"commit": "0" * 40, "branch": "main"}, "0" * 40),
    ],
)
def test_revisions(ref: Object, revision: str) -> None:
    assert revision_of(ref) == revision


@pytest.mark.parametrize(
    ("install", "listed"),
    [({}, ["a", "web", "b"]), ({"crds": "Skip"}, ["a", "web"]), ({"skipCRDs": True}, ["a", "web"])],
)
def test_definitions_that_a_release_leaves_alone_are_not_its_own_though_flux_lists_them(
    install: Object, listed: list[str]
) -> None:
    definition = "apiextensions.k8s.io_CustomResourceDefinition"  # those of templates first, as helm-controller does
    entries = [{"id": one} for one in (f"_a_{definition}", "shop_web_apps_Deployment", f"_b_{definition}")]
    body = release(install=install, status={"inventory": {"entries": entries}})
    assert [ref.name for ref in inventory(body)] == listed
    found = moved(body)
    assert found.move.owned == len(listed)
    spec = found.files["applications/podinfo.yaml"]["spec"]
    assert ("skipCrds" in spec["source"]["helm"]) is (len(listed) == 2)


@pytest.mark.parametrize(("strategy", "told"), [("", 1), ("ChartVersion", 1), ("Revision", 0)])
def test_a_chart_in_git_is_deployed_at_each_commit(strategy: str, told: int) -> None:
    chart = {"chart": "./charts/a", "sourceRef": FROM_GIT, "reconcileStrategy": strategy}
    differs = [note.text for note in moved(release(chart={"spec": chart})).move.of("differs")]
    assert sum(text.startswith("a chart in Git is deployed at each commit") for text in differs) == told


def test_small_things() -> None:
    entries = ["shop_web_apps_Deployment", "shop_config__ConfigMap", "_admin__x_rbac.authorization.k8s.io_ClusterRole"]
    found = inventory({"status": {"inventory": {"entries": [{"id": one} for one in entries]}}})
    assert [str(ref) for ref in found] == [
        "apps/Deployment shop/web",
        "ConfigMap shop/config",
        "rbac.authorization.k8s.io/ClusterRole admin:x",
    ]
    assert image({"name": "a"}) == "a=a"


@pytest.mark.parametrize("broken", [None, 1, "x", [], {"sourceRef": 1, "patches": "x", "images": [1], "dependsOn": {}}])
def test_specs_of_any_shape_are_told_about(broken: Any) -> None:
    found = moved({**kustomization(), "spec": broken}, {**release(), "spec": broken})
    assert found.move.mapped


def test_only_what_becomes_an_application_of_this_cluster_moves() -> None:
    ours, theirs = kustomization(), kustomization("east", kubeConfig={"secretRef": {"name": "east"}})
    nowhere = kustomization("bucket", sourceRef={"kind": "Bucket", "name": "files"})
    resting = kustomization("resting", suspend=True)
    found = FluxInstallation(
        cluster="c", namespace="argocd", kustomizations=[ours, theirs, nowhere, resting], sources={place(GIT): GIT}
    )
    moves, project = movable(found, stopped=["Kustomization flux-system/shop"])
    assert [move.name for move in moves] == ["shop", "resting"]
    assert project["spec"]["sourceRepos"] == ["https://git.example/config.git"]
    suspended = {**ours, "spec": {**ours["spec"], "suspend": True}}
    again, _ = movable(replace(found, kustomizations=[suspended]), stopped=["Kustomization flux-system/shop"])
    assert again[0].made == moves[0].made  # what is suspended for the move alone stays automated
    assert "automated" not in moves[1].made["spec"].get("syncPolicy", {})


@pytest.mark.parametrize(
    ("condition", "busy"),
    [
        ({"type": "Reconciling", "status": "True", "reason": "Progressing"}, True),
        ({"type": "Reconciling", "status": "True", "reason": "ProgressingWithRetry"}, False),
        ({"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded"}, False),
    ],
)
def test_what_is_being_reconciled(condition: Object, busy: bool) -> None:
    assert is_busy({"status": {"conditions": [condition]}}) is busy
