"""`kilde migrate flux --shadow` on both clusters: it agrees with what Flux has applied, names what differs, and writes nothing."""

import json
from pathlib import Path

import pytest

from e2e.argo import config_map
from e2e.flux import Flux
from e2e.recording import recorded
from e2e.test_flux_take_over import flux as flux
from e2e.test_migrate import box as box

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SHADOW = ("migrate", "flux", "--shadow")


def test_a_shadow_agrees_with_flux_then_names_what_differs_and_writes_nothing(flux: Flux, tmp_path: Path) -> None:
    stage, space, before = flux.stage, flux.space, flux.whole()
    with recorded(stage.kubeconfig, tmp_path) as recorder:
        words = (*SHADOW, "--for", "1s", "-o", "json", "--kubeconfig", str(recorder.kubeconfig))
        seen = json.loads(stage.kilde(*words))
    assert any("watch=true" in path for _, path in recorder.requests)
    assert recorder.writes == []
    assert flux.whole() == before
    revision = stage.git("rev-parse", "HEAD").strip()
    [app] = seen["applications"]
    assert [(one["name"], one["theirs"], one["ours"]) for one in app["fields"]] == [
        ("sync.status", "Synced", "Synced"),
        ("sync.revision", revision, revision),
        (f"resources[ConfigMap {space}/config]", "Synced", "Synced"),
        (f"resources[apps/Deployment {space}/web]", "Synced", "Synced"),
    ]
    assert (seen["system"], seen["agrees"], app["changes"], app["errors"]) == ("Flux", True, [], [])
    stage.kubectl("-n", space, "scale", "deployment", "web", "--replicas=1")
    flux.bodies.append(config_map("more", k="one"))  # as a folder without kustomization.yaml would have it
    flux.reconcile()
    stage.kubectl("-n", space, "patch", "cm", "config", "--type=merge", "-p", '{"data": {"k": "by hand"}}')
    said = stage.said(*SHADOW, "--for", "0s")
    assert said.returncode == 1
    lines = said.stdout.splitlines()
    assert lines[2].split() == ["shop", "2", "of", "5", "fields", "OutOfSync", revision[:7], *lines[2].split()[-2:]]
    assert [line for line in lines if line.startswith("  ")] == [
        "  shop sync.status: Flux Synced, Kilde OutOfSync",
        f"  shop resources[ConfigMap {space}/config].status: Flux Synced, Kilde OutOfSync",
        f"  shop resources[ConfigMap {space}/more].status: Flux Synced, Kilde OutOfSync",
        f"  shop would update ConfigMap {space}/config: data.k",
        f"  shop would hold ConfigMap {space}/more: no longer in Git, but pruning is off",
    ]
    assert lines[-1] == "0 of 1 applications agree with Flux in every field"
