"""From Flux and back on both clusters: nothing is deleted or restarted, two never write at once, what was cut off is taken up."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.argo import config_map
from e2e.flux import Flux
from e2e.recording import recorded
from e2e.stage import Stage
from e2e.test_migrate import box as box
from e2e.test_take_over import up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
MOVE = ("migrate", "flux")
MARK = "argocd.argoproj.io/tracking-id"


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.live)])
def flux(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flux]:
    """Flux on one of the clusters, with one Kustomization."""
    config = request.getfixturevalue("prepared" if request.param == "real" else "box")
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-30:].strip("-")
    stage = Stage(tmp_path, config, f"f-{name}")
    stage.kubectl("create", "namespace", stage.space)
    made = Flux(stage)
    made.begin()
    stage.until(made.is_whole, "its pods and all that a namespace has are made")
    try:
        yield made
    finally:
        stage.stop()
        made.end()
        stage.kubectl("delete", "namespace", stage.space, made.space, "--wait=false")


def test_in_and_out_again_disturbs_nothing(flux: Flux, tmp_path: Path) -> None:
    stage, before = flux.stage, flux.state()
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        through = ("--kubeconfig", str(recorder.kubeconfig))
        told = stage.kilde(*MOVE, "--take-over", *through)
        assert told.splitlines() == [
            f"Kustomization {stage.space}/shop: suspended",
            "2 objects were Flux's and are Kilde's now, 0 were before",
            "1 Applications written, without pruning: see what kilde plan says, then let them prune",
            "taken over: kilde up writes from now on; the way back is kilde migrate flux --hand-back",
        ]
        assert flux.reconcile() is False
        labels, annotations = flux.marks("deployment", "web")
        assert labels == {
            "kustomize.toolkit.fluxcd.io/name": "shop",
            "kustomize.toolkit.fluxcd.io/namespace": stage.space,
        }
        assert annotations[MARK] == f"shop:apps/Deployment:{flux.space}/web"
        assert flux.owners("configmap", "config") == [("kilde", "Apply")]
        with up(stage) as kilde:
            assert kilde.stdout is not None
            assert kilde.stdout.readline() == "ready\n", stage.log()
            stage.until(lambda: stage.status("shop").get("sync", {}).get("status") == "Synced", "it is Synced")
            assert flux.state() == before
            assert flux.marks("deployment", "web")[0] == labels
            again = stage.kilde(*MOVE, "--take-over", *through).splitlines()
            assert again[0] == "0 objects were Flux's and are Kilde's now, 2 were before"
            changed = json.dumps(config_map("config", k="two"))
            stage.commit({"shop/configmap.json": changed})
            stage.push()
            stage.until(
                lambda: (stage.get("-n", flux.space, "cm", "config") or {})["data"]["k"] == "two", "Kilde writes"
            )
            stage.until(lambda: (stage.status("shop").get("operationState") or {}).get("phase") == "Succeeded", "done")
            told = stage.kilde(*MOVE, "--hand-back", *through)
            assert kilde.wait(30) == 3
        assert "stopped writing: what Kilde had is being handed back to Flux" in stage.log()
        assert told.splitlines()[-3:] == [
            "2 objects were Kilde's and are Flux's now, 0 were before",
            f"Kustomization {stage.space}/shop: resumed",
            "handed back: Flux writes from now on; kilde up holds until it is taken over again",
        ]
        assert recorder.deletes == []
    assert "suspend" not in flux.kustomization()["spec"]
    assert flux.kustomization()["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    assert MARK not in flux.marks("deployment", "web")[1]
    flux.bodies[1] = config_map("config", k="two")
    assert flux.reconcile() is True
    assert {name for name, _ in flux.owners("deployment", "web")} == {"kustomize-controller"}
    assert flux.state() == before
    with up(stage):
        stage.until(lambda: "it was handed back to Flux" in stage.log(), "it holds again")


def test_a_killed_take_over_and_a_killed_hand_back_are_taken_up(flux: Flux, tmp_path: Path) -> None:
    stage, before = flux.stage, flux.state()
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        for step in ("--take-over", "--hand-back"):
            for nth in (1, 3):
                recorder.kill(stage, *MOVE, step, after=nth)
            stage.kilde(*MOVE, step, "--kubeconfig", str(recorder.kubeconfig))
            ours = step == "--take-over"
            assert (flux.kustomization()["spec"].get("suspend") is True) is ours
            assert (("kilde", "Apply") in flux.owners("deployment", "web")) is ours
            assert (MARK in flux.marks("configmap", "config")[1]) is ours
            if ours:
                app = stage.get("-n", stage.space, "application", "shop")
                assert app is not None
                assert app["spec"]["syncPolicy"]["automated"] == {"prune": False, "selfHeal": True}
        assert recorder.deletes == []
    assert flux.state() == before


def test_a_refused_move_leaves_everything_and_kilde_holds_beside_flux(flux: Flux) -> None:
    stage = flux.stage
    whole = flux.whole()
    said = stage.said(*MOVE, "--hand-back")
    assert (said.returncode, "nothing was taken over" in said.stderr) == (3, True)
    assert flux.whole() == whole
    flux.change({"spec": {"postBuild": {"substitute": {"a": "b"}}}})
    whole = flux.whole()
    said = stage.said(*MOVE, "--take-over")
    assert (said.returncode, "1 things need a person before the move, the first: postBuild" in said.stderr) == (3, True)
    assert flux.whole() == whole
    flux.change({"spec": {"postBuild": None}})
    stage.application("shop", "elsewhere", flux.space)
    whole = flux.whole()
    said = stage.said(*MOVE, "--take-over")
    assert (said.returncode, "Application shop: is there and has another source" in said.stderr) == (3, True)
    assert flux.whole() == whole
    stage.application("shop", "shop", flux.space)
    with up(stage) as kilde:
        stage.until(lambda: "holding: nothing is written" in stage.log(), "it holds")
        assert f"Flux runs (Kustomization {stage.space}/shop has the objects of Application shop)" in stage.log()
        flux.change({"spec": {"suspend": True}})
        assert kilde.stdout is not None
        assert kilde.stdout.readline() == "ready\n", stage.log()
        flux.change({"spec": {"suspend": False}})
        assert kilde.wait(60) == 3
    assert "stopped writing: Flux runs (" in stage.log()
