"""A move from the real Argo CD to Kilde and back, on a real control plane: no object is deleted or made anew, nothing restarts.

Opt-in, for its binary is too much to build for everybody: KILDE_ARGOCD names it (the module github.com/argoproj/argo-cd/v3, package
./cmd; docs/decisions/0040-the-real-argo-cd-is-opt-in.md says how), and redis-server must be on the PATH.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.argo import CONTROLLER, config_map, deployment
from e2e.real_argo import RealArgo, program
from e2e.recording import recorded
from e2e.stage import Stage
from e2e.test_take_over import up

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        program() is None, reason="KILDE_ARGOCD names no binary of Argo CD, or there is no redis-server"
    ),
]
MOVE = ("migrate", "argocd")
SPACE = "real-argo-shop"


@pytest.fixture
def argo(prepared: Path, tmp_path: Path) -> Iterator[RealArgo]:
    stage, binary = Stage(tmp_path, prepared, "a-real-argo"), program()
    assert binary is not None
    for name in (stage.space, SPACE):
        stage.kubectl("create", "namespace", name)
    made = RealArgo(stage, binary)
    bodies = {
        "deployment": deployment(0),
        "first": config_map("first", k="one"),
        "second": config_map("second", k="one"),
    }
    stage.create_repository({f"shop/{name}.json": json.dumps(body) for name, body in bodies.items()})
    made.prepare()
    with made.at_work():
        yield made
        stage.stop()
    stage.kubectl("delete", "namespace", stage.space, SPACE, "--wait=false")


def state(stage: Stage) -> dict[str, tuple[str, int | None]]:
    """UID and generation of all that was deployed, and of what came of it: a rollout would be a new one."""
    found = json.loads(stage.kubectl("get", "deployments,replicasets,configmaps", "-n", SPACE, "-o", "json"))["items"]
    return {
        f"{one['kind']}/{one['metadata']['name']}": (one["metadata"]["uid"], one["metadata"].get("generation"))
        for one in found
    }


def value(stage: Stage) -> str:
    return str((stage.get("-n", SPACE, "configmap", "first") or {"data": {}})["data"].get("k"))


def commit(stage: Stage, text: str) -> None:
    stage.commit({"shop/first.json": json.dumps(config_map("first", k=text))})


def test_in_and_out_of_the_real_one(argo: RealArgo, tmp_path: Path) -> None:
    stage = argo.stage
    stage.application("shop", "shop", SPACE)
    stage.until(lambda: stage.is_well("shop"), "Argo CD has deployed it", 120)
    stage.until(
        lambda: any(name.startswith("ReplicaSet/") for name in state(stage)), "the Deployment has its ReplicaSet"
    )
    before = state(stage)
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        through = ("--kubeconfig", str(recorder.kubeconfig))
        move = json.loads(stage.kilde(*MOVE, "-o", "json", *through))
        assert (move["owned"], [one for one in move["notes"] if one["kind"] == "person"]) == (3, [])
        seen = json.loads(stage.kilde(*MOVE, "--shadow", "--for", "5s", "-o", "json", *through, codes=(0, 1)))
        [app] = seen["applications"]
        assert [one for one in app["fields"] if one["theirs"] != one["ours"]] == []
        assert recorder.writes == []
        with up(stage) as kilde:
            stage.until(lambda: "holding: nothing is written" in stage.log(), "it holds")
            told = stage.kilde(*MOVE, "--take-over", *through)
            assert "3 objects were Argo CD's and are Kilde's now, 0 were before" in told
            assert kilde.stdout is not None
            assert kilde.stdout.readline() == "ready\n", stage.log()
            commit(stage, "two")
            stage.push()
            stage.until(lambda: value(stage) == "two", "Kilde writes")
            stage.until(lambda: stage.is_well("shop", stage.git("rev-parse", "HEAD").strip()), "and says so")
            assert state(stage) == before
            assert argo.runs == 1
            told = stage.kilde(*MOVE, "--hand-back", *through)
            assert kilde.wait(30) == 3
        assert f"StatefulSet {stage.space}/{CONTROLLER}: started with 1 replica" in told
        assert [one for one in recorder.requests if one[0] == "DELETE"] == []
    stage.until(lambda: argo.runs == 2, "Argo CD runs again")
    commit(stage, "three")
    refresh = "argocd.argoproj.io/refresh=normal"
    stage.kubectl("-n", stage.space, "annotate", "application", "shop", refresh, "--overwrite")
    stage.until(lambda: value(stage) == "three", "Argo CD writes", 120)
    stage.until(lambda: stage.is_well("shop", stage.git("rev-parse", "HEAD").strip()), "and says so", 120)
    assert state(stage) == before
