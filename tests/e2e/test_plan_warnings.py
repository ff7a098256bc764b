"""What `kilde plan` warns of, on both clusters: quarantine, budgets, what goes along, windows, signatures, images; and that it is so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.shop import Shop, deployment, found, manifest, told
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def shop(stage: Stage) -> Shop:
    return Shop(stage)


def project(stage: Stage, **spec: Any) -> None:
    """The project that permits everything, and says this."""
    anything = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    meta = {"name": "default", "namespace": stage.space}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta, "spec": {**anything, **spec}}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))


@pytest.fixture
def extra(shop: Shop) -> Iterator[str]:
    """The name of one more namespace, which is nobody's afterwards: the shops of other tests in the same cluster have its name, too."""
    name = f"{shop.space}-x"[-60:].lstrip("-")
    yield name
    shop.stage.kubectl("annotate", "namespace", name, "argocd.argoproj.io/tracking-id-")


def test_what_goes_along_and_what_holds_it(shop: Shop, extra: str) -> None:
    stage = shop.stage
    child = {
        "source": {"repoURL": stage.url, "path": "other", "targetRevision": "main"},
        "project": "default",
        "destination": {"server": "https://kubernetes.default.svc", "namespace": shop.space},
    }
    application = manifest(
        "Application", "child", "argoproj.io/v1alpha1", spec=child, metadata={"namespace": stage.space}
    )
    shop.begin({"shop/space.json": manifest("Namespace", extra), "shop/child.json": application})
    shop.branch({"shop/space.json": None, "shop/child.json": None, "shop/gone.json": None})
    window = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
    project(stage, syncWindows=[{**window, "manualSync": True}], signatureKeys=[{"keyID": "4AEE18F83AFDEB23"}])
    asked = ("shop", "--head", "change", "--base", "main", "--prune")
    (app,) = shop.plan(*asked)["applications"]
    cascades = dict(found(app, "cascade"))
    assert cascades[f"Namespace {extra}"] == "everything in the namespace is deleted with it"
    assert f"argoproj.io/Application {stage.space}/child" in cascades
    [(_, held)] = found(app, "budget")
    assert held.startswith("deletions will be held: ")
    assert f"Namespace {extra}" in held
    assert found(app, "window") == [
        ("", "the sync windows of AppProject default let a person sync it now, and not the controller by itself")
    ]
    [(_, unsigned)] = found(app, "signature")
    assert "not signed" in unsigned

    project(stage, syncWindows=[window])
    (app,) = shop.plan(*asked, "--deletion-budget", "2,any-kind")["applications"]
    assert "the budget is 2 (2,any-kind, --deletion-budget)" in found(app, "budget")[0][1]
    assert found(app, "window") == [("", "the sync windows of AppProject default let nobody sync it now")]
    (app,) = shop.plan(*asked, "--deletion-budget", "off", "--fleet-deletion-budget", "1/10m")["applications"]
    assert found(app, "budget")[0][1].startswith("all applications together would lose ")
    (app,) = shop.plan(*asked, "--deletion-budget", "off", "--fleet-deletion-budget", "off")["applications"]
    assert found(app, "budget") == []


def test_images_that_are_in_no_registry(shop: Shop) -> None:
    shop.begin({})
    shop.branch(
        {
            "shop/web.json": deployment("web", image="localhost:1/team/shop:2"),
            "shop/pod.json": deployment_of("Not a name"),
        }
    )
    asked = ("shop", "--head", "change", "--base", "main")
    assert found(shop.plan(*asked)["applications"][0], "image") == []
    preview = shop.plan(*asked, "--check-images")
    images = dict(found(preview["applications"][0], "image"))
    assert images["Not a name"] == "is no name of an image"
    assert images["localhost:1/team/shop:2"].startswith("whether its registry has it is not known: cannot be reached")
    assert any("images" in text for text in preview["judged"])
    said = shop.stage.said("plan", "shop", "--registry-config", str(Path(__file__)))
    assert (said.returncode, "go with --check-images" in said.stderr) == (2, True)
    said = shop.stage.said("plan", "shop", "--check-images", "--registry-config", str(Path(__file__)))
    assert (said.returncode, "is no configuration of Docker" in said.stderr, "Traceback" in said.stderr) == (
        3,
        True,
        False,
    )


def deployment_of(image: str) -> str:
    body = json.loads(deployment("pod", image=image))
    body["metadata"]["name"] = "pod"
    return json.dumps(body)


def test_a_commit_in_quarantine(shop: Shop) -> None:
    stage = shop.stage
    shop.begin({})
    good = stage.git("rev-parse", "HEAD").strip()
    patch = {"spec": {"syncPolicy": {**shop.policy, "automated": {}}}}
    stage.kubectl("-n", stage.space, "patch", "application", "shop", "--type=merge", "-p", json.dumps(patch))
    bad = stage.commit({"shop/new.json": manifest("ConfigMap", "new")})
    stage.push()
    stage.until(lambda: stage.get("-n", shop.space, "configmap", "new") is not None, "the commit")
    stage.until(lambda: stage.status("shop")["sync"].get("revision") == bad, "shop at the commit")
    stage.until(lambda: stage.status("shop")["operationState"].get("phase") == "Succeeded", "the end of the sync")
    stage.kilde("app", "rollback", "shop", "--quarantine-only", "--to", good, "--reason", "it is wrong")
    (app,) = shop.plan("shop", code=0)["applications"]
    [(_, text)] = found(app, "quarantine")
    assert text.startswith(f"{bad[:7]} is in quarantine: it is wrong.")


def test_a_saved_plan_that_deletes_an_object_and_makes_it_anew(shop: Shop) -> None:
    stage, file = shop.stage, shop.stage.folder / "plan.kilde"
    shop.begin({})
    forced = json.loads(deployment("other"))
    forced["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Force=true"}
    shop.branch({"shop/web.json": json.dumps(forced)})
    where = ("-n", shop.space, "deployment", "web")
    before = (stage.get(*where) or {})["metadata"]["uid"]
    asked = ("shop", "--head", "change", "--base", "main")
    (app,) = shop.plan(*asked, "--out", str(file))["applications"]
    assert told(app) == [("Sync", 0, "Deployment", "web", "replace", "commit")]
    assert found(app, "immutable") == []
    assert stage.kilde("apply", str(file)) == "shop: Succeeded: successfully synced (all tasks run)\n"
    after = stage.get(*where) or {}
    assert after["metadata"]["uid"] != before
    assert after["spec"]["selector"]["matchLabels"] == {"app": "other"}
    assert stage.said("apply", str(file)).returncode == 3  # once is enough
