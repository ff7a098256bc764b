"""`kilde apply` on both clusters: a saved plan is done exactly, or refused by name, and nothing else is ever written."""

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.shop import CANARY, Shop, manifest
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

_CONTROLLERS = "kube-controller-manager"
CHANGED: dict[str, str | None] = {
    "shop/config.json": manifest("ConfigMap", "config", data={"k": "two", "same": "x"}),
    "shop/gone.json": None,
    "shop/secret.json": manifest("Secret", "login", stringData={"password": f"{CANARY}-2"}),
    "shop/new.json": manifest("ConfigMap", "new", data={"k": "v"}),
}


@pytest.fixture
def shop(stage: Stage) -> Shop:
    """With a plan of the branch saved beside it."""
    made = Shop(stage)
    made.begin({})
    made.branch(CHANGED)
    save(made)
    return made


def plan_file(shop: Shop) -> Path:
    return shop.stage.folder / "plan.kilde"


def save(shop: Shop, *more: str) -> None:
    asked = ("--head", "change", "--base", "main", "--prune", "--out", str(plan_file(shop)), *more)
    shop.stage.kilde("plan", "shop", *asked, codes=(1,))


def refused(shop: Shop, *more: str) -> str:
    """What `kilde apply` says when it refuses; nothing was written by it."""
    before = objects(shop)
    said = shop.stage.said("apply", str(plan_file(shop)), *more)
    assert said.returncode == 3, said.stdout + said.stderr
    assert objects(shop) == before
    assert CANARY not in said.stderr + said.stdout
    return said.stderr


def objects(shop: Shop) -> dict[str, Any]:
    """What is there, but for what the cluster's own controllers write whenever they come to it: they are at work all the time."""
    kinds = "configmaps,secrets,deployments"
    found = json.loads(shop.stage.kubectl("get", kinds, "-n", shop.space, "-o", "json", "--show-managed-fields"))[
        "items"
    ]
    for one in found:
        one.pop("status", None)
        meta = one["metadata"]
        if one["kind"] == "Deployment":
            del meta["resourceVersion"]
            (meta.get("annotations") or {}).pop("deployment.kubernetes.io/revision", None)
            meta["managedFields"] = [each for each in meta["managedFields"] if each["manager"] != _CONTROLLERS]
    named = {f"{one['kind']}/{one['metadata']['name']}": one for one in found}
    named.pop("ConfigMap/kube-root-ca.crt", None)
    return named


def test_exactly_the_plan_is_done_and_the_ledger_names_it(shop: Shop) -> None:
    stage = shop.stage
    assert CANARY not in plan_file(shop).read_text()
    (app,) = json.loads(plan_file(shop).read_text().split("\n")[2])["applications"]
    stage.kubectl("annotate", "-n", shop.space, "configmap", "other", "note=not-of-the-plan")
    assert stage.kilde("apply", str(plan_file(shop)), "--check") == "the plan holds\n"
    assert stage.kilde("apply", str(plan_file(shop))) == "shop: Succeeded: successfully synced (all tasks run)\n"
    config = stage.get("-n", shop.space, "configmap", "config") or {}
    assert config["data"] == {"k": "two", "same": "x"}
    assert stage.get("-n", shop.space, "configmap", "gone") is None
    assert stage.get("-n", shop.space, "configmap", "new") is not None
    record = json.loads(stage.kilde("ledger", "log", "-o", "json"))[0]
    assert {one["object"] for one in record["written"]} == {
        f"ConfigMap {shop.space}/{name}" for name in ("config", "gone", "new")
    } | {f"Secret {shop.space}/login"}
    assert record["saved_plan"] == app["digest"]
    assert "there is nothing to do any more" in refused(shop)  # once is enough


def test_whatever_moved_is_named_and_nothing_is_written(shop: Shop) -> None:
    _refused_by_its_signature(shop)
    stage, space = shop.stage, shop.space
    stage.kubectl("annotate", "-n", space, "configmap/config", "configmap/gone", "secret/login", "hand=made")
    stage.kubectl("create", "-n", space, "configmap", "new", "--from-literal=k=other")
    stage.kubectl("scale", "-n", space, "deployment", "web", "--replicas=1")
    told = refused(shop)
    for line in (
        f"ConfigMap {space}/config: has changed since the plan was made",
        f"ConfigMap {space}/gone: has changed since the plan was made",
        f"Secret {space}/login: has changed since the plan was made",
        f"ConfigMap {space}/new: the plan would create it, now a sync would update it",
        f"apps/Deployment {space}/web: would be changed too, and is not in the plan",
    ):
        assert line in told
    shop.branch({**CHANGED, "shop/config.json": manifest("ConfigMap", "config", data={"k": "three"})})
    assert f"Application {stage.space}/shop: " in (told := refused(shop))
    assert "Git has moved: change is at" in told
    stage.kubectl("annotate", "-n", stage.space, "application", "shop", "argocd.argoproj.io/skip-reconcile=true")
    stage.application("shop", "shop", space, syncPolicy={"automated": {"prune": True}})
    save(shop)
    assert "it syncs by itself to main" in refused(shop)
    plan_file(shop).unlink()
    shop.branch({"shop/config.json": "{"})
    stage.kilde("plan", "shop", "--head", "change", "--base", "main", "--out", str(plan_file(shop)), codes=(3,))
    assert not plan_file(shop).exists()


def _refused_by_its_signature(shop: Shop) -> None:
    file, key = plan_file(shop), shop.stage.data / "plan.key"
    text, kept = file.read_text(), key.read_bytes()
    file.write_text(text.replace('"prune":true', '"prune":false', 1))
    assert "no known key signed it" in refused(shop)
    file.write_text(text)
    assert key.stat().st_mode & 0o077 == 0
    key.unlink()
    assert "no key to check its signature with" in refused(shop)
    save(shop)  # makes another key
    other = file.read_text()
    key.write_bytes(kept)
    assert "no known key signed it" in refused(shop)
    name = other.rstrip().rpartition("\n")[2].split(" ")[1]
    assert "verifier key" in refused(shop, "--key", name)  # a name is no key
    file.write_text(text)


def test_the_controller_refuses_too_and_writes_nothing(shop: Shop) -> None:
    """An operation that names a plan which no longer is one: as if the world had moved after the last look of the command line."""
    stage = shop.stage
    (app,) = json.loads(plan_file(shop).read_text().split("\n")[2])["applications"]
    sha = app["sources"][0]["sha"]

    def ask(digest: str, basis: str) -> dict[str, Any]:
        info = [{"name": "kilde.dev/plan", "value": digest}, {"name": "kilde.dev/plan-basis", "value": basis}]
        operation = {"info": info, "sync": {"revision": sha, "prune": True}}
        body = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}, "operation": operation}
        stage.kubectl("patch", "-n", stage.space, "application", "shop", "--type=merge", "-p", json.dumps(body))
        stage.until(lambda: "operation" not in (stage.get("-n", stage.space, "application", "shop") or {}), "over")
        state: dict[str, Any] = stage.status("shop")["operationState"]
        return state

    before = objects(shop)
    one = ask("0" * 64, app["basis"])
    assert (one["phase"], one["message"].partition(",")[0]) == (
        "Error",
        "the saved plan no longer holds: what would be done has another digest now",
    )
    other = ask(app["digest"], "0" * 64)
    assert "an object that it rests on has changed; nothing was written" in other["message"]
    assert objects(shop) == before
    assert ask(app["digest"], app["basis"])["phase"] == "Succeeded"
