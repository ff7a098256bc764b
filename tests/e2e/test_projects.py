"""What an AppProject asks beside rules of deployment, on both clusters: orphaned resources."""

import json
from typing import Any

import pytest

from e2e.shop import deployment, manifest
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ALL: dict[str, Any] = {
    "sourceRepos": ["*"],
    "destinations": [{"server": "*", "namespace": "*"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
}


def project(stage: Stage, **spec: Any) -> None:
    meta = {"name": "team", "namespace": stage.space}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta, "spec": {**ALL, **spec}}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def test_orphans_are_counted_and_listed(stage: Stage) -> None:
    space = f"{stage.space}-shop"[-60:].lstrip("-")
    stage.create_repository({"shop/config.json": manifest("ConfigMap", "config", data={"k": "v"})})
    stage.start()
    ignored = [{"kind": "ConfigMap", "name": "other-*"}]
    project(stage, orphanedResources={"warn": True, "ignore": ignored})
    stage.application("shop", "shop", space, project="team")
    stage.until(lambda: stage.is_well("shop"), "shop is well")
    assert stage.conditions("shop") == []
    assert stage.said("app", "resources", "shop", "--orphaned").stderr == "no orphaned resources\n"
    for one in (deployment("lone", replicas=0), manifest("ConfigMap", "alone"), manifest("ConfigMap", "other-1")):
        stage.kubectl("create", "-n", space, "-f", "-", stdin=one)
    stage.until(lambda: stage.conditions("shop"), "orphans are told")
    said = ["OrphanedResourceWarning: Application has 3 orphaned resources"]
    stage.until(lambda: stage.conditions("shop") == said, "three are counted, the ReplicaSet among them")
    rows = [line.split() for line in stage.kilde("app", "resources", "shop", "--orphaned").splitlines()]
    assert rows[0] == ["GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED"]
    assert [row[-4:-1] for row in rows[1:3]] == [["ConfigMap", space, "alone"], ["Deployment", space, "web"]]
    assert rows[3][:3] == ["apps", "ReplicaSet", space]
    tracked = json.loads(stage.kilde("app", "resources", "shop", "-o", "json"))
    assert tracked == [{"group": "", "kind": "ConfigMap", "namespace": space, "name": "config", "orphaned": False}]
    project(stage)
    stage.until(lambda: stage.conditions("shop") == [], "nobody asks any more")
    refused = stage.said("app", "resources", "shop", "--orphaned")
    assert refused.returncode == 3
    assert "its project team does not ask about orphaned resources" in refused.stderr
