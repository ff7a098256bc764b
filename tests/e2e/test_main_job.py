"""The main job on both clusters, with the real git and kubectl."""

import json
import signal
import time
from pathlib import Path

import pytest

from e2e.stage import Stage, pods_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def config_map(name: str, **data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {"k": "v"}})


def namespace(stage: Stage) -> str:
    return f"{stage.space}-shop"[-60:].lstrip("-")


def data(stage: Stage, name: str) -> dict[str, str] | None:
    found = stage.get("-n", namespace(stage), "configmap", name)
    return None if found is None else found.get("data") or {}


@pytest.fixture
def running(stage: Stage) -> Stage:
    """An application of two ConfigMaps, Synced and Healthy."""
    stage.create_repository({"app/a.json": config_map("a"), "app/b.json": config_map("b")})
    stage.start()
    stage.application("shop", "app", namespace(stage))
    stage.until(lambda: stage.is_well("shop"), "shop Synced and Healthy")
    return stage


def test_a_commit_becomes_the_cluster(running: Stage) -> None:
    sha = running.commit({"app/a.json": config_map("a", k="two"), "app/c.json": config_map("c")})
    running.push()
    running.until(lambda: data(running, "a") == {"k": "two"} and data(running, "c") == {"k": "v"}, "the commit")
    running.until(lambda: running.is_well("shop", sha), "Synced at the commit")
    log = json.loads(running.kilde("ledger", "log", "-o", "json"))
    assert log[0]["revision"]["sha"] == sha
    assert {one["object"] for one in log[0]["written"]} == {
        f"ConfigMap {namespace(running)}/a",
        f"ConfigMap {namespace(running)}/c",
    }
    assert running.kilde("ledger", "verify").startswith("intact")


def test_a_hand_edit_is_undone_and_attributed(running: Stage) -> None:
    where = ("-n", namespace(running), "configmap", "a", "--type=merge", "-p", '{"data":{"k":"hand"}}')
    running.kubectl("patch", *where, "--field-manager=mallory")
    running.until(lambda: data(running, "a") == {"k": "v"}, "undone")

    def told() -> bool:
        log = json.loads(running.kilde("ledger", "log", "-o", "json"))
        return any(one["fields"] == ["data.k"] and one["changed_by"][0].startswith("mallory") for one in log)

    running.until(told, "who and what on record")


def test_a_removed_file_is_pruned_and_a_foreign_object_stays(running: Stage) -> None:
    running.kubectl("create", "configmap", "foreign", "-n", namespace(running))
    running.commit({"app/b.json": None})
    running.push()
    running.until(lambda: data(running, "b") is None, "pruned")
    running.until(lambda: running.is_well("shop"), "Synced again")
    assert data(running, "foreign") == {}


def test_a_bad_commit_is_refused_whole_and_a_rollback_is_a_commit(running: Stage) -> None:
    running.commit(
        {"app/a.json": config_map("a", k="new"), "app/bad.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: [\n"}
    )
    running.push()
    running.until(lambda: running.conditions("shop"), "a condition")
    assert "app/bad.yaml:4:1" in running.conditions("shop")[0]
    assert data(running, "a") == {"k": "v"}
    printed = running.kilde("app", "rollback", "shop", "--reason", "it does not parse", "--author", "Ann <ann@x>")
    assert "app/bad.yaml" in printed
    running.git("pull", "-q", "--ff-only", "origin", "main")
    assert running.git("log", "-1", "--format=%an <%ae> %B").strip().endswith("it does not parse")
    assert not (running.work / "app/bad.yaml").exists()
    running.push()
    sha = running.git("rev-parse", "HEAD").strip()
    running.until(lambda: running.is_well("shop", sha) and not running.conditions("shop"), "well again")
    assert data(running, "a") == {"k": "v"}


def test_diff_and_manual_sync_without_automation(stage: Stage) -> None:
    stage.create_repository({"app/a.json": config_map("a")})
    stage.start()
    space = namespace(stage)
    stage.application("shop", "app", space, syncPolicy={"syncOptions": ["CreateNamespace=true"]})
    stage.until(lambda: (stage.status("shop").get("sync") or {}).get("status") == "OutOfSync", "OutOfSync")
    printed = stage.kilde("app", "diff", "shop", codes=(1,))
    assert f"# create ConfigMap {space}/a: not in the cluster, app/a.json:1" in printed
    assert "+  k: v" in printed
    stage.kilde("app", "sync", "shop")
    stage.kilde("app", "wait", "shop")
    assert stage.kilde("app", "diff", "shop") == ""
    assert data(stage, "a") == {"k": "v"}


def test_deleting_the_application_deletes_its_objects(running: Stage) -> None:
    running.kubectl("delete", "application", "-n", running.space, "shop", "--timeout=30s")
    assert data(running, "a") is None
    assert data(running, "b") is None


def test_a_crd_and_its_objects_come_in_one_commit(stage: Stage) -> None:
    group = f"{namespace(stage)[:30].strip('-')}.example.com"
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {
                                        "size": {"type": "integer", "default": 3},
                                        "name": {"type": "string"},
                                    },
                                }
                            },
                        }
                    },
                }
            ],
        },
    }
    gadget = {"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": "g"}, "spec": {"name": "x"}}
    stage.create_repository({"app/1-gadget.json": json.dumps(gadget), "app/2-crd.json": json.dumps(definition)})
    stage.start()
    stage.application("shop", "app", namespace(stage))
    stage.until(lambda: stage.is_well("shop"), "Synced with a defaulted custom object")
    found = stage.get("-n", namespace(stage), f"gadgets.{group}", "g")
    assert found is not None
    assert found["spec"] == {"name": "x", "size": 3}
    stage.kubectl(
        "patch", f"gadgets.{group}", "g", "-n", namespace(stage), "--type=merge", "-p", '{"spec":{"name":"hand"}}'
    )
    stage.until(
        lambda: (stage.get("-n", namespace(stage), f"gadgets.{group}", "g") or {})["spec"]["name"] == "x", "healed"
    )


def test_it_stops_soon_and_starts_where_it_was(running: Stage) -> None:
    begun = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - begun < 20  # a second on an idle machine
    if running.config is not None:
        running.kubectl("delete", "configmap", "a", "-n", namespace(running))
    running.start()
    running.until(lambda: data(running, "a") == {"k": "v"}, "what was deleted meanwhile is back")
    assert running.stop(how=signal.SIGINT) == 0


def test_the_example_repository_of_the_seed_runs_to_synced_and_healthy(stage: Stage, shared: Path) -> None:
    example = shared / "examples/config-repo"
    files = {str(path.relative_to(example)): path.read_text() for path in example.rglob("*") if path.is_file()}
    url = "git@gitlab.com:my-org/infra-config.git"
    files["argocd-apps/production-app.yaml"] = (
        files["argocd-apps/production-app.yaml"]
        .replace(url, stage.url)
        .replace("namespace: argocd", f"namespace: {stage.space}")
    )
    stage.create_repository(files)
    stage.start()
    with pods_run(stage, "payments", "payments-staging"):
        stage.application("cluster-config", "cluster-config", "default")
        stage.kubectl("apply", "-f", str(stage.work / "argocd-apps"))
        stage.application("staging", "apps/overlays/staging", "payments-staging")
        for name in ("cluster-config", "nordic-payment-gateway", "staging"):
            stage.until(lambda name=name: stage.is_well(name), f"{name} Synced and Healthy", 120)
    for name in ("nordic-payment-gateway", "staging", "cluster-config"):
        stage.kubectl("delete", "application", "-n", stage.space, name, "--timeout=60s")
