"""kill -9 in each phase of a sync and of a deletion, on both clusters: every hook runs exactly as often as it should.

The embedded API is a process of its own here, so that nothing but the controller dies. KILDE_HOOK_KILLS sets the number of kills
over both clusters (6; `make kills` has 200), KILDE_SEED repeats a run (a failure prints it).
"""

import contextlib
import json
import os
import queue
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.kubelet import Kubelet
from e2e.stage import BIN, NO_BUDGETS, Stage

KILLS = int(os.environ.get("KILDE_HOOK_KILLS", "6")) // 2  # on each cluster
_LONGEST = 0.4  # seconds that a hook runs
_IMAGE = "example.com/hook"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 10 * KILLS)]

GOOD = {"pre": 1, "work": 1, "post": 1, "gen": 1}
BAD = {"pre": 1, "work": 1, "fail": 1}
DELETION = {"bye": 1, "after": 1}


def hook(name: str, phase: str, *, policy: str = "BeforeHookCreation", wave: int = 0, ends: str = "well") -> str:
    annotations = {"hook": phase, "hook-delete-policy": policy, "sync-wave": str(wave)}
    meta: dict[str, Any] = {"annotations": {f"argocd.argoproj.io/{key}": text for key, text in annotations.items()}}
    meta |= {"generateName": f"{name}--"} if name == "gen" else {"name": name}
    meta["labels"] = {"ends": ends}
    spec = {"restartPolicy": "Never", "containers": [{"name": "main", "image": _IMAGE}]}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})


def content(name: str, number: int, wave: int = 0) -> str:
    meta = {"name": name, "annotations": {"argocd.argoproj.io/sync-wave": str(wave)}}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"n": str(number)}})


@dataclass
class Trial:
    """Kilde, killed in the phases that are asked for, and what ran meanwhile."""

    stage: Stage
    kubelet: Kubelet
    dice: random.Random
    space: str
    kills: int = 0
    number: int = 0

    def sync(self, *, well: bool) -> None:
        """One commit, and the operation that it brings; killed in some of its phases."""
        self.number += 1
        files: dict[str, str | None] = {
            "app/pre.json": hook("pre", "PreSync"),
            "app/first.json": content("first", self.number, -1),
            "app/work.json": hook("work", "Sync", ends="well" if well else "badly"),
            "app/second.json": content("second", self.number, 1),
            "app/post.json": hook("post", "PostSync"),
            "app/gen.json": hook("gen", "PostSync", policy="HookSucceeded", wave=1),
            "app/fail.json": hook("fail", "SyncFail"),
        }
        before, phase = self.kubelet.made, "Succeeded" if well else "Failed"
        sha = self.stage.commit(files)
        self.stage.push()
        phases = ["pre", "work", "post"] if well else ["pre", "work", "fail"]
        self.kill_in([name for name in phases if self.dice.random() < 0.8], lambda: self.is_over(sha))
        self.stage.until(lambda: self.is_over(sha), f"the operation to {sha} is over")
        state = self.stage.status("app")["operationState"]
        assert (state["phase"], self.made_since(before)) == (phase, GOOD if well else BAD), self.evidence(state)
        found = {name: self.stage.get("-n", self.space, "configmap", name) for name in ("first", "second")}
        values = {name: int(body["data"]["n"]) for name, body in found.items() if body is not None}
        assert values["first"] == self.number
        assert not well or values["second"] == self.number

    def is_over(self, sha: str) -> bool:
        state = self.stage.status("app").get("operationState") or {}
        return bool(state.get("finishedAt")) and (state.get("syncResult") or {}).get("revision") == sha

    def delete(self) -> None:
        """An application with hooks around its deletion comes and goes; killed in both phases."""
        stage = self.stage
        stage.application("brief", "brief", self.space)
        stage.until(lambda: stage.is_well("brief"), "the application that will go is there")
        before = self.kubelet.made
        stage.kubectl("delete", "application", "brief", "-n", stage.space, "--wait=false")
        self.kill_in(list(DELETION), lambda: not self.is_there())
        stage.until(lambda: not self.is_there(), "it is gone")
        assert self.made_since(before) == DELETION, self.evidence(None)
        assert stage.get("-n", self.space, "configmap", "brief") is None
        assert stage.kubectl("get", "pods", "-n", self.space, "bye", "after", "--ignore-not-found") == ""

    def is_there(self) -> bool:
        return self.stage.get("-n", self.stage.space, "application", "brief") is not None

    def kill_in(self, names: list[str], over: Any) -> None:
        """Kills Kilde a moment after each of these hooks has been made, and starts it again."""
        left = list(names)
        end = time.monotonic() + 60
        while left and time.monotonic() < end:
            try:
                name = self.kubelet.seen.get(timeout=1).partition("--")[0]
            except queue.Empty:
                if over():
                    return
                continue
            if name == left[0]:
                left.pop(0)
                time.sleep(self.dice.uniform(0.0, _LONGEST * 1.3))
                self.stage.stop(how=signal.SIGKILL)
                self.kills += 1
                self.stage.start()
            elif name in left:
                left = left[left.index(name) :]

    def made_since(self, before: Counter[str]) -> dict[str, int]:
        return dict(self.kubelet.made - before)

    def evidence(self, state: Any) -> str:
        log = self.stage.kilde("ledger", "log", "-o", "json", "--limit", "12")
        return f"{json.dumps(state)}\n{log}\n{self.stage.log()[-3000:]}"


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Path]:
    """The embedded API with the controllers of a control plane and no kubelets; its kubeconfig."""
    config = folder / "cluster.kubeconfig"
    command = [str(BIN / "kilde"), "cluster", "--data-dir", str(folder / "cluster"), "--controllers", "on"]
    with (folder / "cluster.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--kubeconfig-out", str(config)], stdout=subprocess.PIPE, stderr=log, text=True
        )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", (folder / "cluster.log").read_text()
            printed = subprocess.run(
                [str(BIN / "kilde"), "install", "--crds"], check=True, capture_output=True, text=True
            )
            apply = [str(BIN / "kubectl"), "--kubeconfig", str(config), "apply", "--server-side", "-f", "-"]
            subprocess.run(apply, input=printed.stdout, check=True, capture_output=True, text=True)
            yield config
        finally:
            process.terminate()


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.live)])
def apart(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Kilde, not yet started, on a cluster that outlives it."""
    with contextlib.ExitStack() as stack:
        real = request.param == "real"
        config = request.getfixturevalue("prepared") if real else stack.enter_context(embedded(tmp_path))
        made = Stage(tmp_path, config, "a-kill-hooks")
        made.kubectl("create", "namespace", made.space)
        stack.callback(made.stop)
        yield made


def test_hooks_run_exactly_as_often_as_they_should(apart: Stage) -> None:
    seed = int(os.environ.get("KILDE_SEED") or random.randrange(1 << 32))
    print(f"KILDE_SEED={seed}")
    dice, stage, space = random.Random(seed), apart, "kill-hooks"
    stage.options = (*NO_BUDGETS, "--on-degraded", "off")
    stage.create_repository({"app/first.json": content("first", 0, -1), "brief/brief.json": content("brief", 0)})
    around = {f"brief/{name}.json": hook(name, phase, policy="HookSucceeded")
              for name, phase in (("bye", "PreDelete"), ("after", "PostDelete"))}  # fmt: skip
    stage.commit(around)
    stage.kubectl("create", "namespace", space)
    stage.until(lambda: stage.get("-n", space, "serviceaccount", "default"), "what its Pods need")
    stage.start()
    with Kubelet(stage.kubeconfig, space, dice, _LONGEST) as kubelet:
        policy = {"automated": {"prune": True}, "retry": {"limit": 0}}
        stage.application("app", "app", space, syncPolicy=policy)
        stage.until(lambda: stage.is_well("app"), "deployed")
        trial = Trial(stage, kubelet, dice, space)
        rounds = 0
        while trial.kills < KILLS:
            rounds += 1
            assert rounds < KILLS + 10, f"only {trial.kills} kills in {rounds} rounds"
            if rounds % 3 == 2:
                trial.delete()
            else:
                trial.sync(well=rounds % 3 == 1)
        log = json.loads(stage.kilde("ledger", "log", "-o", "json", "--limit", "100000"))
        assert [one for one in log if not one["closed_at"]] == []
        assert stage.kilde("ledger", "verify").startswith("intact")
