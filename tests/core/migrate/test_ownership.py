"""Fields change hands: managedFields as Argo CD leaves them, as they are Kilde's, and back again."""

import json
from typing import Any

import pytest

from kilde.core.basics.errors import InvalidInput
from kilde.core.migrate.ownership import applied_by, given_back, taken
from kilde.core.objects.typed.last_applied import ANNOTATION

MARK = "argocd.argoproj.io/tracking-id"
CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop", "annotations": {MARK: "shop:/Service:shop/web"}},
    "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}},
}
FIELDS: dict[str, Any] = {
    "f:metadata": {"f:annotations": {".": {}, f"f:{MARK}": {}, f"f:{ANNOTATION}": {}}},
    "f:spec": {
        "f:ports": {
            ".": {},
            'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {}},
        },
        "f:selector": {},
        "f:sessionAffinity": {},
        "f:type": {},
    },
}
OURS: dict[str, Any] = {
    "f:metadata": {"f:annotations": {".": {}, f"f:{MARK}": {}}},
    "f:spec": {"f:ports": {".": {}, 'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}, "f:selector": {}},
}
OTHER = {
    "manager": "cloud-controller",
    "operation": "Update",
    "apiVersion": "v1",
    "time": "2026-01-02T00:00:00Z",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:status": {"f:loadBalancer": {}}},
    "subresource": "status",
}


def entry(manager: str, operation: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    head = {"manager": manager, "operation": operation, "apiVersion": "v1", "time": "2026-01-01T00:00:00Z", **more}
    return {**head, "fieldsType": "FieldsV1", "fieldsV1": fields}


def live(*entries: dict[str, Any], said: bool = True) -> dict[str, Any]:
    annotations = {MARK: "shop:/Service:shop/web"}
    if said:
        annotations[ANNOTATION] = json.dumps(CONFIG)
    ports = [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    meta = {**CONFIG["metadata"], "annotations": annotations, "uid": "u", "managedFields": list(entries)}
    return {**CONFIG, "metadata": meta, "spec": {**CONFIG["spec"], "ports": ports, "type": "ClusterIP"}, "status": {}}


@pytest.mark.parametrize("manager", ["argocd-controller", "kubectl-client-side-apply", "argocd-application-controller"])
def test_what_was_applied_is_ours_and_what_was_defaulted_nobodys(manager: str) -> None:
    assert taken(live(entry(manager, "Update", FIELDS), OTHER), manager="kilde") == [
        entry("kilde", "Apply", OURS),
        OTHER,
    ]


def test_several_managers_become_one() -> None:
    one = entry("argocd-controller", "Update", {"f:spec": {"f:selector": {}}}, time="2026-01-03T00:00:00Z")
    two = entry("kubectl-client-side-apply", "Update", {"f:spec": {"f:ports": FIELDS["f:spec"]["f:ports"]}})
    three = entry("kilde", "Apply", {"f:metadata": {"f:labels": {"f:x": {}}}})
    [made] = taken(live(one, two, three), manager="kilde") or []
    assert made["fieldsV1"] == {
        "f:metadata": {"f:labels": {"f:x": {}}},
        "f:spec": OURS["f:spec"],
    }
    assert (made["manager"], made["operation"], made["time"]) == ("kilde", "Apply", "2026-01-03T00:00:00Z")


def test_a_server_side_apply_is_ours_whole() -> None:
    assert taken(live(entry("argocd-controller", "Apply", OURS), said=False), manager="kilde") == [
        entry("kilde", "Apply", OURS)
    ]


def test_another_version_keeps_its_owner() -> None:
    new = entry("argocd-controller", "Update", {"f:spec": {"f:selector": {}}}, time="2026-01-03T00:00:00Z")
    old = entry("argocd-controller", "Update", {"f:spec": {"f:type": {}}}, apiVersion="v1beta1")
    assert taken(live(new, old), manager="kilde") == [
        entry("kilde", "Apply", {"f:spec": {"f:selector": {}}}, time="2026-01-03T00:00:00Z"),
        old,
    ]


def test_there_and_back_again() -> None:
    here = live(entry("argocd-controller", "Update", FIELDS), OTHER)
    ours = {**here, "metadata": {**here["metadata"], "managedFields": taken(here, manager="kilde")}}
    assert taken(ours, manager="kilde") is None  # a second time changes nothing
    assert given_back(here, manager="kilde", server_side=False) is None
    back = given_back(ours, manager="kilde", server_side=False)
    assert back is not None
    managed, said = back
    assert managed == [entry("argocd-controller", "Update", OURS), OTHER]
    assert json.loads(said) == CONFIG
    assert said.endswith("\n")
    assert given_back(ours, manager="kilde", server_side=True) == (
        [entry("argocd-controller", "Apply", OURS), OTHER],
        "",
    )


def test_what_is_extracted() -> None:
    body = {
        "kind": "X",
        "metadata": {"name": "x"},
        "spec": {"set": ["a", "b"], "list": [1, 2], "map": {"a": 1, "b": {}}},
    }
    fields = {"f:spec": {"f:set": {'v:"b"': {}}, "f:list": {"i:1": {}}, "f:map": {".": {}, "f:b": {}}, "f:gone": {}}}
    assert applied_by(body, fields) == {
        "kind": "X",
        "metadata": {"name": "x"},
        "spec": {"set": ["b"], "list": [2], "map": {"b": {}}},
    }


@pytest.mark.parametrize("raw", [[{"operation": "?"}], "x", [1]])
def test_managed_fields_that_cannot_be_read_are_refused(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        taken({"metadata": {"managedFields": raw}}, manager="kilde")


def test_deep_managed_fields_are_refused() -> None:
    fields: dict[str, Any] = {}
    config: Any = 1
    for _ in range(150):
        fields, config = {"f:a": fields}, {"a": config}
    body = live(entry("argocd-controller", "Update", fields))
    body["metadata"]["annotations"][ANNOTATION] = json.dumps(config)
    with pytest.raises(InvalidInput, match="too deeply"):
        taken(body, manager="kilde")


def test_labels_that_become_nobodys_stay() -> None:
    label = "kustomize.toolkit.fluxcd.io/name"
    fields = {"f:metadata": {"f:labels": {f"f:{label}": {}}}, "f:data": {"f:k": {}}}
    entry = {
        "manager": "kustomize-controller",
        "operation": "Apply",
        "apiVersion": "v1",
        "time": "2020-01-01T00:00:00Z",
    }
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": fields}
    meta = {"name": "a", "labels": {label: "shop"}, "managedFields": [entry]}
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": "v"}}
    found = taken(live, manager="kilde", former=["kustomize-controller"], left=[("labels", label)])
    assert found is not None
    assert [(one["manager"], one["fieldsV1"]) for one in found] == [("kilde", {"f:data": {"f:k": {}}})]
