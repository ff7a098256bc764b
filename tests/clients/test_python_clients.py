"""kopf, lightkube and the official Python client work against the embedded cluster as they are."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clients.conftest import HERE, WIDGETS, running
from kilde.testing.box import KildeCluster

pytestmark = pytest.mark.slow


def test_the_official_client(script: Callable[[str], list[str]]) -> None:
    pytest.importorskip("kubernetes", exc_type=ImportError)

    assert script("official_tour.py") == [
        "version v1.36.3",
        "ready web RollingUpdate",
        "pods 2 {'Running'}",
        "log web",
        "pages 5",
        "stale 409 Conflict",
        "missing 404",
        "left 0",
        "scaled to nothing; last event DELETED",
        "applied 4 ['tour', 'OpenAPI-Generator']",
        "invalid 422",
    ]


def test_lightkube(script: Callable[[str], list[str]]) -> None:
    assert script("lightkube_tour.py") == [
        "available 2",
        "pods 2",
        "log web",
        "rolled out MODIFIED",
        "patched {'a': '2'}",
        "again 409 AlreadyExists",
        "namespace gone",
    ]


def test_an_operator_written_with_kopf(box: KildeCluster, tmp_path: Path) -> None:
    box.apply(WIDGETS)
    words = [
        Path(sys.executable).with_name("kopf"),
        "run",
        "--standalone",
        "--namespace=default",
        HERE / "kopf_operator.py",
    ]
    widget = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 2}}
    with running(box, tmp_path, *words) as operator:
        box.apply(widget)
        operator.says("created for w")
        box.wait_for("widget/w", lambda one: (one.get("status") or {}).get("made") == 2)
        operator.says("tick for w")
        box.apply({**widget, "spec": {"size": 5}})
        operator.says("w: 2 to 5")
        box.wait_for("configmap/w-size", lambda one: one["data"]["size"] == "5")
        box.delete("widget/w")
        operator.says("deleted w")
        box.wait_for("widget/w", "gone")
        box.wait_for("configmap/w-size", "gone")

        assert operator.end() == 0
