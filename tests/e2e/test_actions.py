"""Actions on objects of an application, on both clusters: ours, one in Lua, and what a self-heal puts back."""

import json

import pytest

from e2e.shop import deployment, manifest
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
TEMPLATE = {
    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "nightly:1"}]}}}
}
LUA = """
discovery.lua: |
  return {mark = {}}
definitions:
- name: mark
  action.lua: |
    obj.metadata.labels = {marked = actionParams["by"]}
    return obj
"""


def test_objects_are_restarted_paused_and_made_by_actions(stage: Stage) -> None:
    space = f"{stage.space}-shop"[-60:].lstrip("-")
    cron = manifest("CronJob", "nightly", "batch/v1", spec={"schedule": "0 3 * * *", "jobTemplate": TEMPLATE})
    files = {"shop/web.json": deployment("web", replicas=0), "shop/cron.json": cron}
    stage.create_repository({**files, "shop/config.json": manifest("ConfigMap", "config", data={"k": "v"})})
    stage.start()
    data = {"resource.customizations.actions.ConfigMap": LUA}
    settings = manifest("ConfigMap", "argocd-cm", metadata={"namespace": stage.space}, data=data)
    stage.kubectl("apply", "-f", "-", stdin=settings)
    stage.application("shop", "shop", space)
    stage.until(lambda: stage.is_well("shop"), "shop is well")
    listed = json.loads(stage.kilde("app", "actions", "list", "shop", "-o", "json"))
    assert [(one["kind"], one["action"], one["disabled"]) for one in listed] == [
        ("ConfigMap", "mark", False),
        ("Deployment", "pause", False),
        ("Deployment", "restart", False),
        ("Deployment", "resume", True),
        ("Deployment", "scale", False),
        ("CronJob", "create-job", False),
        ("CronJob", "suspend", False),
    ]
    run = ("app", "actions", "run", "shop")
    assert stage.kilde(*run, "restart", "--kind", "Deployment") == f"apps/Deployment {space}/web: changed\n"
    web = stage.get("-n", space, "deployment", "web")
    assert web is not None
    assert "kubectl.kubernetes.io/restartedAt" in web["spec"]["template"]["metadata"]["annotations"]
    assert stage.kilde(*run, "mark", "--name", "config", "--param", "by=ann").endswith("/config: changed\n")
    config = stage.get("-n", space, "configmap", "config")
    assert config is not None
    assert config["metadata"]["labels"] == {"marked": "ann"}
    made = stage.kilde(*run, "create-job", "--kind", "CronJob").split(": created ")[1]
    name = made.strip().rpartition("/")[2]
    job = stage.get("-n", space, "job", name)
    assert job is not None
    assert [owner["kind"] for owner in job["metadata"]["ownerReferences"]] == ["CronJob"]
    refused = stage.said(*run, "resume", "--kind", "Deployment")
    assert refused.returncode == 3
    assert "the action 'resume' cannot be run now" in refused.stderr
    stage.kilde(*run, "scale", "--kind", "Deployment", "--param", "replicas=1")  # Git says 0: it is put back
    stage.until(lambda: "spec.replicas" in stage.log(), "healed")
    web = stage.get("-n", space, "deployment", "web")
    assert web is not None
    assert web["spec"]["replicas"] == 0
    told = stage.kilde("ledger", "log")
    assert [word for word in ("restart", "mark", "create-job", "scale") if f"action {word}" not in told] == []
