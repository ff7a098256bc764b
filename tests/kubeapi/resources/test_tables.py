"""Tables: columns and cells of built-in kinds and custom resources, compared whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.moment import parse
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.kinds import BUILTIN
from kilde.kubeapi.resources.printers import PRINTERS
from kilde.kubeapi.resources.printers.column import human_duration, selector_text
from kilde.kubeapi.resources.tables import Include, custom_printer, partial_list, printer_of, render

RECORDINGS = Path(__file__).parents[3].parent / "shared" / "conformance" / "apiserver" / "builtin" / "table.json"
NOW = parse("2026-03-01T12:00:00Z") or 0.0
BORN = "2026-03-01T11:58:30Z"


def cells(group: str, kind: str, body: dict[str, Any], version: str = "v1") -> list[Any]:
    resource = Catalog().of_kind(group, version, kind)
    assert resource is not None
    obj = {**body, "metadata": {"name": "x", "creationTimestamp": BORN, **body.get("metadata", {})}}
    found = render(printer_of(resource), [obj], now=NOW, include=Include.NONE)["rows"][0]["cells"]
    assert isinstance(found, list)
    return found


def columns(kind: str) -> list[tuple[Any, ...]]:
    resource = next(found for found in BUILTIN if found.kind == kind)
    definitions = render(printer_of(resource), [], now=NOW)["columnDefinitions"]
    return [(one["name"], one["type"], one["format"], one["priority"]) for one in definitions]


CONTAINERS = {"containers": [{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:2"}]}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": CONTAINERS}
SELECTOR = {
    "matchLabels": {"app": "web"},
    "matchExpressions": [{"key": "tier", "operator": "In", "values": ["b", "a"]}],
}


def status(name: str, **state: Any) -> dict[str, Any]:
    ready, restarts = state.pop("ready", False), state.pop("restarts", 0)
    last = {"lastState": {"terminated": {"finishedAt": state.pop("ended")}}} if "ended" in state else {}
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state, **last}


@pytest.mark.parametrize(
    ("pod", "shown"),
    [
        ({"status": {"phase": "Pending"}}, ["0/2", "Pending", "0"]),
        (
            {"status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}},
            ["0/2", "SchedulingGated", "0"],
        ),
        (
            {
                "status": {
                    "phase": "Running",
                    "containerStatuses": [
                        status("web", running={}, ready=True, restarts=2, ended="2026-03-01T11:59:00Z"),
                        status("log", running={}, ready=True),
                    ],
                }
            },
            ["2/2", "Running", "2 (60s ago)"],
        ),
        (
            {
                "status": {
                    "phase": "Running",
                    "containerStatuses": [
                        status("web", running={}, ready=True),
                        status("log", terminated={"exitCode": 0, "reason": "Completed"}),
                    ],
                }
            },
            ["1/2", "NotReady", "0"],
        ),
        (
            {"status": {"phase": "Failed", "containerStatuses": [status("web", terminated={"exitCode": 3})]}},
            ["0/2", "ExitCode:3", "0"],
        ),
        ({"status": {"phase": "Failed", "reason": "Evicted"}}, ["0/2", "Evicted", "0"]),
        ({"metadata": {"deletionTimestamp": BORN}, "status": {"phase": "Running"}}, ["0/2", "Terminating", "0"]),
        (
            {"metadata": {"deletionTimestamp": BORN}, "status": {"phase": "Running", "reason": "NodeLost"}},
            ["0/2", "Unknown", "0"],
        ),
        (
            {
                "spec": {"initContainers": [{"name": "one"}, {"name": "two"}]},
                "status": {
                    "phase": "Pending",
                    "initContainerStatuses": [status("one", terminated={"exitCode": 0}), status("two", running={})],
                },
            },
            ["0/2", "Init:1/2", "0"],
        ),
        (
            {
                "spec": {"initContainers": [{"name": "one"}]},
                "status": {
                    "phase": "Pending",
                    "initContainerStatuses": [status("one", waiting={"reason": "CrashLoopBackOff"}, restarts=4)],
                },
            },
            ["0/2", "Init:CrashLoopBackOff", "4"],
        ),
        (
            {
                "spec": {"initContainers": [{"name": "side", "restartPolicy": "Always"}]},
                "status": {
                    "phase": "Running",
                    "initContainerStatuses": [{**status("side", running={}, ready=True, restarts=1), "started": True}],
                    "containerStatuses": [
                        status("web", running={}, ready=True),
                        status("log", waiting={"reason": "ErrImagePull"}),
                    ],
                },
            },
            ["2/3", "ErrImagePull", "1"],
        ),
    ],
)
def test_a_pod_shows_what_it_waits_for(pod: dict[str, Any], shown: list[str]) -> None:
    spec = {**CONTAINERS, **pod.get("spec", {})}
    assert cells("", "Pod", {**pod, "spec": spec})[1:4] == shown


CASES: list[tuple[str, str, dict[str, Any], list[Any]]] = [
    (
        "networking.k8s.io",
        "Ingress",
        {"spec": {"rules": [{"host": "a"}, {}, {"host": "b"}, {"host": "c"}, {}]}},
        ["x", "<none>", "a,b,c + 2 more...", "", "80", "90s"],
    ),
    (
        "networking.k8s.io",
        "IPAddress",
        {"spec": {"parentRef": {"resource": "services", "namespace": "n", "name": "s"}}},
        ["x", "services/n/s", "90s"],
    ),
    (
        "apps",
        "Deployment",
        {
            "spec": {"replicas": 3, "selector": SELECTOR, "template": TEMPLATE},
            "status": {"readyReplicas": 1, "updatedReplicas": 2},
        },
        ["x", "1/3", 2, 0, "90s", "web,log", "web:1,log:2", "app=web,tier in (a,b)"],
    ),
    (
        "apps",
        "StatefulSet",
        {"spec": {"replicas": 1, "template": TEMPLATE}},
        ["x", "0/1", "90s", "web,log", "web:1,log:2"],
    ),
    (
        "apps",
        "DaemonSet",
        {
            "spec": {"selector": SELECTOR, "template": TEMPLATE},
            "status": {"desiredNumberScheduled": 2, "numberReady": 1},
        },
        ["x", 2, 0, 1, 0, 0, "<none>", "90s", "web,log", "web:1,log:2", "app=web,tier in (a,b)"],
    ),
    (
        "batch",
        "Job",
        {
            "spec": {"completions": 3, "template": TEMPLATE},
            "status": {
                "succeeded": 1,
                "startTime": "2026-03-01T11:50:00Z",
                "conditions": [{"type": "Suspended", "status": "True"}],
            },
        },
        ["x", "Suspended", "1/3", "10m", "90s", "web,log", "web:1,log:2", "<none>"],
    ),
    (
        "batch",
        "Job",
        {"spec": {"parallelism": 4, "template": TEMPLATE}},
        ["x", "Running", "0/1 of 4", "", "90s", "web,log", "web:1,log:2", "<none>"],
    ),
    (
        "batch",
        "CronJob",
        {
            "spec": {"schedule": "0 3 * * *", "suspend": False, "jobTemplate": {"spec": {"template": TEMPLATE}}},
            "status": {"lastScheduleTime": "2026-03-01T03:00:00Z", "active": [{}]},
        },
        ["x", "0 3 * * *", "<none>", "False", 1, "9h", "90s", "web,log", "web:1,log:2", "<none>"],
    ),
    (
        "",
        "Service",
        {
            "spec": {
                "type": "LoadBalancer",
                "clusterIPs": ["10.0.0.1"],
                "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}],
            }
        },
        ["x", "LoadBalancer", "10.0.0.1", "<pending>", "80:30080/TCP", "90s", "<none>"],
    ),
    (
        "discovery.k8s.io",
        "EndpointSlice",
        {"addressType": "IPv4", "ports": [{"port": 80}], "endpoints": [{"addresses": [str(i)]} for i in range(5)]},
        ["x", "IPv4", "80", "0,1,2 + 2 more...", "90s"],
    ),
    (
        "",
        "PersistentVolumeClaim",
        {"status": {"phase": "Pending"}},
        ["x", "Pending", "", "", "", "", "<unset>", "90s", "<unset>"],
    ),
    (
        "",
        "PersistentVolumeClaim",
        {
            "spec": {"volumeName": "v", "storageClassName": "fast", "volumeMode": "Block"},
            "status": {
                "phase": "Bound",
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
            },
        },
        ["x", "Bound", "v", "1Gi", "RWO,RWX", "fast", "<unset>", "90s", "Block"],
    ),
    (
        "rbac.authorization.k8s.io",
        "RoleBinding",
        {
            "roleRef": {"kind": "Role", "name": "r"},
            "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "namespace": "n", "name": "s"}],
        },
        ["x", "Role/r", "90s", "u", "", "n/s"],
    ),
    ("rbac.authorization.k8s.io", "Role", {}, ["x", BORN]),
    ("", "ConfigMap", {"data": {"a": "1"}, "binaryData": {"b": "", "c": ""}}, ["x", 3, "90s"]),
    ("", "Secret", {"type": "Opaque"}, ["x", "Opaque", 0, "90s"]),
    (
        "",
        "Node",
        {
            "metadata": {"labels": {"node-role.kubernetes.io/b": "", "kubernetes.io/role": "a"}},
            "status": {"nodeInfo": {"kernelVersion": "6.1", "architecture": "arm64"}},
        },
        ["x", "Unknown", "a,b", "90s", "", "<none>", "<none>", "<unknown>", "6.1 (arm64)", "<unknown>"],
    ),
    (
        "",
        "ResourceQuota",
        {"status": {"hard": {"pods": "4", "limits.cpu": "2", "requests.cpu": "1"}, "used": {"pods": "1"}}},
        ["x", "pods: 1/4, requests.cpu: 0/1", "limits.cpu: 0/2", "90s"],
    ),
    ("policy", "PodDisruptionBudget", {"spec": {"minAvailable": "50%"}}, ["x", "50%", "N/A", 0, "90s"]),
    (
        "storage.k8s.io",
        "StorageClass",
        {"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "p"},
        ["x (default)", "p", "Delete", "Immediate", False, "90s"],
    ),
    (
        "certificates.k8s.io",
        "CertificateSigningRequest",
        {
            "spec": {"signerName": "s", "username": "u"},
            "status": {"conditions": [{"type": "Approved"}], "certificate": "…"},
        },
        ["x", "90s", "s", "u", "<none>", "Approved,Issued"],
    ),
    (
        "events.k8s.io",
        "Event",
        {
            "regarding": {"kind": "Pod", "name": "p"},
            "eventTime": BORN,
            "type": "Normal",
            "reason": "R",
            "note": " m ",
            "reportingController": "c",
        },
        ["90s", "Normal", "R", "pod/p", "", "c", "m", "90s", 1, "x"],
    ),
    (
        "apiregistration.k8s.io",
        "APIService",
        {
            "spec": {"service": {"namespace": "n", "name": "s"}},
            "status": {"conditions": [{"type": "Available", "status": "False", "reason": "Gone"}]},
        },
        ["x", "n/s", "False (Gone)", "90s"],
    ),
]


@pytest.mark.parametrize(("group", "kind", "body", "row"), CASES)
def test_a_row_reads_as_kubectl_shows_it(group: str, kind: str, body: dict[str, Any], row: list[Any]) -> None:
    assert cells(group, kind, body) == row


def test_an_autoscaler_shows_its_first_two_targets_and_counts_the_rest() -> None:
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": "d"},
        "maxReplicas": 5,
        "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}},
            {"type": "External", "external": {"target": {"averageValue": "10"}}},
            {"type": "Pods", "pods": {"target": {"averageValue": "3"}}},
        ],
    }
    current = [{"resource": {"current": {"averageUtilization": 20}}}]
    row = cells("autoscaling", "HorizontalPodAutoscaler", {"spec": spec, "status": {"currentMetrics": current}}, "v2")
    assert row == ["x", "Deployment/d", "cpu: 20%/80%, <unknown>/10 (avg) + 1 more...", "<unset>", 5, 0, "90s"]


@pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings (../shared/conformance) are not here")
def test_the_columns_are_those_of_a_real_server() -> None:
    wrong = []
    plurals = {found.plural for found in BUILTIN}
    for scenario in json.loads(RECORDINGS.read_text())["scenarios"]:
        for step, answer in zip(scenario["steps"], scenario["expect"], strict=True):
            definitions = ((answer or {}).get("body") or {}).get("columnDefinitions")
            if not definitions:
                continue
            parts = [part for part in step["p"].split("?")[0].split("/") if part in plurals]
            plural = parts[-1]
            kind = next(found.kind for found in BUILTIN if found.plural == plural)
            recorded = [(one["name"], one["type"], one["format"], one["priority"]) for one in definitions]
            if recorded != columns(kind):
                wrong.append((kind, recorded, columns(kind)))
    assert wrong == []


def test_every_printer_belongs_to_a_kind_that_is_served() -> None:
    served = {(found.group, found.kind) for found in BUILTIN} | {("autoscaling", "Scale")}
    assert set(PRINTERS) <= served


@pytest.mark.parametrize("resource", BUILTIN, ids=lambda found: f"{found.group}/{found.kind}")
def test_an_object_with_nothing_in_it_has_a_row_all_the_same(resource: Any) -> None:
    table = render(printer_of(resource), [{"metadata": {"name": "x"}}], now=NOW)
    assert len(table["rows"][0]["cells"]) == len(table["columnDefinitions"]) + len(printer_of(resource).beyond)
    assert table["rows"][0]["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"name": "x"},
    }


WIDGET = {
    "metadata": {"name": "w", "creationTimestamp": BORN},
    "spec": {
        "size": 3,
        "ratio": 1.5,
        "on": True,
        "tags": ["a", "b"],
        "made": "2026-03-01T10:00:00Z",
        "deep": {"k": 1},
        "none": None,
    },
    "status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Synced", "status": "True"}]},
}


@pytest.mark.parametrize(
    ("kind", "path", "shown"),
    [
        ("integer", ".spec.size", 3),
        ("integer", ".spec.ratio", 1),
        ("integer", ".spec.made", None),
        ("number", ".spec.ratio", 1.5),
        ("boolean", ".spec.on", True),
        ("boolean", ".spec.size", None),
        ("string", ".spec.size", "3"),
        ("string", ".spec.deep", '{"k":1}'),
        ("string", ".spec.tags", '["a","b"]'),
        ("string", ".spec.tags[*]", "a"),
        ("string", ".spec.none", "<no value>"),
        ("string", ".spec.missing", None),
        ("string", '.status.conditions[?(@.type=="Synced")].status', "True"),
        ("string", '.status.conditions[?(@.type=="Nope")].status', None),
        ("date", ".spec.made", "120m"),
        ("date", ".metadata.name", "<invalid>"),
    ],
)
def test_a_printer_column_shows_values_of_its_type(kind: str, path: str, shown: Any) -> None:
    printer = custom_printer([{"name": "C", "type": kind, "jsonPath": path}])
    assert render(printer, [WIDGET], now=NOW, include=Include.NONE)["rows"] == [{"cells": ["w", shown], "object": None}]


def test_a_custom_resource_without_columns_shows_its_age() -> None:
    table = render(custom_printer(None), [WIDGET], now=NOW, include=Include.OBJECT, metadata={"resourceVersion": "7"})
    assert [(one["name"], one["type"]) for one in table["columnDefinitions"]] == [("Name", "string"), ("Age", "date")]
    assert table["rows"] == [{"cells": ["w", "90s"], "object": WIDGET}]
    assert table["metadata"] == {"resourceVersion": "7"}


def test_later_events_of_a_watch_leave_the_columns_out() -> None:
    assert render(custom_printer(None), [WIDGET], now=NOW, headers=False)["columnDefinitions"] is None


def test_a_partial_list_keeps_only_metadata() -> None:
    found = partial_list([WIDGET], {"resourceVersion": "7"})
    assert [list(item) for item in found["items"]] == [["kind", "apiVersion", "metadata"]]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (600, "10m"),
        (10800, "3h"),
        (12000, "3h20m"),
        (30000, "8h"),
        (172800, "2d"),
        (176400, "2d1h"),
        (864000, "10d"),
        (63072000, "2y"),
        (66000000, "2y33d"),
        (300000000, "9y"),
    ],
)
def test_ages_are_worded_as_kubectl_does(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


@given(st.integers(0, 10**10))
def test_an_age_is_never_longer_than_seven_characters(seconds: int) -> None:
    assert len(human_duration(seconds)) <= 7


def test_a_selector_with_an_unknown_operator_is_an_error_text() -> None:
    assert selector_text({"matchExpressions": [{"key": "a", "operator": "Like"}]}) == "<error>"
