"""An operator on controller-runtime, and client-go alone, work against the embedded cluster as they are."""

from pathlib import Path

import pytest
from build_real import where

from clients.conftest import WIDGETS, running
from kilde.testing.box import KildeCluster

pytestmark = pytest.mark.slow


def test_an_operator_on_controller_runtime(box: KildeCluster, tmp_path: Path) -> None:
    program = where("operator")
    if not program.exists():
        pytest.skip("not built: operator (make real)")
    box.apply(WIDGETS)
    widget = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 2}}
    with running(box, tmp_path, program, NAMESPACE="default") as operator:
        operator.says("elected")
        assert operator.lines[:5] == [
            "pages: 5 objects",
            "a stale update: conflict true",
            "a missing object: not found true",
            "informer: told of 5 deletions",
            "elected",
        ]
        holder = box.get("lease/widget-operator")
        assert holder is not None
        assert holder["spec"]["holderIdentity"]

        box.apply(widget)
        operator.says("status of w: 2 of 2")
        box.delete("configmap/w")  # it is owned: the operator is told, and makes it again
        box.wait_for("configmap/w", lambda one: one["data"] == {"size": "2"})
        managers = {entry["manager"] for entry in (box.get("deployment/w") or {})["metadata"]["managedFields"]}
        assert managers == {"widget-operator", "kube-controller-manager"}

        box.apply({**widget, "spec": {"size": 3}})
        operator.says("status of w: 3 of 3")
        box.delete("widget/w")
        operator.says("finalized w")
        for target in ("widget/w", "configmap/w", "deployment/w"):
            box.wait_for(target, "gone")

        assert operator.end() == 0
        assert operator.lines[-1] == "ended"
    lease = box.get("lease/widget-operator")
    assert lease is not None
    assert not lease["spec"].get("holderIdentity")
