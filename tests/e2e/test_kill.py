"""kill -9 at random moments of syncs, on both clusters: it converges, nothing is orphaned or lost, the ledger stays whole.

KILDE_KILLS sets the number of kills over both clusters (60; `make kills` has 200), KILDE_SEED repeats a run (a failure prints it).
"""

import base64
import json
import os
import random
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from e2e.stage import NO_BUDGETS, Stage

KILLS = int(os.environ.get("KILDE_KILLS", "60")) // 2  # on each cluster
LOOK_EVERY = 10
_CALM = 5.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 6 * KILLS)]

APPLICATIONS = ("one", "two", "three")
_RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
# kind → (apiVersion, what makes one of two contents). `two` has waves; Roles and ServiceAccounts are rare, so that whole kinds come and go
KINDS: dict[str, tuple[str, Any]] = {
    "ConfigMap": ("v1", lambda n: {"data": {f"key-{n % 3}": str(n)}}),
    "Secret": ("v1", lambda n: {"data": {f"key-{n % 3}": base64.b64encode(str(n).encode()).decode()}}),
    "Deployment": (
        "apps/v1",
        lambda n: {
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": "x"}},
                "template": {
                    "metadata": {"labels": {"app": "x"}},
                    "spec": {"containers": [{"name": "main", "image": f"example/main:{n}"}]},
                },
            }
        },
    ),
    "Role": ("rbac.authorization.k8s.io/v1", lambda n: {"rules": [{**_RULES[0], "resourceNames": [f"pod-{n}"]}]}),
    "ServiceAccount": ("v1", lambda n: {"automountServiceAccountToken": n % 2 == 0}),
}
PLURALS = "configmaps,secrets,deployments,roles,serviceaccounts"
OF_THE_CLUSTER = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("ServiceAccount", "default"),
}  # put into each namespace by Kubernetes


@dataclass
class Model:
    """What Git holds: (application, kind, name) → the object."""

    dice: random.Random
    objects: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    count: int = 0

    def change(self) -> dict[str, str | None]:
        """A random commit: files to write and (None) to remove."""
        before = dict(self.objects)
        for _ in range(self.dice.randint(1, 8)):
            app = self.dice.choice(APPLICATIONS)
            known = [key for key in self.objects if key[0] == app]
            verb = self.dice.choice(("add", "change", "remove"))
            if verb == "add" or not known:
                kind = self.dice.choices(list(KINDS), weights=(6, 4, 3, 1, 1))[0]
                key = (app, kind, f"{kind.lower()}-{self.dice.randrange(8)}")
            else:
                key = self.dice.choice(known)
            if verb == "remove" and len(known) > 1:
                del self.objects[key]
            else:
                self.count += 1
                self.objects[key] = self.make(key)
        files: dict[str, str | None] = {file_of(key): None for key in before.keys() - self.objects.keys()}
        now = {file_of(key): json.dumps(body) for key, body in self.objects.items() if before.get(key) is not body}
        return {**files, **now}

    def make(self, key: tuple[str, str, str]) -> dict[str, Any]:
        app, kind, name = key
        version, content = KINDS[kind]
        meta: dict[str, Any] = {"name": name}
        if app == "two":
            meta["annotations"] = {"argocd.argoproj.io/sync-wave": str(self.dice.randint(-1, 1))}
        return {"apiVersion": version, "kind": kind, "metadata": meta, **content(self.count)}


def file_of(key: tuple[str, str, str]) -> str:
    return f"{key[0]}/{key[2]}.json"


def namespace(stage: Stage, app: str) -> str:
    return f"{app}-{stage.space}"[:60].rstrip("-")


@dataclass
class Trial:
    """Kilde, started and killed again and again."""

    stage: Stage
    model: Model
    dice: random.Random
    moments: list[str] = field(default_factory=list)

    def spawn(self) -> None:
        """Starts Kilde without waiting for it."""
        stage = self.stage
        command = [str(stage.program), "up", "--data-dir", str(stage.data), "--namespace", stage.space]
        command += ["--raw-secrets", "allow"]  # its Secrets are numbers
        command += ["--listen", f"127.0.0.1:{stage.listen}", *stage.options]
        if stage.config is not None:
            command += ["--kubeconfig", str(stage.config)]
        with (stage.folder / "kilde.log").open("a") as log:
            stage.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=stage.env)

    def ready_within(self, seconds: float) -> bool:
        """Waits for `ready`, no longer than that."""
        process = self.stage.process
        assert process is not None
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                return False
        line = process.stdout.readline().strip()
        assert line == "ready", f"kilde up said {line!r} after {self.moments[-3:]}\n{self.stage.log()[-3000:]}"
        return True

    def kill_somewhere(self) -> None:
        """One round: a commit before or while Kilde runs, and kill -9 at a random moment after its start."""
        before = self.dice.random() < 0.5
        if before:
            self.commit()
        self.spawn()
        if self.dice.random() < 0.15:
            waited = self.dice.uniform(0.05, 0.9)
            self.ready_within(waited)
            self.kill(f"{waited:.2f} s after its start")
            return
        assert self.ready_within(30.0), "never ready"
        if not before:
            self.commit()
            self.stage.push()
        waited = self.dice.uniform(0.0, 0.45)
        time.sleep(waited)
        self.kill(f"{waited:.2f} s after {'ready' if before else 'a push'}")

    def commit(self) -> None:
        self.stage.commit(self.model.change())

    def kill(self, moment: str) -> None:
        self.moments.append(moment)
        self.stage.stop(how=signal.SIGKILL)

    def look(self) -> None:
        """Lets it run to the end, and compares everything with Git."""
        stage = self.stage
        assert stage.kilde("ledger", "verify").startswith("intact"), "right after a kill"
        stage.start()
        sha = stage.commit(self.model.change())
        stage.push()
        try:
            stage.until(lambda: all(stage.is_well(app, sha) for app in APPLICATIONS), f"{sha} everywhere")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.evidence()}") from None
        deadline = time.monotonic() + _CALM  # what is being deleted may still be there when its application is well
        while self.differences() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert self.differences() == [], self.evidence()
        log = json.loads(stage.kilde("ledger", "log", "-o", "json", "--limit", "100000"))
        assert [one for one in log if not one["closed_at"]] == []
        assert stage.kilde("ledger", "verify").startswith("intact")
        stage.stop()

    def evidence(self) -> str:
        """What a person needs who looks into a difference: moments, statuses, objects, the ledger's last operations, the log."""
        stage = self.stage
        told = [f"moments: {self.moments[-LOOK_EVERY - 1 :]}", f"again: {self.differences()}"]
        for app in APPLICATIONS:
            told.append(stage.kubectl("get", "application", app, "-n", stage.space, "-o", "json"))
            told.append(stage.kubectl("get", PLURALS, "-n", namespace(stage, app), "-o", "json"))
        told.append(stage.kilde("ledger", "log", "-o", "json", "--limit", "12"))
        return "\n".join([*told, stage.log()[-6000:]])

    def differences(self) -> list[str]:
        """What the cluster has and Git has not, what it lacks, and what is otherwise; foreign objects included."""
        found = []
        for app in APPLICATIONS:
            space = namespace(self.stage, app)
            text = self.stage.kubectl("get", PLURALS, "-n", space, "-o", "json")
            live = {(item["kind"], item["metadata"]["name"]): item for item in json.loads(text)["items"]}
            wanted = {(kind, name): body for (of, kind, name), body in self.model.objects.items() if of == app}
            if app == "one":
                foreign = live.pop(("ConfigMap", "foreign"), {"data": None})
                found += [] if foreign["data"] == {"mine": "yes"} else ["the foreign object was touched"]
            extra, lost = live.keys() - wanted.keys() - OF_THE_CLUSTER, wanted.keys() - live.keys()
            found += [f"{space}: orphan {key}" for key in extra] + [f"{space}: lost {key}" for key in lost]
            found += [
                f"{space}: {key} differs"
                for key, body in wanted.items()
                if key in live and not is_like(live[key], body)
            ]
        return found


def is_like(live: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether the content is exactly what Git says (a Deployment's: as far as the cluster fills in nothing)."""
    match wanted["kind"]:
        case "ConfigMap" | "Secret":
            return bool(live.get("data") == wanted["data"])
        case "Role":
            return bool(live["rules"] == wanted["rules"])
        case "ServiceAccount":
            return bool(live["automountServiceAccountToken"] == wanted["automountServiceAccountToken"])
        case _:
            pod, other = (one["spec"]["template"]["spec"]["containers"][0] for one in (live, wanted))
            return bool(pod["image"] == other["image"])


def test_a_killed_controller_converges_and_loses_nothing(stage: Stage) -> None:
    seed = int(os.environ.get("KILDE_SEED") or random.randrange(1 << 32))
    print(f"KILDE_SEED={seed}")
    dice = random.Random(seed)
    trial = Trial(stage, Model(dice), dice)
    stage.options = NO_BUDGETS  # some of its commits remove more than a budget would let go
    stage.create_repository({"README.md": "killed and started again\n"})
    stage.commit({file_of(key): json.dumps(body) for key, body in first(trial.model).items()})
    stage.start()
    stage.kubectl("create", "namespace", namespace(stage, "one"))
    stage.kubectl("create", "configmap", "foreign", "-n", namespace(stage, "one"), "--from-literal=mine=yes")
    for app in APPLICATIONS:
        stage.application(app, app, namespace(stage, app))
    trial.kill("the applications were created")
    for round_ in range(1, KILLS):
        trial.kill_somewhere()
        if round_ % LOOK_EVERY == 0:
            trial.look()
    trial.look()
    log = json.loads(stage.kilde("ledger", "log", "-o", "json", "--limit", "100000"))
    interrupted = [one for one in log if one["phase"] == "Interrupted"]
    assert len(interrupted) >= KILLS // 20, "the kills came too late to interrupt anything"


def first(model: Model) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What each application begins with."""
    for app in APPLICATIONS:
        for number in range(3):
            key = (app, "ConfigMap", f"configmap-{number}")
            model.objects[key] = model.make(key)
    return model.objects
