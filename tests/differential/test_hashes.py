"""ReplicaSets and revisions have the names that they have in a real cluster: Go's dump of a template is hashed."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest

from differential import pod_shapes
from differential.shapes import Dice
from differential.sides import Ask, Pair, Side

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(180)]

PATIENCE = 60.0
MANY = 60


class Sound(Dice):
    """Chance that throws nothing that a server must refuse."""

    def odd(self, good: Any, *bad: Any, likely: float = 0.0) -> Any:
        return good


def container(**more: Any) -> dict[str, Any]:
    return {"containers": [{"name": "c", "image": "a:1", **more}]}


def asked(**amounts: Any) -> dict[str, Any]:
    return container(resources={"requests": amounts, "limits": amounts})


# What chance seldom throws: quantities beyond the fast way to read them, empty and zero values, ports by name.
SPECS: list[dict[str, Any]] = [
    container(),
    asked(cpu="1500m", memory="1000Mi"),
    asked(cpu="3", memory="100Gi"),
    asked(memory="100Ti"),
    asked(memory="1500Ti"),
    asked(memory="3Ei"),
    asked(cpu="0", memory="0"),
    asked(cpu="0.5", memory="1e9", **{"example.com/x": "1000"}),
    asked(memory="12e6"),
    asked(memory="1.5Gi"),
    asked(memory="1048576"),
    asked(cpu="123456789012345678", memory="999999999999999999"),
    asked(cpu="100u", memory="1k"),
    asked(**{"ephemeral-storage": "8Gi", "hugepages-2Mi": "4Mi", "memory": "4Mi", "cpu": "1"}),
    container(args=[], command=["sh", "-c", "echo \"<é> & 'x'\"\n"], env=[{"name": "A", "value": ""}]),
    container(livenessProbe={"httpGet": {"path": "/", "port": "web"}}, ports=[{"name": "web", "containerPort": 80}]),
    container(securityContext={"runAsUser": 0, "privileged": False, "capabilities": {"drop": ["ALL"]}}),
    {**container(), "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {"sizeLimit": "1Gi"}}]},
    {**container(), "hostUsers": False, "terminationGracePeriodSeconds": 0, "nodeSelector": {}},
    {**container(), "tolerations": [{"operator": "Exists", "tolerationSeconds": 0, "effect": "NoExecute"}]},
]


def templates() -> Iterator[dict[str, Any]]:
    for spec in SPECS:
        yield {"metadata": {"labels": {"app": "a"}}, "spec": spec}
    for seed in range(MANY):
        made = pod_shapes.template(Sound(seed))
        yield {"metadata": {**(made.get("metadata") or {}), "labels": {"app": "a", "z": "y"}}, "spec": made["spec"]}


def test_workloads_name_what_they_make_as_in_a_real_cluster(controlled: Pair) -> None:
    namespace = f"h{secrets.token_hex(3)}"
    controlled.set_up(Ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}))
    root, taken = f"/apis/apps/v1/namespaces/{namespace}", 0
    for number, template in enumerate(templates()):
        spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
        for kind, plural, more in (("Deployment", "deployments", {"replicas": 0}), ("DaemonSet", "daemonsets", {})):
            body = {"metadata": {"name": f"{kind.lower()}-{number}"}, "spec": {**spec, **more}}
            real, ours = controlled.ask(Ask("POST", f"{root}/{plural}", body))
            assert real["code"] == ours["code"], (body, real, ours)
            taken += real["code"] == 201
    assert taken > MANY // 2
    names = [_names(side, root, taken) for side in (controlled.real, controlled.ours)]

    assert names[0] == names[1]


def _names(side: Side, root: str, wanted: int) -> list[str]:
    """The ReplicaSets and revisions once there are as many as workloads."""
    until = time.monotonic() + PATIENCE
    while True:
        kinds = [side.ask(Ask("GET", f"{root}/{plural}"))["body"] for plural in ("replicasets", "controllerrevisions")]
        found = sorted(one["metadata"]["name"] for kind in kinds for one in kind["items"])
        if len(found) == wanted:
            return found
        assert time.monotonic() < until, (len(found), wanted)
        time.sleep(0.2)
