"""A move from the real Flux to Kilde and back, on a real control plane: no object is deleted or made anew, nothing restarts.

Opt-in, for its controllers are too much to build for everybody: KILDE_FLUX names a folder with them
(docs/decisions/0040-the-real-argo-cd-is-opt-in.md says how it is made), and Git must have its http-backend.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_real import where

from adapters.git import https
from e2e.argo import config_map, deployment
from e2e.real_flux import RealFlux, folder, made
from e2e.recording import recorded
from e2e.stage import Stage, install_kinds
from e2e.test_take_over import deletes, up
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
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "chart/values.yaml": "colour: blue\n",
    "chart/templates/config.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-chart'}\n"
        "data: {colour: '{{ .Values.colour }}', release: '{{ .Release.Name }}'}\n"
    ),
}
OBJECTS = ("Deployment/web", "ConfigMap/config", "ConfigMap/late-config")


@pytest.fixture
def flux(real_programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealFlux]:
    """With two Kustomizations, one of which waits for the other, and a HelmRelease; on a control plane of its own."""
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
        files = {
            "shop/web/deployment.yaml": json.dumps(deployment(0)),
            "shop/config.yaml": json.dumps(config_map(NAMED, k="one")),
            "late/kustomization.yaml": json.dumps(LATE),
            "late/config.json": json.dumps(config_map(NAMED, k="one")),
        }
        stage.create_repository({**files, **CHART})
        common = {"labels": {"team": "shop"}, "annotations": {"owner": "shop"}}
        patch = [{"op": "add", "path": "/metadata/labels", "value": {"patched": "yes"}}]
        spec = {"interval": "10m", "prune": True, "wait": True, "targetNamespace": SPACE, "sourceRef": GIT}
        shop = {"path": "./shop", "commonMetadata": common}
        shop["patches"] = [{"patch": json.dumps(patch), "target": {"kind": "ConfigMap"}}]
        late = {"path": "./late", "dependsOn": [{"name": "shop"}]}
        chart = {"spec": {"chart": "./chart", "sourceRef": GIT}}
        release = {"interval": "10m", "releaseName": "release", "targetNamespace": SPACE, "chart": chart}
        one.put(
            made("source", "v1", "GitRepository", "config", interval="1m", url=one.url, ref={"branch": "main"}),
            made("kustomize", "v1", "Kustomization", "shop", **spec, **shop),
            made("kustomize", "v1", "Kustomization", "late", **spec, **late),
        )
        if one.has_helm:
            one.put(made("helm", "v2", "HelmRelease", "release", **release, values={"colour": "red"}))
        with one.at_work():
            one.reconcile()
            yield one
            stage.stop()


def state(stage: Stage) -> dict[str, tuple[str, object]]:
    """UID of all that was deployed and of what came of it, with the templates of pods: a rollout would be another one."""
    found = json.loads(stage.kubectl("get", "deployments,replicasets,configmaps,secrets", "-n", SPACE, "-o", "json"))
    return {
        f"{one['kind']}/{one['metadata']['name']}": (one["metadata"]["uid"], (one.get("spec") or {}).get("template"))
        for one in found["items"]
    }


def head(stage: Stage) -> str:
    return stage.git("rev-parse", "HEAD").strip()


def commit(stage: Stage, text: str) -> None:
    stage.commit({"shop/config.yaml": json.dumps(config_map(NAMED, k=text))})


def value(stage: Stage) -> str:
    return str((stage.get("-n", SPACE, "configmap", NAMED) or {"data": {}})["data"].get("k"))


def deployed(flux: RealFlux) -> None:
    """Waits until Flux says that all of the newest commit is deployed."""
    try:
        flux.stage.until(lambda: flux.is_ready(head(flux.stage)), "Flux has deployed it", 120)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{flux.log()}") from error


def test_in_and_out_of_the_real_one(flux: RealFlux, tmp_path: Path) -> None:
    stage = flux.stage
    deployed(flux)
    stage.until(
        lambda: any(name.startswith("ReplicaSet/") for name in state(stage)), "the Deployment has its ReplicaSet"
    )
    before = state(stage)
    assert set(OBJECTS) < set(before)
    releases = ["release"] if flux.has_helm else []
    owned = 4 + len(releases)
    assert ("ConfigMap/release-chart" in before) is flux.has_helm
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        through = ("--kubeconfig", str(recorder.kubeconfig))
        move = json.loads(stage.kilde(*MOVE, "-o", "json", *through))
        assert (move["owned"], [one for one in move["notes"] if one["kind"] == "person"]) == (owned, [])
        seen = json.loads(stage.kilde(*MOVE, "--shadow", "--for", "3s", "-o", "json", *through, codes=(0, 1)))
        unlike = {
            app["name"]: [one for one in app["fields"] if one["theirs"] != one["ours"]] + app["changes"] + app["errors"]
            for app in seen["applications"]
        }
        assert (unlike, seen["agrees"]) == ({name: [] for name in ("late", *releases, "shop")}, True)
        assert recorder.writes == []
        told = stage.kilde(*MOVE, "--take-over", *through)
        assert f"{owned} objects were Flux's and are Kilde's now, 0 were before" in told, told
        with up(stage) as kilde:
            assert kilde.stdout is not None
            assert kilde.stdout.readline() == "ready\n", stage.log()
            flux.reconcile()  # its controllers run on, and have been told to rest
            for name in ("shop", "late", *releases):
                stage.until(lambda: stage.status(name).get("sync", {}).get("status") == "Synced", f"{name} is Synced")  # noqa: B023
            assert state(stage) == before
            commit(stage, "two")
            refresh = "argocd.argoproj.io/refresh=normal"
            stage.kubectl("-n", stage.space, "annotate", "application", "shop", refresh)
            stage.until(lambda: value(stage) == "two", "Kilde writes")
            assert state(stage) == before
            stage.kubectl("-n", stage.space, "delete", "kustomizations.kustomize.toolkit.fluxcd.io", "late")
            assert state(stage) == before  # its finalizer has run: what is suspended deletes nothing
            told = stage.kilde(*MOVE, "--hand-back", *through)
            assert kilde.wait(30) == 3
        assert f"Kustomization {stage.space}/late: is no longer there, and not resumed" in told
        assert f"Kustomization {stage.space}/shop: resumed" in told
        assert (f"HelmRelease {stage.space}/release: resumed" in told) is flux.has_helm
        assert deletes(recorder) == []
    commit(stage, "three")
    flux.reconcile()
    deployed(flux)
    assert value(stage) == "three"
    assert state(stage) == before
