"""`kilde plan` on both clusters: what it says would happen is what happens, and what it warns of is so."""

import json

import pytest

from e2e.shop import BEFORE, CANARY, Shop, claim, deployment, found, job, manifest, told, volume
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def shop(stage: Stage) -> Shop:
    return Shop(stage)


def test_all_that_a_branch_would_do(shop: Shop) -> None:
    stage, space = shop.stage, shop.space
    lost, kept = f"lost-{space}"[:60], f"kept-{space}"[:60]
    volumes = [volume(lost, "Delete", space, "data"), volume(kept, "Retain", space, "archive")]
    shop.begin({"shop/data.json": claim("data", lost), "shop/archive.json": claim("archive", kept)}, volumes)
    shop.branch(
        {
            "shop/config.json": manifest("ConfigMap", "config", data={"k": "two", "same": "x"}),
            "shop/gone.json": None,
            "shop/data.json": None,
            "shop/archive.json": None,
            "shop/secret.json": manifest("Secret", "login", stringData={"password": f"{CANARY}-2"}),
            "shop/web.json": deployment("other", envFrom=[{"configMapRef": {"name": "nowhere"}}]),
            "shop/new.json": manifest("ConfigMap", "new", data={"k": "v"}),
            "shop/job.json": job("migrate", "nobody"),
        }
    )
    preview = shop.plan("--all", "--head", "change", "--base", "main", "--prune", "--server-dry-run")
    (app,) = preview["applications"]
    assert (preview["untouched"], app["name"], app["sync"], app["error"]) == (1, "shop", "Synced", "")
    assert sorted(told(app)) == sorted(
        [
            ("PreSync", -1, "Job", "migrate", "hook", "commit"),
            ("Sync", 0, "Secret", "login", "update", "commit"),
            ("Sync", 0, "ConfigMap", "config", "update", "commit"),
            ("Sync", 0, "ConfigMap", "new", "create", "commit"),
            ("Sync", 0, "Deployment", "web", "update", "commit"),
            ("Sync", 0, "ConfigMap", "gone", "prune", "commit"),
            ("Sync", 0, "PersistentVolumeClaim", "archive", "prune", "commit"),
            ("Sync", 0, "PersistentVolumeClaim", "data", "prune", "commit"),
        ]
    )
    steps = {step["name"]: step for step in app["steps"]}
    assert [(f["path"], f["live"], f["wanted"]) for f in steps["config"]["fields"]] == [("data.k", '"one"', '"two"')]
    assert [(f["path"], f["live"], f["wanted"]) for f in steps["login"]["fields"]] == [
        ("data.password", "********", "********")
    ]
    web = f"apps/Deployment {space}/web"
    assert found(app, "immutable")[0][0] == web
    assert "spec.selector" in found(app, "immutable")[0][1]
    assert [about for about, _ in found(app, "refused")] == [web]
    assert "field is immutable" in found(app, "refused")[0][1]
    assert found(app, "missing") == [
        (web, f"ConfigMap {space}/nowhere is not there, and needed"),
        (f"batch/Job {space}/migrate", f"Secret {space}/nobody is not there, and needed"),
    ]
    assert sorted(found(app, "data-loss")) == [
        (
            f"PersistentVolumeClaim {space}/archive",
            f"its volume {kept} and the data on it stay (reclaim policy Retain)",
        ),
        (
            f"PersistentVolumeClaim {space}/data",
            f"data loss: its volume {lost} is deleted with it (reclaim policy Delete)",
        ),
    ]
    assert app["images"] == ["migrate:2"]
    assert "a claim is what holds data" in found(app, "budget")[0][1]
    assert "(password)" in found(app, "raw-secret")[0][1]
    for output in ("text", "markdown", "html"):
        said = stage.kilde("plan", "shop", "--revision", "change", "-o", output, codes=(1,))
        assert "migrate:2" in said
        assert CANARY not in said
    assert (
        stage.kilde("app", "diff", "shop", codes=(1,)) == ""
    )  # nothing was written; it notes the Secret in plain text


def test_nothing_would_change_and_what_differs_before(shop: Shop) -> None:
    stage = shop.stage
    shop.begin({})
    shop.branch({"shop/config.json": BEFORE["shop/config.json"] + "\n"})  # reads otherwise, wants the same
    assert [told(app) for app in shop.plan("--all", "--head", "change", "--base", "main", code=0)["applications"]] == [
        []
    ]
    where = ("-n", shop.space, "configmap", "gone", "--type=merge", "-p", '{"data":{"hand":"x"}}')
    stage.kubectl("patch", *where, "--field-manager=mallory")
    stage.kubectl("delete", "-n", shop.space, "configmap", "config")
    (app,) = shop.plan("shop", "--head", "change", "--base", "main")["applications"]
    assert told(app) == [("Sync", 0, "ConfigMap", "config", "create", "before")]
    (same,) = shop.plan("shop")["applications"]
    assert told(same) == [("Sync", 0, "ConfigMap", "config", "create", "")]
    shop.branch({"shop/config.json": "{"})
    (broken,) = shop.plan("--all", "--head", "change", "--base", "main", code=3)["applications"]
    assert broken["error"].startswith("shop/config.json:2:1: ")
    stage.kilde("plan", "--all", "--head", "nowhere", "--base", "main", codes=(3,))
    stage.kilde("plan", "nobody", codes=(3,))
    stage.kilde("plan", codes=(2,))


def test_an_application_of_applications_is_followed(shop: Shop) -> None:
    stage = shop.stage
    child = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "child", "namespace": stage.space},
        "spec": {
            "project": "default",
            "source": {"repoURL": stage.url, "path": "other", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": shop.space},
        },
    }
    shop.begin({"apps/one.json": manifest("ConfigMap", "one")})
    stage.application("apps", "apps", stage.space, syncPolicy={})
    stage.until(lambda: bool(stage.status("apps").get("sync")), "apps compared")
    shop.branch({"apps/child.json": json.dumps(child)})
    preview = shop.plan("--all", "--head", "change", "--base", "main")
    told_of = {app["name"]: (app["follows"], told(app)) for app in preview["applications"]}
    assert told_of == {
        "apps": (
            "",
            [
                ("Sync", 0, "ConfigMap", "one", "create", "before"),
                ("Sync", 0, "Application", "child", "create", "commit"),
            ],
        ),
        "child": ("apps", [("Sync", 0, "ConfigMap", "other", "update", "")]),
    }
    (shared,) = [app for app in preview["applications"] if app["name"] == "child"]
    assert found(shared, "shared") == [(f"ConfigMap {shop.space}/other", "is part of application other too")]
