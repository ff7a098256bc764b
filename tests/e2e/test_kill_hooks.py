"""kill -9 in each phase of a sync and of a deletion that run on two clusters at once, one of them faulty: every hook runs exactly as often
as it should, on both.

The clusters are processes of their own here, so that nothing but the controller dies; the second one is that of a cluster Secret.
KILDE_HOOK_KILLS sets the number of kills over both kinds of first cluster (6; `make kills` has 200), KILDE_SEED repeats a run (a failure
prints it).
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from e2e.faulty import FAULTS, Faulty, faulty
from e2e.kubelet import Kubelet
from e2e.stage import BIN, NO_BUDGETS, Stage
from warm.program import warm_kilde

KILLS = int(os.environ.get("KILDE_HOOK_KILLS", "6")) // 2  # on each kind of first cluster
_LONGEST = 0.4  # seconds that a hook runs
_IMAGE = "example.com/hook"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180 + 15 * KILLS)]

GOOD = {"pre": 1, "work": 1, "post": 1, "gen": 1}
BAD = {"pre": 1, "work": 1, "fail": 1}
DELETION = {"bye": 1, "after": 1}
SPACE = "kill-hooks"
SILENT = "silent"


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
class Site:
    """One of the clusters: the hands that look into it past the faults, and what runs there."""

    name: str
    hands: Stage
    faults: Faulty
    kubelet: Kubelet
    before: Counter[str] = field(default_factory=Counter)

    @property
    def app(self) -> str:
        return f"app-{self.name}"

    @property
    def brief(self) -> str:
        return f"brief-{self.name}"

    def made(self) -> dict[str, int]:
        """The hooks that were made since `before` was noted."""
        return dict(self.kubelet.made - self.before)

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        return self.hands.get("-n", SPACE, kind, name)


@dataclass
class Trial:
    """Kilde, killed in the phases that are asked for, and what ran meanwhile. `seen`: each hook's name when it is made, wherever."""

    stage: Stage
    sites: tuple[Site, Site]  # the cluster of the Applications, and the other
    dice: random.Random
    seen: queue.Queue[str]
    kills: int = 0
    number: int = 0
    struck: str = ""

    def sync(self, fault: str, *, well: bool) -> None:
        """One commit, and the operations that it brings on both clusters; killed in some of their phases."""
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
        sha = self.stage.commit(files)
        phases = ["pre", "work", "post"] if well else ["pre", "work", "fail"]
        chosen = [name for name in phases if self.dice.random() < 0.8]
        self.play(fault, chosen, self.stage.push, lambda site: self.is_over(site, sha))
        phase, hooks = ("Succeeded", GOOD) if well else ("Failed", BAD)
        for site in self.sites:
            state = self.stage.status(site.app)["operationState"]
            assert (site.name, state["phase"], site.made()) == (site.name, phase, hooks), self.evidence(state)
            found = {name: site.get("configmap", name) for name in ("first", "second")}
            values = {name: int(body["data"]["n"]) for name, body in found.items() if body is not None}
            assert values["first"] == self.number
            assert not well or values["second"] == self.number

    def is_over(self, site: Site, sha: str) -> bool:
        state = self.stage.status(site.app).get("operationState") or {}
        return bool(state.get("finishedAt")) and (state.get("syncResult") or {}).get("revision") == sha

    def delete(self, fault: str) -> None:
        """An application on each cluster, with hooks around its deletion, comes and goes; killed in both phases."""
        stage = self.stage
        for site, spec in zip(self.sites, destinations(), strict=True):
            stage.application(site.brief, "brief", SPACE, **spec)
        for site in self.sites:
            stage.until(lambda: stage.is_well(site.brief), "the application that will go is there")  # noqa: B023
        names = [site.brief for site in self.sites]
        go = ("delete", "applications", *names, "-n", stage.space, "--wait=false")
        self.play(fault, list(DELETION), lambda: stage.kubectl(*go), lambda site: not self.is_there(site))
        for site in self.sites:
            assert (site.name, site.made()) == (site.name, DELETION), self.evidence(None)
            assert site.get("configmap", "brief") is None
            assert site.hands.kubectl("get", "pods", "-n", SPACE, "bye", "after", "--ignore-not-found") == ""

    def is_there(self, site: Site) -> bool:
        return self.stage.get("-n", self.stage.space, "application", site.brief) is not None

    def play(self, fault: str, phases: list[str], begin: Callable[[], object], over: Callable[[Site], bool]) -> None:
        """Begins something while one cluster is faulty, and kills among it. The silent one holds up nothing on the other."""
        home, far = self.sites
        faults = (far if fault == SILENT else self.dice.choice(self.sites)).faults
        self.struck = f"{fault} {'at home' if faults is home.faults else 'far away'}"
        for site in self.sites:
            site.before = site.kubelet.made
        faults.hold() if fault == SILENT else faults.strike(fault)
        begin()
        if fault == SILENT:
            self.kill_in(phases, lambda: over(home), faults)
            self.stage.until(lambda: over(home), f"it is over at home while the other says nothing: {self.struck}")
            assert far.made() == {}
            faults.heal()
            self.kill_in(phases[:1], lambda: over(far), faults)
        else:
            self.kill_in(phases, lambda: over(home) and over(far), faults)
        for site in self.sites:
            self.stage.until(lambda: over(site), f"it is over, {site.name}, with {self.struck}", 120)  # noqa: B023
        faults.heal()

    def kill_in(self, names: list[str], over: Callable[[], bool], faults: Faulty) -> None:
        """Kills Kilde a moment after each of these hooks has been made, and starts it again."""
        left = list(names)
        end = time.monotonic() + 60
        while left and time.monotonic() < end:
            try:
                name = self.seen.get(timeout=1).partition("--")[0]
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
            else:
                faults.drop()
                if name in left:
                    left = left[left.index(name) :]

    def evidence(self, state: Any) -> str:
        log = self.stage.kilde("ledger", "log", "-o", "json", "--limit", "12")
        return f"{self.struck}\n{json.dumps(state)}\n{log}\n{self.stage.log()[-3000:]}"


def destinations() -> tuple[dict[str, Any], dict[str, Any]]:
    """Nothing but what an Application says by itself, and one that names the other cluster."""
    return {}, {"destination": {"name": "far", "namespace": SPACE}}


@contextlib.contextmanager
def embedded(folder: Path, name: str) -> Iterator[Path]:
    """The embedded API with the controllers of a control plane and no kubelets; its kubeconfig."""
    config = folder / f"{name}.kubeconfig"
    command = [str(warm_kilde()), "cluster", "--data-dir", str(folder / name), "--controllers", "on"]
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--kubeconfig-out", str(config)], stdout=subprocess.PIPE, stderr=log, text=True
        )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", (folder / f"{name}.log").read_text()
            yield config
        finally:
            process.terminate()


def install(config: Path) -> None:
    """Argo CD's kinds, as the README says."""
    printed = subprocess.run([str(warm_kilde()), "install", "--crds"], check=True, capture_output=True, text=True)
    apply = [str(BIN / "kubectl"), "--kubeconfig", str(config), "apply", "--server-side", "-f", "-"]
    subprocess.run(apply, input=printed.stdout, check=True, capture_output=True, text=True)


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.live)])
def trial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trial]:
    """Kilde, not yet started, on two clusters that outlive it."""
    seed = int(os.environ.get("KILDE_SEED") or random.randrange(1 << 32))
    print(f"KILDE_SEED={seed}")
    dice, seen = random.Random(seed), queue.Queue[str]()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        if request.param == "real":
            config = request.getfixturevalue("prepared")
        else:
            config = enter(embedded(tmp_path, "home"))
            install(config)
        other = enter(embedded(tmp_path, "far"))
        stage, away = Stage(tmp_path, config, "a-kill-hooks"), Stage(tmp_path, other, "a-kill-hooks")
        stage.kubectl("create", "namespace", stage.space)
        sites = []
        for name, hands in (("home", stage), ("far", away)):
            hands.kubectl("create", "namespace", SPACE)
            there = ("-n", SPACE, "serviceaccount", "default")
            hands.until(lambda: hands.get(*there), "what its Pods need")  # noqa: B023
            faults = enter(faulty(hands.kubeconfig, tmp_path / f"{name}.faulty"))
            kubelet = enter(Kubelet(hands.kubeconfig, SPACE, dice, _LONGEST, seen))
            sites.append(Site(name, hands, faults, kubelet))
        stage.behind = sites[0].faults.config
        stack.callback(stage.stop)
        yield Trial(stage, (sites[0], sites[1]), dice, seen)


def tell_of(stage: Stage, far: Faulty) -> None:
    """The cluster Secret of the other cluster: the way to it is the faulty one."""
    label = {"argocd.argoproj.io/secret-type": "cluster"}
    meta = {"name": "cluster-far", "namespace": stage.space, "labels": label}
    data = {"name": "far", "server": far.server, "config": "{}"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(secret))


def test_hooks_run_exactly_as_often_as_they_should(trial: Trial) -> None:
    stage, dice = trial.stage, trial.dice
    stage.options = (*NO_BUDGETS, "--on-degraded", "off")
    stage.create_repository({"app/first.json": content("first", 0, -1), "brief/brief.json": content("brief", 0)})
    around = {f"brief/{name}.json": hook(name, phase, policy="HookSucceeded")
              for name, phase in (("bye", "PreDelete"), ("after", "PostDelete"))}  # fmt: skip
    stage.commit({**around})
    tell_of(stage, trial.sites[1].faults)
    stage.start()
    policy = {"automated": {"prune": True}, "retry": {"limit": 0}}
    for site, spec in zip(trial.sites, destinations(), strict=True):
        stage.application(site.app, "app", SPACE, syncPolicy=policy, **spec)
    for site in trial.sites:
        stage.until(lambda: stage.is_well(site.app), "deployed")  # noqa: B023
    faults: list[str] = []
    rounds = 0
    while trial.kills < KILLS:
        faults = faults or dice.sample([*FAULTS, SILENT], len(FAULTS) + 1)
        rounds += 1
        assert rounds < KILLS + 10, f"only {trial.kills} kills in {rounds} rounds"
        if rounds % 3 == 2:
            trial.delete(faults.pop())
        else:
            trial.sync(faults.pop(), well=rounds % 3 == 1)
    log = json.loads(stage.kilde("ledger", "log", "-o", "json", "--limit", "100000"))
    assert [one for one in log if not one["closed_at"]] == []
    assert stage.kilde("ledger", "verify").startswith("intact")
