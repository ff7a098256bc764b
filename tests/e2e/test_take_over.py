"""Moving in and out on both clusters: nothing is deleted or restarted, two never write at once, what was cut off is taken up."""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.argo import CONTROLLER, SETS, Argo, config_map
from e2e.recording import recorded
from e2e.stage import BIN, Stage
from e2e.test_migrate import argo as argo
from e2e.test_migrate import box as box

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
MOVE = ("migrate", "argocd")


def replicas(argo: Argo) -> list[int]:
    kinds = (("statefulset", CONTROLLER), ("deployment", SETS))
    found = [argo.stage.get("-n", argo.stage.space, kind, name) for kind, name in kinds]
    return [one["spec"]["replicas"] for one in found if one is not None]


def owners(argo: Argo, kind: str, name: str) -> list[tuple[str, str]]:
    words = ("-n", argo.space, kind, name, "--show-managed-fields")
    found = argo.stage.get(*words)
    assert found is not None
    entries = found["metadata"]["managedFields"]
    return [(one["manager"], one["operation"]) for one in entries if "subresource" not in one]


def applied(argo: Argo) -> dict[str, Any]:
    found = argo.stage.get("-n", argo.space, "deployment", "web")
    assert found is not None
    last: dict[str, Any] = json.loads(
        found["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    )
    return last


@contextlib.contextmanager
def up(stage: Stage) -> Iterator["subprocess.Popen[str]"]:
    """`kilde up` that may hold: it is not waited for."""
    words = [str(BIN / "kilde"), "up", "--data-dir", str(stage.data), "--namespace", stage.space]
    words += ["--listen", f"127.0.0.1:{stage.listen}", "--kubeconfig", str(stage.kubeconfig)]
    with (
        (stage.folder / "kilde.log").open("w") as log,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True, env=stage.env) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def test_in_and_out_again_disturbs_nothing(argo: Argo, tmp_path: Path) -> None:
    stage = argo.stage
    before, said = argo.state(), applied(argo)
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        through = ("--kubeconfig", str(recorder.kubeconfig))
        with up(stage) as kilde:
            stage.until(lambda: "holding: nothing is written" in stage.log(), "it holds")
            assert f"StatefulSet {stage.space}/{CONTROLLER}" in stage.log()
            told = stage.kilde(*MOVE, "--take-over", *through)
            assert told.splitlines()[-2:] == [
                "2 objects were Argo CD's and are Kilde's now, 0 were before",
                "taken over: kilde up writes from now on; the way back is kilde migrate argocd --hand-back",
            ]
            assert kilde.stdout is not None
            assert kilde.stdout.readline() == "ready\n", stage.log()
            assert replicas(argo) == [0, 0]
            assert owners(argo, "configmap", "config") == [("kilde", "Apply")]
            assert ("kilde", "Apply") in owners(argo, "deployment", "web")
            refresh = "argocd.argoproj.io/refresh"
            stage.kubectl("-n", stage.space, "annotate", "application", "shop", f"{refresh}=normal")
            stage.until(lambda: refresh not in str(stage.get("-n", stage.space, "application", "shop")), "looked at")
            assert stage.status("shop")["sync"]["status"] == "Synced"
            assert argo.state() == before
            assert "0 objects were Argo CD's" in stage.kilde(
                *MOVE, "--take-over", *through
            )  # again: nothing is left to do
            changed = json.dumps(config_map("config", k="two"))
            stage.commit({"shop/configmap-config.json": changed})
            stage.push()
            stage.until(
                lambda: (stage.get("-n", argo.space, "cm", "config") or {})["data"]["k"] == "two", "Kilde writes"
            )
            stage.until(lambda: (stage.status("shop").get("operationState") or {}).get("phase") == "Succeeded", "done")
            told = stage.kilde(*MOVE, "--hand-back", *through)
            assert kilde.wait(30) == 3
            assert "stopped writing: what Kilde had is being handed back to Argo CD" in stage.log()
        assert told.splitlines()[-1].startswith("handed back: Argo CD writes from now on")
        assert replicas(argo) == [1, 1]
        assert argo.state() == before
        assert "kilde" not in [name for name, _ in (*owners(argo, "deployment", "web"), *owners(argo, "cm", "config"))]
        assert applied(argo) == said
        assert recorder.deletes == []
        with up(stage):
            stage.until(lambda: "it was handed back to Argo CD" in stage.log(), "it holds again")
        assert stage.kilde(*MOVE, "--hand-back", *through).startswith("handed back")


def test_a_killed_take_over_and_a_killed_hand_back_are_taken_up(argo: Argo, tmp_path: Path) -> None:
    stage = argo.stage
    before = argo.state()
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        for step in ("--take-over", "--hand-back"):
            for nth in (1, 3, 5):
                recorder.kill(stage, *MOVE, step, after=nth)
            stage.kilde(*MOVE, step, "--kubeconfig", str(recorder.kubeconfig))
            ours = step == "--take-over"
            assert replicas(argo) == ([0, 0] if ours else [1, 1])
            assert (("kilde", "Apply") in owners(argo, "deployment", "web")) is ours
            if ours:
                _ends_when_argo_is_started(stage)
        assert recorder.deletes == []
    assert argo.state() == before


def _ends_when_argo_is_started(stage: Stage) -> None:
    with up(stage) as kilde:
        assert kilde.stdout is not None
        assert kilde.stdout.readline() == "ready\n", stage.log()
        stage.kubectl("-n", stage.space, "scale", "statefulset", CONTROLLER, "--replicas=1")
        assert kilde.wait(30) == 3
    assert f"stopped writing: Argo CD runs (StatefulSet {stage.space}/{CONTROLLER})" in stage.log()


def test_nobody_is_stopped_in_the_middle_or_against_the_plan(argo: Argo) -> None:
    stage = argo.stage
    patch = ("-n", stage.space, "patch", "application", "shop", "--type=merge", "-p")
    stage.kubectl(*patch, json.dumps({"operation": {"sync": {}}}))
    said = stage.said(*MOVE, "--take-over")
    assert (said.returncode, "is in the middle of an operation; nothing was stopped" in said.stderr) == (3, True)
    stage.kubectl(
        *patch, json.dumps({"operation": None, "spec": {"destination": {"name": "elsewhere", "server": None}}})
    )
    said = stage.said(*MOVE, "--take-over")
    assert (said.returncode, "things need a person before the move" in said.stderr) == (3, True)
    said = stage.said(*MOVE, "--hand-back")
    assert (said.returncode, "nothing was taken over" in said.stderr) == (3, True)
    assert replicas(argo) == [1, 1]
    assert re.search("^error: ", stage.said(*MOVE, "--take-over").stderr, re.MULTILINE)
