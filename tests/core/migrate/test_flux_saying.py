"""What Flux says in the words of a status, and what is left of ours beside it."""

from typing import Any

import pytest

from kilde.core.basics.values import Object
from kilde.core.migrate.flux.saying import heard, said, silence
from kilde.core.migrate.shadow import compared

COMMIT = "a" * 40
ENTRY = {"id": "shop_web_apps_Deployment", "v": "v1"}
LISTED = {
    "group": "apps",
    "version": "v1",
    "kind": "Deployment",
    "namespace": "shop",
    "name": "web",
    "status": "Synced",
}
FROM_GIT = {"sourceRef": {"kind": "GitRepository", "name": "config"}}


def ready(status: str = "True", reason: str = "ReconciliationSucceeded", message: str = "", **more: Any) -> Object:
    condition = {"type": "Ready", "status": status, "reason": reason, "message": message}
    applied = {"lastAppliedRevision": f"main@sha1:{COMMIT}", "inventory": {"entries": [ENTRY]}}
    return {"conditions": [condition], **applied, **more}


def kustomization(status: Object, **spec: Any) -> Object:
    meta = {"namespace": "flux", "name": "shop", "generation": 2}
    return {"kind": "Kustomization", "metadata": meta, "spec": {**FROM_GIT, **spec}, "status": status}


def release(status: Object, **spec: Any) -> Object:
    meta = {"namespace": "flux", "name": "shop"}
    chart = {"spec": {"chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}
    return {"kind": "HelmRelease", "metadata": meta, "spec": {"chart": chart, **spec}, "status": status}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (kustomization(ready()), {"sync": {"status": "Synced", "revision": COMMIT}, "resources": [LISTED]}),
        (
            kustomization(ready(), wait=True),
            {
                "sync": {"status": "Synced", "revision": COMMIT},
                "resources": [LISTED],
                "health": {"status": "Healthy"},
            },
        ),
        (
            kustomization(
                ready("False", "HealthCheckFailed", lastAttemptedRevision=f"main@sha1:{'b' * 40}"), wait=True
            ),
            {
                "sync": {"status": "Synced", "revision": "b" * 40},
                "resources": [LISTED],
                "health": {"status": "not Healthy"},
            },
        ),
        (kustomization(ready("False", "BuildFailed")), {"sync": {"status": "Unknown"}}),
        (kustomization(ready("False", "DependencyNotReady")), {}),
        (
            kustomization(
                ready(lastAppliedRevision="latest@sha256:0123"), sourceRef={"kind": "OCIRepository", "name": "x"}
            ),
            {"sync": {"status": "Synced", "revision": "sha256:0123"}, "resources": [LISTED]},
        ),
        (
            release(ready(reason="UpgradeSucceeded", history=[{"chartVersion": "6.5.0+0123abc"}])),
            {
                "sync": {"status": "Synced", "revision": "6.5.0"},
                "resources": [LISTED],
                "health": {"status": "Healthy"},
            },
        ),
        (
            release(
                ready(history=[{"chartVersion": "0.1.0"}]), chart={"spec": FROM_GIT}, install={"disableWait": True}
            ),
            {"sync": {"status": "Synced"}, "resources": [LISTED]},
        ),
    ],
)
def test_what_flux_says(body: Object, told: Object) -> None:
    assert said(body) == told
    assert bool(silence(body)) is (told == {})


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({}, "Flux has said nothing of it"),
        (ready(observedGeneration=1), "Flux is reconciling it"),
        (
            ready("Unknown", "Progressing", conditions=[{"type": "Reconciling", "status": "True"}]),
            "Flux has said nothing",
        ),
        (ready("False", "ReconciliationFailed", "denied"), "Flux has no verdict (ReconciliationFailed): denied"),
        (ready("False", "Odd", "x" * 500), f"Flux has no verdict (Odd): {'x' * 200}"),
    ],
)
def test_why_flux_says_nothing(status: Object, told: str) -> None:
    assert silence(kustomization(status)).startswith(told)
    assert said(kustomization(status)) == {}


def test_of_ours_only_what_flux_has_words_for_is_compared() -> None:
    ours = {
        "sync": {"status": "Synced", "revision": COMMIT},
        "health": {"status": "Progressing"},
        "sourceType": "Kustomize",
        "summary": {"images": ["nginx"]},
        "conditions": [{"type": "OrphanedResourceWarning"}],
        "resources": [{**LISTED, "syncWave": 3}, {"kind": "Job", "version": "v1", "name": "hook", "hook": True}],
    }
    theirs = said(kustomization(ready()))
    assert [(one.name, one.agrees) for one in compared(theirs, heard(theirs, ours))] == [
        ("sync.status", True),
        ("sync.revision", True),
        ("resources[apps/Deployment shop/web]", True),
    ]
    waited = said(kustomization(ready(), wait=True))
    assert next(one for one in compared(waited, heard(waited, ours)) if not one.agrees).ours == "not Healthy"


@pytest.mark.parametrize("status", [None, 1, "x", [], {"conditions": "x"}, {"conditions": [{"type": "Ready"}]}])
def test_statuses_of_any_shape_are_read(status: Any) -> None:
    for body in (kustomization(status), release(status)):
        assert heard(said(body), {"resources": 1, "sync": "x"})["sync"] == {}
        assert silence(body)
