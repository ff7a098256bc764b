"""A real API server takes our CRDs, and they know every field that Argo CD writes."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from kilde.crds import definitions
from real.control_plane import ControlPlane

pytestmark = pytest.mark.live

KUBECTL = Path(sys.executable).with_name("kubectl")
TIME = "2026-01-02T03:04:05Z"


def kubectl(plane: ControlPlane, *arguments: str, stdin: object = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(KUBECTL), "--kubeconfig", str(plane.kubeconfig), *arguments],
        input=json.dumps(stdin) if stdin is not None else None,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def plane(live_cluster: ControlPlane) -> ControlPlane:
    wanted = {"apiVersion": "v1", "kind": "List", "items": definitions()}
    done = kubectl(live_cluster, "apply", "--server-side", "-f", "-", stdin=wanted)
    assert done.returncode == 0, done.stderr
    for definition in definitions():
        name = f"crd/{definition['metadata']['name']}"
        assert kubectl(live_cluster, "wait", "--for=condition=Established", name, "--timeout=30s").returncode == 0
    time.sleep(1)  # its OpenAPI is served a moment later
    return live_cluster


def strictly(plane: ControlPlane, objects: list[dict[str, Any]]) -> str:
    """What the server says against these objects; "" when it takes all of them, and drops no field."""
    wanted = {"apiVersion": "v1", "kind": "List", "items": objects}
    done = kubectl(
        plane,
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "-n",
        "default",
        "-f",
        "-",
        stdin=wanted,
    )
    return done.stderr


def test_the_definitions_are_structural(plane: ControlPlane) -> None:
    names = [f"{kind}.argoproj.io" for kind in ("applications", "applicationsets", "appprojects")]
    found = json.loads(kubectl(plane, "get", "crd", *names, "-o", "json").stdout)["items"]

    states = {
        one["metadata"]["name"]: {condition["type"]: condition["status"] for condition in one["status"]["conditions"]}
        for one in found
    }

    fine = {"NamesAccepted": "True", "Established": "True"}  # and no NonStructuralSchema
    assert states == dict.fromkeys(names, fine)


def test_a_table_of_applications_has_argo_cds_columns(plane: ControlPlane) -> None:
    app = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "columns"},
        "spec": {"project": "default", "destination": {}},
        "status": {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}},
    }
    kubectl(plane, "apply", "--server-side", "-n", "default", "-f", "-", stdin=app)

    table = kubectl(plane, "get", "app", "-n", "default", "columns").stdout

    assert [line.split() for line in table.splitlines()] == [
        ["NAME", "SYNC", "STATUS", "HEALTH", "STATUS"],
        ["columns", "Synced", "Healthy"],  # the status is no subresource: it was written with the object
    ]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (
            {"spec": {"project": "default"}},
            'missing required field "destination" in io.argoproj.v1alpha1.Application.spec',
        ),
        (
            {"spec": {"project": "default", "destination": {}, "sources": [{"path": "a"}]}},
            'missing required field "repoURL" in io.argoproj.v1alpha1.Application.spec.sources',
        ),
        (
            {"spec": {"project": "default", "destination": {}, "syncPolicy": {"automated": {"prune": "yes"}}}},
            'Application.spec.syncPolicy.automated.prune: got "string", expected "boolean"',
        ),
        (
            {"spec": {"project": "default", "destination": {}, "sorce": {}}},
            'unknown field "sorce" in io.argoproj.v1alpha1.Application.spec',
        ),
    ],
)
def test_what_argo_cd_refuses_is_refused(plane: ControlPlane, change: dict[str, Any], refusal: str) -> None:
    app = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "bad"}, **change}

    assert refusal in strictly(plane, [app])


def _filled(text: str) -> str:
    """The recording's placeholders as values of their kinds."""
    text = re.sub(r'"(autoHealAttemptsCount|retryCount)": "<[^"]*>"', r'"\1": 1', text)
    return text.replace("<time>", TIME)


def recorded(shared: Path) -> list[dict[str, Any]]:
    """Every Application and AppProject of the recorded scenarios, with the specs people wrote and the statuses Argo CD wrote."""
    found: list[dict[str, Any]] = []
    for file in sorted((shared / "conformance/argocd/scenarios").glob("*.yaml")):
        scenario = yaml.safe_load(file.read_text())
        found += [*scenario.get("applications", []), *scenario.get("projects", [])]
    base = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
    for file in sorted((shared / "conformance/argocd/expected").glob("*.json")):
        for snapshot in json.loads(_filled(file.read_text())).get("snapshots", {}).values():
            for app in snapshot.get("applications", {}).values():
                status = (app or {}).get("status")
                if status:
                    found.append({**base, "spec": {"project": "default", "destination": {}}, "status": status})
    return [
        {**one, "metadata": {"name": f"recorded-{number}"}, "kind": one.get("kind", "Application")}
        for number, one in enumerate(found)
    ]


def test_nothing_that_argo_cd_was_seen_to_write_is_refused_or_dropped(plane: ControlPlane, shared: Path) -> None:
    objects = recorded(shared)

    assert len(objects) > 150
    assert strictly(plane, objects) == ""
