"""`kilde migrate argocd` on both clusters: what it reads, that it writes nothing where it says so, and that moves disturb nothing."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.argo import CONTROLLER, SETS, Argo, config_map, deployment
from e2e.recording import recorded
from e2e.stage import Stage, install_kinds
from kilde.testing.box import KildeCluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module", autouse=True)
def box() -> Iterator[Path]:
    """An embedded cluster with Argo CD's kinds, in a process of its own."""
    cluster = KildeCluster()
    try:
        install_kinds(cluster.kubeconfig)
        yield cluster.kubeconfig
    finally:
        cluster.stop()


def settled(argo: Argo) -> bool:
    """Whether the cluster's controllers have made what they make."""
    there = argo.state()
    return sum(name.startswith("Pod/") for name in there) == 2 and "ConfigMap/kube-root-ca.crt" in there


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.live)])
def argo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Argo]:
    """Argo CD on one of the clusters, with one application: a Deployment and a ConfigMap."""
    config = request.getfixturevalue("prepared" if request.param == "real" else "box")
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].strip("-")
    stage = Stage(tmp_path, config, f"m-{name}")
    stage.kubectl("create", "namespace", stage.space)
    made = Argo(stage)
    made.begin({"shop": [deployment(), config_map("config", k="one")]})
    if request.param == "embedded":  # nobody runs pods on the real one
        stage.kubectl("-n", made.space, "rollout", "status", "deployment", "web")
    stage.until(lambda: settled(made), "all is made")
    made.told()
    try:
        yield made
    finally:
        stage.stop()
        stage.kubectl("delete", "namespace", stage.space, made.space, "--wait=false")


def test_the_plan_of_a_move_is_read_and_nothing_is_written(argo: Argo, tmp_path: Path) -> None:
    stage = argo.stage
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        words = ("migrate", "argocd", "--kubeconfig", str(recorder.kubeconfig), "--out", str(tmp_path / "out"))
        move = json.loads(stage.kilde(*words, "-o", "json"))
    assert recorder.requests
    assert recorder.writes == []
    assert move["owned"] == 2
    assert [(one["kind"], one["name"], one["replicas"]) for one in move["workloads"]] == [
        ("StatefulSet", CONTROLLER, 1),
        ("Deployment", SETS, 1),
    ]
    assert [(one["what"], one["file"], one["objects"]) for one in move["mapped"]] == [
        (f"Application {stage.space}/shop", "applications/shop.yaml", 2),
        (f"Secret repo-config: repository ({stage.url})", "", 0),
    ]
    assert {one["kind"] for one in move["notes"]} == {"differs", "unmapped"}
    written = stage.kubectl("apply", "--dry-run=server", "-f", str(tmp_path / "out" / "applications"))
    assert written == "application.argoproj.io/shop unchanged (server dry run)\n"
    stage.kilde("migrate", "argocd", "--out", str(tmp_path / "out"))  # the same again
    (tmp_path / "out/applications/shop.yaml").write_text("other")
    refused = stage.said("migrate", "argocd", "--out", str(tmp_path / "out"))
    assert (refused.returncode, "says something else; nothing was written" in refused.stderr) == (3, True)
    (tmp_path / "out/applications/shop.yaml").unlink()
    (tmp_path / "out/applications/shop.yaml").mkdir()
    refused = stage.said("migrate", "argocd", "--out", str(tmp_path / "out"))
    assert (refused.returncode, "cannot be written: Is a directory" in refused.stderr) == (3, True)


def test_a_shadow_agrees_with_what_runs_and_writes_nothing(argo: Argo, tmp_path: Path) -> None:
    stage = argo.stage
    with argo.at_work(), recorded(stage.kubeconfig, tmp_path) as recorder:
        words = ("migrate", "argocd", "--shadow", "--for", "2s", "--kubeconfig", str(recorder.kubeconfig))
        seen = json.loads(stage.kilde(*words, "-o", "json", codes=(0, 1)))
        [app] = seen["applications"]
        assert [one for one in app["fields"] if one["theirs"] != one["ours"]] == []
        assert seen["agrees"]
        assert {one["name"]: one["ours"] for one in app["fields"]}["sync.revision"] == argo.sha
    assert any("watch=true" in path for _, path in recorder.requests)
    assert recorder.writes == []


def test_a_shadow_names_what_differs(argo: Argo) -> None:
    stage = argo.stage
    lie = {"status": {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"}, "resources": None}}
    stage.kubectl("-n", stage.space, "patch", "application", "shop", "--type=merge", "-p", json.dumps(lie))
    said = stage.said("migrate", "argocd", "--shadow", "--for", "0s")
    assert said.returncode == 1
    assert [line.strip() for line in said.stdout.splitlines() if line.startswith("  ")][:2] == [
        "shop sync.status: Argo CD OutOfSync, Kilde Synced",
        f"shop health.status: Argo CD Degraded, Kilde {'Progressing' if 'real' in stage.space else 'Healthy'}",
    ]
    assert f"shop resources[apps/Deployment {argo.space}/web]: Argo CD (none), Kilde listed" in said.stdout
    assert said.stdout.endswith("0 of 1 applications agree with Argo CD in every field\n")


@pytest.fixture
def flux(argo: Argo) -> Argo:
    """Flux' kinds in their public shape, and what deploys a folder and a chart by them."""
    stage = argo.stage
    groups = {
        "kustomize": ("Kustomization",),
        "helm": ("HelmRelease",),
        "source": ("GitRepository", "HelmRepository"),
    }
    for group, kinds in groups.items():
        for kind in kinds:
            stage.kubectl("apply", "-f", "-", stdin=json.dumps(definition(f"{group}.toolkit.fluxcd.io", kind)))
    return argo


def definition(group: str, kind: str) -> dict[str, object]:
    plural = (
        "gitrepositories"
        if kind == "GitRepository"
        else "helmrepositories"
        if kind == "HelmRepository"
        else f"{kind.lower()}s"
    )
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}},
        "subresources": {"status": {}},
    }
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def test_what_becomes_of_flux(flux: Argo, tmp_path: Path) -> None:
    stage = flux.stage
    chart = {"chart": "podinfo", "version": "6.x", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}
    specs = {
        ("source", "GitRepository", "config"): {"interval": "1m", "url": stage.url, "ref": {"branch": "main"}},
        ("source", "HelmRepository", "charts"): {"interval": "1h", "url": "https://charts.example"},
        ("kustomize", "Kustomization", "shop"): {
            "interval": "10m",
            "path": "./shop",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": "config"},
        },
        ("helm", "HelmRelease", "podinfo"): {"interval": "10m", "chart": {"spec": chart}, "dependsOn": []},
    }
    for (group, kind, name), spec in specs.items():
        body = {"apiVersion": f"{group}.toolkit.fluxcd.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        served = ("-n", stage.space, "apply", "-f", "-")
        stage.until(lambda: stage.kubectl(*served, stdin=json.dumps(body), codes=(0, 1)), f"{kind} served")  # noqa: B023
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        words = ("migrate", "flux", "--kubeconfig", str(recorder.kubeconfig), "--out", str(tmp_path / "out"))
        move = json.loads(stage.kilde(*words, "-o", "json"))
    assert recorder.writes == []
    assert [(one["what"], one["becomes"]) for one in move["mapped"]] == [
        (f"Kustomization {stage.space}/shop", "Application shop"),
        (f"HelmRelease {stage.space}/podinfo", "Application podinfo"),
        ("AppProject flux", "new"),
    ]
    for folder in ("applications", "projects"):
        stage.kubectl("apply", "--dry-run=server", "-f", str(tmp_path / "out" / folder))
