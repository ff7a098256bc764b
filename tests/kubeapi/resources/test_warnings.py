"""Warnings: what is accepted with a word of caution."""

from typing import Any

import pytest

from kilde.kubeapi.resources.warnings import deprecation, warnings_of


def pod(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c"}], **spec},
    }


def job(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": {"spec": pod()["spec"]}},
    }


ENV = [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "A", "value": "2"}]
PORTS = [{"containerPort": 80}, {"containerPort": 81}, {"containerPort": 80, "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (pod(), []),
        (
            pod(containers=[{"name": "c", "env": ENV}]),
            ['spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply'],
        ),
        (
            pod(initContainers=[{"name": "i", "ports": PORTS}]),
            ["spec.initContainers[0].ports[2]: duplicate port definition with spec.initContainers[0].ports[0]"],
        ),
        (pod(imagePullSecrets=[{}]), ['spec.imagePullSecrets[0].name: invalid empty name ""']),
        (
            pod(hostAliases=[{"ip": "1.2.3.4"}, {"ip": "1.2.3.4"}]),
            ['spec.hostAliases[1].ip: duplicate ip "1.2.3.4"'],
        ),
        (
            pod(nodeSelector={"beta.kubernetes.io/os": "linux"}),
            ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
        ),
        (
            pod(containers=[{"name": "c", "resources": {"limits": {"memory": "128m"}}}]),
            [
                'spec.containers[0].resources.limits[memory]: fractional byte value "128m" is invalid, must be an integer'
            ],
        ),
        (job("j"), []),
        (
            job("a.b"),
            [
                "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior;"
                " a DNS label is recommended: [must not contain dots]"
            ],
        ),
        ({"apiVersion": "example.com/v1", "kind": "Pod", "metadata": {"name": "a.b"}}, []),
    ],
)
def test_what_is_odd_is_warned_of(obj: dict[str, Any], words: list[str]) -> None:
    assert warnings_of(obj) == words


def test_only_deprecated_kinds_are_warned_of_on_every_request() -> None:
    assert deprecation("", "v1", "Endpoints").endswith("use discovery.k8s.io/v1 EndpointSlice")
    assert deprecation("", "v1", "Pod") == ""
