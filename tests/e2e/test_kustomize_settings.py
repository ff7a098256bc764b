"""`kustomize.buildOptions` on both clusters: the controller and everything that looks beside it build alike."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
FLAGS = "--load-restrictor LoadRestrictionsNone"
FILES = {
    "app/kustomization.yaml": "resources: [../shared.yaml]\n",
    "shared.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n",
}


def test_everybody_builds_by_the_flags_of_the_installation(stage: Stage) -> None:
    place = f"{stage.space}-x"
    stage.create_repository(FILES)
    stage.start()
    stage.kubectl(
        "-n", stage.space, "create", "configmap", "argocd-cm", "--from-literal", f"kustomize.buildOptions={FLAGS}"
    )
    stage.application("shop", "app", place)
    stage.until(lambda: stage.is_well("shop"), "is synced")
    assert stage.kilde("app", "diff", "shop") == ""
    (planned,) = json.loads(stage.kilde("plan", "--all", "-o", "json"))["applications"]
    assert planned["name"] == "shop"  # and an exit code of 0: nothing would change
    soon = f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    (ran,) = json.loads(stage.kilde("ledger", "show", "--running-at", soon, "-o", "json"))
    assert (ran["objects"], ran["exact"], ran["problem"]) == (1, True, "")
    assert "Succeeded" in stage.kilde("app", "sync", "shop", "--local", str(stage.work / "app"), "--dry-run")
