"""A move from the real Flux to Kilde and back, on a real control plane: no object is deleted or made anew, nothing restarts.

Opt-in, for its controllers are too much to build for everybody: KILDE_FLUX names a folder with them
(docs/decisions/0040-the-real-argo-cd-is-opt-in.md says how it is made), and Git must have its http-backend.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from build_real import where

from adapters.git import https
from e2e.argo import config_map, deployment
from e2e.flux import flux_definition
from e2e.real_flux import RealFlux, folder, made
from e2e.recording import recorded
from e2e.stage import Stage, install_kinds
from e2e.test_take_over import up
from real.control_plane import control_plane

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        folder() is None or not https.AVAILABLE,
        reason="KILDE_FLUX names no folder of Flux's controllers, or there is no git-http-backend",
    ),
]
MOVE = ("migrate", "flux")
SPACE, NAMED = "real-flux-shop", "config"
GIT = {"kind": "GitRepository", "name": "config"}
LATE = {
    "resources": ["config.json"],
    "namePrefix": "late-",
    "configMapGenerator": [{"name": "made", "literals": ["a=b"]}],
}
TEMPLATES = "chart/templates"
LABELS = "labels: {app.kubernetes.io/managed-by: '{{ .Release.Service }}', app: '{{ .Release.Name }}'}"
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "chart/values.yaml": "text: one\n",
    f"{TEMPLATES}/config.yaml": (
        "apiVersion: v1\nkind: ConfigMap\n"
        f"metadata: {{name: '{{{{ .Release.Name }}}}-chart', {LABELS}}}\n"
        "data: {text: '{{ .Values.text }}', colour: '{{ .Values.colour }}', kube: '{{ .Capabilities.KubeVersion.Version }}',"
        """ kinds: '{{ .Capabilities.APIVersions.Has "apps/v1/Deployment" }}'}\n"""
    ),
    f"{TEMPLATES}/deployment.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\n"
        f"metadata: {{name: '{{{{ .Release.Name }}}}', {LABELS}}}\n"
        "spec:\n  replicas: 0\n  selector: {matchLabels: {app: '{{ .Release.Name }}'}}\n"
        f"  template:\n    metadata: {{{LABELS}}}\n"
        "    spec: {containers: [{name: web, image: 'nginx:1.29', ports: [{containerPort: 80}]}]}\n"
    ),
    f"{TEMPLATES}/test.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{ .Release.Name }}-test', annotations: {helm.sh/hook: test}}\n"
        "spec: {containers: [{name: test, image: 'nginx:1.29'}]}\n"
    ),
    "chart/crds/widget.json": json.dumps(flux_definition("chart.example", "Widget")),
}
KINDS = "deployments,replicasets,configmaps,secrets,customresourcedefinitions"
OBJECTS = ("Deployment/web", "ConfigMap/config", "ConfigMap/late-config")


def release(name: str, **more: Any) -> dict[str, Any]:
    """A HelmRelease of the chart."""
    chart = {"spec": {"chart": "./chart", "sourceRef": GIT, "reconcileStrategy": "Revision"}}
    spec = {"interval": "10m", "releaseName": name, "targetNamespace": SPACE, "chart": chart}
    return made("helm", "v2", "HelmRelease", name, **spec, values={"colour": "red"}, **more)


def files() -> dict[str, str]:
    """What is in Git."""
    as_helm_3 = release("client", install={"serverSideApply": False, "crds": "Skip"})
    as_helm_3["metadata"]["namespace"] = "flux-system"
    return {
        "shop/web/deployment.yaml": json.dumps(deployment(0)),
        "shop/config.yaml": json.dumps(config_map(NAMED, k="one")),
        "late/kustomization.yaml": json.dumps(LATE),
        "late/config.json": json.dumps(config_map(NAMED, k="one")),
        "releases/client.yaml": json.dumps(as_helm_3),
        **CHART,
    }


@pytest.fixture
def flux(real_programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealFlux]:
    """With two Kustomizations, one of which waits for the other, and two HelmReleases of one chart, one of which a third one makes.

    On a control plane of its own.
    """
    programs = folder()
    assert programs is not None
    monkeypatch.setenv("KILDE_HELM_COMMAND", str(where("helm")))
    with control_plane(tmp_path / "plane") as plane, https.serve(tmp_path) as git:
        stage = Stage(tmp_path, plane.kubeconfig, "flux-system")
        install_kinds(plane.kubeconfig)
        for name in (stage.space, SPACE):
            stage.kubectl("create", "namespace", name)
        one = RealFlux(stage, programs, git.url("config.git"))
        one.prepare()
        stage.create_repository(files())
        common = {"labels": {"team": "shop"}, "annotations": {"owner": "shop"}}
        patch = [{"op": "add", "path": "/metadata/labels", "value": {"patched": "yes"}}]
        spec = {"interval": "10m", "prune": True, "wait": True, "sourceRef": GIT}
        shop = {"path": "./shop", "targetNamespace": SPACE, "commonMetadata": common}
        shop["patches"] = [{"patch": json.dumps(patch), "target": {"kind": "ConfigMap"}}]
        late = {"path": "./late", "targetNamespace": SPACE, "dependsOn": [{"name": "shop"}]}
        one.put(
            made("source", "v1", "GitRepository", "config", interval="1m", url=one.url, ref={"branch": "main"}),
            made("kustomize", "v1", "Kustomization", "shop", **spec, **shop),
            made("kustomize", "v1", "Kustomization", "late", **spec, **late),
        )
        if one.has_helm:
            one.put(
                made("kustomize", "v1", "Kustomization", "releases", **spec, path="./releases"),
                release("release", driftDetection={"mode": "enabled"}),
            )
        with one.at_work():
            one.reconcile()
            yield one
            stage.stop()


def state(stage: Stage) -> dict[str, tuple[object, ...]]:
    """UID of all that was deployed and of what came of it, its marks, and templates of pods: a rollout would be another one."""
    found = json.loads(stage.kubectl("get", KINDS, "-n", SPACE, "-o", "json"))["items"]
    return {
        f"{one['kind']}/{one['metadata']['name']}": (
            one["metadata"]["uid"],
            _theirs(one["metadata"]),
            (one.get("spec") or {}).get("template"),
        )
        for one in found
    }


def _theirs(meta: dict[str, Any]) -> dict[str, str]:
    """The labels and annotations that Flux and Helm put on an object."""
    marks = {**(meta.get("labels") or {}), **(meta.get("annotations") or {})}
    return {key: text for key, text in marks.items() if "fluxcd.io/" in key or "helm" in f"{key}{text}".lower()}


def marked(stage: Stage) -> list[str]:
    """The objects that bear a mark of ours, or fields that we have applied."""
    kinds = "deployments,configmaps,customresourcedefinitions,helmreleases.helm.toolkit.fluxcd.io"
    kinds = kinds if "helmrelease" in stage.kubectl("get", "crd", "-o", "name") else kinds.rpartition(",")[0]
    found = json.loads(stage.kubectl("get", kinds, "-A", "-o", "json", "--show-managed-fields"))["items"]
    return [
        f"{one['kind']}/{one['metadata']['name']}"
        for one in found
        if "argocd.argoproj.io/tracking-id" in (one["metadata"].get("annotations") or {})
        or any(entry["manager"] == "kilde" for entry in one["metadata"].get("managedFields") or ())
    ]


def head(stage: Stage) -> str:
    return stage.git("rev-parse", "HEAD").strip()


def commit(stage: Stage, text: str) -> None:
    """Another text in a ConfigMap of a Kustomization, and in the default values of the chart."""
    files = {"shop/config.yaml": json.dumps(config_map(NAMED, k=text)), "chart/values.yaml": f"text: {text}\n"}
    stage.commit(files)


def value(stage: Stage) -> str:
    return str((stage.get("-n", SPACE, "configmap", NAMED) or {"data": {}})["data"].get("k"))


def written(stage: Stage, release: str) -> list[str]:
    """The chart's own value, and the one that the HelmRelease gives."""
    data = (stage.get("-n", SPACE, "configmap", f"{release}-chart") or {"data": {}})["data"]
    return [str(data.get(key)) for key in ("text", "colour")]


def deployed(flux: RealFlux) -> None:
    """Waits until Flux says that all of the newest commit is deployed."""
    try:
        flux.stage.until(lambda: flux.is_ready(head(flux.stage)), "Flux has deployed it", 120)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{flux.log()}") from error


def test_in_and_out_of_the_real_one(flux: RealFlux, tmp_path: Path) -> None:
    stage = flux.stage
    deployed(flux)
    releases = ["client", "release"] if flux.has_helm else []
    apps = sorted(["late", "shop", *(("releases", *releases) if releases else ())])
    stage.until(
        lambda: sum(name.startswith("ReplicaSet/") for name in state(stage)) == 1 + len(releases),
        "each Deployment has its ReplicaSet",
    )
    before = state(stage)
    assert set(OBJECTS) < set(before)
    owned = 10 if releases else 4
    assert {f"ConfigMap/{name}-chart" for name in releases} == {name for name in before if name.endswith("-chart")}
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        through = ("--kubeconfig", str(recorder.kubeconfig))
        move = json.loads(stage.kilde(*MOVE, "-o", "json", *through))
        assert (move["owned"], [one for one in move["notes"] if one["kind"] == "person"]) == (owned, [])
        seen = json.loads(stage.kilde(*MOVE, "--shadow", "--for", "3s", "-o", "json", *through, codes=(0, 1)))
        unlike = {
            app["name"]: [one for one in app["fields"] if one["theirs"] != one["ours"]] + app["changes"] + app["errors"]
            for app in seen["applications"]
        }
        assert (unlike, seen["agrees"]) == ({name: [] for name in apps}, True)
        assert recorder.writes == []
        told = stage.kilde(*MOVE, "--take-over", *through)
        assert f"{owned} objects were Flux's and are Kilde's now, 0 were before" in told, told
        with up(stage) as kilde:
            assert kilde.stdout is not None
            assert kilde.stdout.readline() == "ready\n", stage.log()
            flux.reconcile()  # its controllers run on, and have been told to rest
            for name in apps:
                stage.until(lambda: stage.status(name).get("sync", {}).get("status") == "Synced", f"{name} is Synced")  # noqa: B023
            assert state(stage) == before
            commit(stage, "two")
            refresh = "argocd.argoproj.io/refresh=normal"
            stage.kubectl("-n", stage.space, "annotate", "application", "shop", refresh)
            stage.until(lambda: value(stage) == "two", "Kilde writes")
            for name in releases:
                stage.kubectl("-n", stage.space, "annotate", "application", name, refresh)
                stage.until(lambda: written(stage, name) == ["two", "red"], f"Kilde writes what {name} renders")  # noqa: B023
            assert state(stage) == before
            assert len(marked(stage)) == owned
            stage.kubectl("-n", stage.space, "delete", "kustomizations.kustomize.toolkit.fluxcd.io", "late")
            assert state(stage) == before  # its finalizer has run: what is suspended deletes nothing
            told = stage.kilde(*MOVE, "--hand-back", *through)
            assert kilde.wait(30) == 3
        assert f"Kustomization {stage.space}/late: is no longer there, and not resumed" in told
        assert f"Kustomization {stage.space}/shop: resumed" in told
        assert all(f"HelmRelease {stage.space}/{name}: resumed" in told for name in releases)
        left = ["ConfigMap/late-config", "ConfigMap/late-made-"]  # of the Kustomization that is gone
        assert [name.removesuffix(name.partition("made-")[2]) for name in marked(stage)] == left
        assert recorder.deletes == []
    commit(stage, "three")
    flux.reconcile()
    deployed(flux)
    assert value(stage) == "three"
    assert all(written(stage, name) == ["three", "red"] for name in releases)
    assert state(stage) == before
