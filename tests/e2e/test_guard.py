"""The guard on both clusters: hands are refused, components are not, a window lets people through and is on record, and ends."""

import json
import subprocess
from typing import Any

import pytest

from e2e.stage import BIN, Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example/web:1}]}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n"


def place(stage: Stage) -> str:
    return f"shop-{stage.space}"[:60].rstrip("-")


def begin(stage: Stage) -> str:
    """One application, in step; its commit."""
    if stage.config is not None:
        stage.options = ("--as", "system:kilde")
    sha = stage.create_repository({"shop/web.yaml": DEPLOYMENT, "shop/settings.yaml": "# of the shop\n" + CONFIG})
    stage.start()
    stage.application("shop", "shop", place(stage))
    stage.until(lambda: stage.is_well("shop", sha), "in step")
    return sha


def install(stage: Stage, *options: str) -> None:
    guard(stage, "install", *options)
    stage.until(
        lambda: "settings.yaml" in refused(stage, "delete", "configmap", "settings", "--dry-run=server"), "entries"
    )


def guard(stage: Stage, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    where = ("--namespace", stage.space, *(("--kubeconfig", str(stage.config)) if stage.config else ()))
    return stage.kilde("guard", *arguments, *where, codes=codes)


def refused(stage: Stage, *arguments: str) -> str:
    """What kubectl is told; "" where it is let through."""
    return error_of(stage, *arguments, "-n", place(stage))


def error_of(stage: Stage, *arguments: str, stdin: str = "") -> str:
    command = [str(BIN / "kubectl"), *arguments]
    done = subprocess.run(command, env=stage.env, capture_output=True, text=True, input=stdin)
    return done.stderr if done.returncode else ""


def colour(stage: Stage) -> Any:
    found = stage.get("configmap", "settings", "-n", place(stage))
    return found and found["data"]["colour"]


def test_a_hand_is_refused_and_told_what_to_change(stage: Stage) -> None:
    sha = begin(stage)
    install(stage)
    space = place(stage)
    told = refused(stage, "delete", "configmap", "settings")
    assert f"Git owns it: change shop/settings.yaml:2 of {stage.url} (application shop, commit {sha[:12]})" in told
    assert "in an emergency: kilde guard open" in told
    assert "Git owns it: change shop/web.yaml:1" in refused(
        stage, "set", "image", "deployment/web", "web=example/web:2"
    )
    assert "Git owns it" in refused(stage, "scale", "deployment/web", "--replicas=3")
    # the accident: a namespace deleted from the wrong context
    told = error_of(stage, "delete", "namespace", space)
    assert "Git owns what is in it (application shop): remove that from Git instead" in told
    assert refused(stage, "create", "configmap", "mine", "--from-literal=a=b") == ""
    assert refused(stage, "delete", "configmap", "mine") == ""
    # components
    scaler = ("--as=system:serviceaccount:kube-system:horizontal-pod-autoscaler", "--as-group=system:masters")
    assert refused(stage, "scale", "deployment/web", "--replicas=1", *scaler) == ""
    # Git goes on
    sha = stage.commit({"shop/settings.yaml": CONFIG.replace("blue", "green")})
    stage.push()
    stage.until(lambda: stage.is_well("shop", sha) and colour(stage) == "green", "the commit")
    stage.until(lambda: sha[:12] in refused(stage, "delete", "configmap", "settings"), "the new commit is named")
    report = json.loads(guard(stage, "test", "-o", "json"))
    assert {row["verdict"] for row in report} == {"good"}
    people = [
        (row["tries"], row["object"].split("/")[0], row["by"]) for row in report if row["who"] == "system:masters"
    ]
    assert sorted(people) == [
        ("change", "configmaps", "guard"),
        ("change", "deployments", "guard"),
        ("delete", "configmaps", "guard"),
        ("delete", "deployments", "guard"),
        ("delete", "namespaces", "guard"),
        ("scale", "deployments", "guard"),
    ]
    assert json.loads(guard(stage, "status", "-o", "json"))["complete"]
    guard(stage, "uninstall")
    stage.until(
        lambda: refused(stage, "delete", "configmap", "settings", "--dry-run=server") == "", "the guard is gone"
    )
    guard(stage, "status", codes=(1,))
    # without it the namespace is restored
    before = stage.get("namespace", space)
    stage.kubectl("delete", "namespace", space, "--wait=false")
    uid = before and before["metadata"]["uid"]
    stage.until(lambda: (found := stage.get("namespace", space)) and found["metadata"]["uid"] != uid, "a new namespace")
    stage.until(lambda: stage.is_well("shop") and colour(stage) == "green", "restored")


def test_a_window_lets_people_through_is_on_record_and_ends(stage: Stage) -> None:
    begin(stage)
    install(stage, "--whole-namespaces")
    assert "nothing in it is written by hand" in refused(stage, "create", "configmap", "mine", "--from-literal=a=b")
    opened = guard(stage, "open", "--reason", "orders fail", "--for", "10m", "--app", "shop")
    name = opened.split()[0]
    stage.kubectl("patch", "configmap", "settings", "-n", place(stage), "-p", '{"data":{"colour":"red"}}')
    stage.until(lambda: any("opened the guard until" in text for text in stage.conditions("shop")), "the condition")
    sha = stage.commit({"shop/note.txt": "a commit meanwhile"})
    stage.push()
    stage.until(lambda: stage.status("shop").get("sync", {}).get("revision") == sha, "the commit is seen")
    assert colour(stage) == "red"
    assert "is not changed by hand" in error_of(stage, "annotate", "configmap", name, "-n", stage.space, "a=b")
    guard(stage, "close", name)
    stage.until(lambda: colour(stage) == "blue", "put back")
    stage.until(lambda: "Git owns it" in refused(stage, "delete", "configmap", "settings", "--dry-run=server"), "shut")
    log = json.loads(stage.kilde("ledger", "log", "-o", "json", "--limit", "100"))
    window = next(one for one in log if one["cause"].startswith("the guard was opened"))
    assert window["cause"] == "the guard was opened: orders fail"
    assert window["phase"] == "Succeeded"
    assert [done["object"] for done in window["written"]] == [f"ConfigMap {place(stage)}/settings"]
    assert stage.kilde("ledger", "verify").startswith("intact")


def test_what_was_changed_by_hand_becomes_a_commit(stage: Stage) -> None:
    begin(stage)
    files = {"other/kustomization.yaml": "# ours\nresources: [web.yaml]\n", "other/web.yaml": DEPLOYMENT}
    sha = stage.commit(files)
    stage.push()
    space = f"other-{stage.space}"[:60].rstrip("-")
    stage.application("other", "other", space)
    stage.until(lambda: stage.is_well("other", sha), "in step")
    install(stage)
    guard(stage, "open", "--reason", "orders fail")
    stage.kubectl("patch", "configmap", "settings", "-n", place(stage), "-p", '{"data":{"colour":"red"}}')
    stage.kubectl("delete", "deployment", "web", "-n", place(stage))
    stage.kubectl("set", "image", "deployment/web", "web=example/web:2", "-n", space)
    told = guard(stage, "adopt", "shop", "--repo", str(stage.work), "--reason", "INC-42")
    assert f"ConfigMap {place(stage)}/settings: replace /data/colour\n" in told
    assert f"apps/Deployment {place(stage)}/web: is deleted\n" in told
    guard(stage, "adopt", "other", "--repo", str(stage.work))
    assert (stage.work / "shop/settings.yaml").read_text() == "# of the shop\n" + CONFIG.replace("blue", "red")
    assert (stage.work / "shop/web.yaml").read_text() == ""
    assert (stage.work / "other/web.yaml").read_text() == DEPLOYMENT
    assert "example/web:2" in (stage.work / "other/kustomization.yaml").read_text()
    assert "INC-42" in stage.git("log", "-2", "--format=%B")
    stage.git("push", "-q", "origin", "main")
    sha = stage.git("rev-parse", "HEAD").strip()
    stage.push()
    guard(stage, "close")
    stage.until(lambda: stage.is_well("shop", sha) and stage.is_well("other", sha), "Git says the same")
    assert colour(stage) == "red"
    assert stage.get("deployment", "web", "-n", place(stage)) is None
    images = stage.get("deployment", "web", "-n", space)
    assert images is not None
    assert images["spec"]["template"]["spec"]["containers"][0]["image"] == "example/web:2"
    assert "nothing to take over" in guard(stage, "adopt", "shop", "--repo", str(stage.work))


def test_a_window_ends_with_the_controller(stage: Stage) -> None:
    begin(stage)
    install(stage)
    guard(stage, "open", "--reason", "orders fail")
    stage.kubectl("patch", "configmap", "settings", "-n", place(stage), "-p", '{"data":{"colour":"red"}}')
    stage.stop(how=9)
    stage.start()
    stage.until(lambda: colour(stage) == "blue", "put back")
    stage.until(lambda: json.loads(guard(stage, "status", "-o", "json"))["windows"] == [], "the window is gone")
    log = json.loads(stage.kilde("ledger", "log", "-o", "json", "--limit", "100"))
    assert [one["phase"] for one in log if one["cause"].startswith("the guard was opened")] == ["Interrupted"]
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "w", "namespace": stage.space, "labels": {"kilde.dev/guard": "window"}},
        "data": {"who": "somebody else", "reason": "r", "until": "2100-01-01T00:00:00Z"},
    }
    told = error_of(stage, "create", "-f", "-", stdin=json.dumps(body))
    assert "opened by the person it names" in told, "a window in somebody else's name"
