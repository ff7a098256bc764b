"""What a plan says of waits: for applications that change too, that are unwell, that are not there; and of cycles."""

from typing import Any

from kilde.core.apps.application import Application, read_application
from kilde.core.preview.model import Finding
from kilde.engine.preview.waits import waits

WELL: dict[str, Any] = {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}}


def application(name: str, depends: str = "", status: dict[str, Any] = WELL) -> Application:
    meta = {"name": name, "annotations": {"kilde.dev/depends-on": depends}}
    return read_application({"metadata": meta, "spec": {}, "status": status})


def test_what_a_sync_would_wait_for() -> None:
    fleet = [
        application(
            "front", "app/back,app/base,app/cache,app/gone\nConfigMap x/flags ready-when object.data.open == 'yes'"
        ),
        application("back"),
        application("base"),
        application("cache", status={**WELL, "health": {"status": "Degraded"}}),
        application("left", "app/right"),
        application("right", "app/left, what"),
    ]
    assert waits({app.name: app for app in fleet}, ["front", "back", "left", "right"]) == {
        "front": [
            Finding(kind="waits", text="is synced after application back, which changes too"),
            Finding(kind="waits", text="will wait for application cache, which is Degraded"),
            Finding(kind="waits", text="will wait for application gone, which does not exist"),
            Finding(kind="waits", text="is synced once ConfigMap x/flags is there and ready"),
        ],
        "back": [],
        "left": [
            Finding(kind="dependency", text="depends on itself: left → right → left; it will not be synced", grave=True)
        ],
        "right": [
            Finding(
                kind="dependency",
                text="kilde.dev/depends-on item 2: 'what' is not understood (write app/[NAMESPACE/]NAME, or [GROUP/]KIND [NAMESPACE/]NAME)",
                grave=True,
            ),
            Finding(
                kind="dependency", text="depends on itself: right → left → right; it will not be synced", grave=True
            ),
        ],
    }
