"""What goes with an object that is deleted, and what becomes of the data behind a claim."""

from typing import Any

import pytest

from kilde.core.plan.data_loss import PRECIOUS, claimed_volume, data_loss, taken_along

FINALIZER = "resources-finalizer.argocd.argoproj.io"


def claim(volume: str = "") -> dict[str, Any]:
    return {"kind": "PersistentVolumeClaim", "spec": {"volumeName": volume} if volume else {}}


def volume(policy: str | None) -> dict[str, Any]:
    return {"kind": "PersistentVolume", "spec": {"persistentVolumeReclaimPolicy": policy} if policy else {}}


@pytest.mark.parametrize(
    ("live", "behind", "told"),
    [
        (claim(), None, "no volume is bound to it"),
        (claim("pv"), None, "its volume pv could not be looked at: its data may be lost"),
        (claim("pv"), volume("Retain"), "its volume pv and the data on it stay (reclaim policy Retain)"),
        (claim("pv"), volume(None), "its volume pv and the data on it stay (reclaim policy Retain)"),
        (claim("pv"), volume("Delete"), "data loss: its volume pv is deleted with it (reclaim policy Delete)"),
        (claim("pv"), volume("Recycle"), "data loss: its volume pv is deleted with it (reclaim policy Recycle)"),
        ({"spec": None}, None, "no volume is bound to it"),
    ],
)
def test_the_data_behind_a_claim(live: dict[str, Any], behind: dict[str, Any] | None, told: str) -> None:
    assert data_loss(live, behind) == told
    assert claimed_volume(live) in ("", "pv")


@pytest.mark.parametrize(("group", "kind"), sorted(PRECIOUS))
def test_what_takes_more_than_itself_is_over_by_itself(group: str, kind: str) -> None:
    takes, why = taken_along(group, kind, {})
    assert takes == 1
    assert why


def application(*inside: dict[str, Any], finalizers: tuple[str, ...] = (FINALIZER,)) -> dict[str, Any]:
    return {"metadata": {"finalizers": list(finalizers)}, "status": {"resources": list(inside)}}


@pytest.mark.parametrize(
    ("live", "found"),
    [
        (application(), (1, "")),
        (application({"kind": "ConfigMap", "name": "a"}, {"kind": "Service", "name": "b"}), (3, "")),
        (application({"kind": "ConfigMap", "name": "a"}, finalizers=()), (1, "")),
        (application({"kind": "ConfigMap", "name": "a"}, finalizers=(f"{FINALIZER}/background",)), (2, "")),
        (
            application({"kind": "ConfigMap", "name": "a"}, {"group": "apps", "kind": "StatefulSet", "name": "db"}),
            (3, "its StatefulSet db goes with it"),
        ),
        (application({"group": "other.example", "kind": "StatefulSet", "name": "db"}), (2, "")),
        ({}, (1, "")),
        ({"metadata": {"finalizers": "no list"}, "status": "none"}, (1, "")),
    ],
)
def test_an_application_takes_its_objects_along(live: dict[str, Any], found: tuple[int, str]) -> None:
    assert taken_along("argoproj.io", "Application", live) == found
    assert taken_along("other.example", "Application", live) == (1, "")


def test_a_stateful_set_says_what_becomes_of_its_claims() -> None:
    deletes = {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}}
    assert taken_along("apps", "StatefulSet", deletes) == (1, "its claims are deleted with it (whenDeleted: Delete)")
    assert taken_along("apps", "StatefulSet", {"spec": {}}) == (1, "its pods hold state")
