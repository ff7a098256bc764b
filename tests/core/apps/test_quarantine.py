"""Which deployment belongs in quarantine, where the way back leads, and how the annotation reads."""

from typing import Any

import pytest

from kilde.core.apps.application import Application, read_application
from kilde.core.apps.quarantine import (
    ANNOTATION,
    ON_DEGRADED,
    WINDOW,
    Quarantine,
    fault_of,
    quarantine_of,
    unreadable,
    way_back,
)

SOURCE = {"repoURL": "https://git.example/shop.git", "path": "app"}
NOON = 1767268800.0  # 2026-01-01T12:00:00Z


def application(annotations: dict[str, str] | None = None, *, auto: bool = True, **status: Any) -> Application:
    policy = {"syncPolicy": {"automated": {}}} if auto else {}
    return read_application(
        {
            "metadata": {"name": "shop", "namespace": "argocd", "annotations": annotations or {}},
            "spec": {"source": SOURCE, "destination": {"name": "in-cluster"}, **policy},
            "status": status,
        }
    )


def deployment(revision: str, at: str = "12:00:00", *, automated: bool = True, **more: Any) -> dict[str, Any]:
    by = {"automated": True} if automated else {"username": "ann"}
    moment = f"2026-01-01T{at}Z"
    return {
        "revision": revision,
        "source": SOURCE,
        "deployStartedAt": moment,
        "deployedAt": moment,
        "initiatedBy": by,
        **more,
    }


def failed(phase: str = "Failed", message: str = "one or more objects failed", **operation: Any) -> dict[str, Any]:
    block = {"initiatedBy": {"automated": True}, "sync": {"revision": "bad"}, **operation}
    return {"operation": block, "phase": phase, "message": message, "syncResult": {"revision": "bad"}}


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        (failed(), "its sync failed: one or more objects failed"),
        (failed("Error"), "its sync failed: one or more objects failed"),
        (failed("Succeeded"), ""),
        (failed("Running"), ""),
        (failed(message="Operation terminated"), ""),
        (failed(initiatedBy={"username": "ann"}), ""),
        (failed(sync={"revision": "bad", "resources": [{"kind": "ConfigMap", "name": "a"}]}), ""),
        ({**failed(), "syncResult": {"revision": "other"}}, ""),
    ],
)
def test_an_automated_sync_that_failed(state: dict[str, Any], fault: str) -> None:
    app = application(operationState=state)
    assert fault_of(app, "bad", "Healthy", now=NOON, mode="hold") == fault
    assert fault_of(app, "bad", "Healthy", now=NOON, mode="off") == ""


@pytest.mark.parametrize(
    ("status", "seconds", "is_at_fault"),
    [
        ({"history": [deployment("good"), deployment("bad")]}, 0, True),
        ({"history": [deployment("bad")]}, 900, True),
        ({"history": [deployment("bad")]}, 901, False),
        ({"history": [deployment("bad"), deployment("good")]}, 0, False),
        ({"history": [deployment("bad", automated=False)]}, 0, False),
        ({"history": []}, 0, False),
        (
            {
                "history": [deployment("bad")],
                "health": {"status": "Degraded", "lastTransitionTime": "2026-01-01T11:59:59Z"},
            },
            0,
            False,
        ),
        (
            {
                "history": [deployment("bad")],
                "health": {"status": "Degraded", "lastTransitionTime": "2026-01-01T12:00:01Z"},
            },
            5,
            True,
        ),
        (
            {
                "history": [deployment("bad")],
                "health": {"status": "Healthy", "lastTransitionTime": "2026-01-01T11:00:00Z"},
            },
            5,
            True,
        ),
    ],
)
def test_a_deployment_that_did_harm(status: dict[str, Any], seconds: int, is_at_fault: bool) -> None:
    app = application(**status)
    assert bool(fault_of(app, "bad", "Degraded", now=NOON + seconds, mode="hold")) is is_at_fault
    for health in ("Healthy", "Progressing", "Missing", "Suspended", "Unknown"):
        assert fault_of(app, "bad", health, now=NOON + seconds, mode="hold") == ""


def test_the_window_and_the_mode_are_the_applications_own_if_it_says_so() -> None:
    history = [deployment("bad")]
    short = application({WINDOW: "1m"}, history=history)
    told = "the application became Degraded within 60 s after it was deployed"
    assert fault_of(short, "bad", "Degraded", now=NOON + 60, mode="hold") == told
    assert fault_of(short, "bad", "Degraded", now=NOON + 61, mode="hold") == ""
    assert fault_of(application({ON_DEGRADED: "off"}, history=history), "bad", "Degraded", now=NOON, mode="hold") == ""
    assert fault_of(application({ON_DEGRADED: "hold"}, history=history), "bad", "Degraded", now=NOON, mode="off")
    assert fault_of(application(auto=False, history=history), "bad", "Degraded", now=NOON, mode="hold") == ""


def test_the_way_back_is_the_last_other_deployment_of_the_same_sources() -> None:
    moved = deployment("elsewhere", source={**SOURCE, "path": "other"})
    history = [deployment("old"), deployment("good"), moved, deployment("bad"), deployment("bad")]
    app = application(history=history)
    assert way_back(app, "bad", mode="rollback") == ("good",)
    assert way_back(app, "bad", mode="hold") == ()
    assert way_back(application({ON_DEGRADED: "hold"}, history=history), "bad", mode="rollback") == ()
    assert way_back(application(history=[deployment("bad")]), "bad", mode="rollback") == ()


def test_it_reads_as_it_is_written() -> None:
    for found in (
        Quarantine(revisions=("bad",), reason="why"),
        Quarantine(revisions=("bad",), reason="why", to=("good",), rendered="d", by="ann"),
    ):
        assert quarantine_of(application({ANNOTATION: found.written()})) == found
    assert quarantine_of(application()) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"revisions": "bad"}', '{"revisions": ["a", "b"]}',
                                  '{"revisions": ["a"], "to": ["b", "c"]}', "null", "1"])  # fmt: skip
def test_one_that_cannot_be_read_is_none_and_is_told(text: str) -> None:
    app = application({ANNOTATION: text})
    assert quarantine_of(app) is None
    assert unreadable(app).startswith(f"annotation {ANNOTATION} cannot be read, and holds nothing")


def test_it_covers_its_commits_and_later_ones_that_want_the_same() -> None:
    found = Quarantine(revisions=("a", "b"), reason="why", rendered="d")
    assert found.covers("a,b", "other")
    assert found.covers("a,c", "d")
    assert not found.covers("a,c", "e")
    assert not Quarantine(revisions=("a",), reason="why").covers("b", "")


@pytest.mark.parametrize(
    ("annotations", "told"),
    [
        ({ON_DEGRADED: "stop"}, "annotation kilde.dev/on-degraded is none of hold, rollback, off"),
        ({WINDOW: "soon"}, "annotation kilde.dev/degraded-window is no duration (write 90s, 15m or 1h)"),
        ({ON_DEGRADED: "rollback", WINDOW: "1h"}, ""),
    ],
)
def test_other_annotations_that_mean_nothing_are_told(annotations: dict[str, str], told: str) -> None:
    assert unreadable(application(annotations)) == told
