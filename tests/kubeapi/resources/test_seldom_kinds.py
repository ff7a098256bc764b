"""Validation of kinds that controllers and administrators write: each rule by an object that breaks it.

tests/differential compares the same rules with a real server; here they are held to where there is none.
"""

import base64
import copy
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kilde.kubeapi.resources.validation import validate_create, validate_update

FLOW, DEVICES, STORAGE = "flowcontrol.apiserver.k8s.io/v1", "resource.k8s.io/v1", "storage.k8s.io/v1"


def obj(api_version: str, kind: str, name: str = "x", namespace: str = "", **rest: Any) -> dict[str, Any]:
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **rest}


def words(causes: Any) -> list[str]:
    return sorted(str(cause) for cause in causes)


SCHEMA = {
    "priorityLevelConfiguration": {"name": "workload-low"},
    "matchingPrecedence": 500,
    "rules": [
        {
            "subjects": [{"kind": "User", "user": {"name": "u"}}],
            "resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["n"]}],
        }
    ],
}
RULE = SCHEMA["rules"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        (SCHEMA, []),
        (
            {**SCHEMA, "matchingPrecedence": 1},
            ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
        ),
        (
            {**SCHEMA, "priorityLevelConfiguration": {}},
            ["spec.priorityLevelConfiguration.name: Required value: must reference a priority level"],
        ),
        (
            {**SCHEMA, "rules": [{**RULE, "subjects": [{"kind": "User", "group": {"name": "g"}}]}]},
            [
                "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
                "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
            ],
        ),
        (
            {**SCHEMA, "rules": [{**RULE, "nonResourceRules": [{"verbs": ["*", "get"], "nonResourceURLs": ["a//b"]}]}]},
            [
                'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a//b": must start with slash',
                'spec.rules[0].nonResourceRules[0].verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other verbs',
            ],
        ),
    ],
)
def test_a_flow_schema(spec: Any, wrong: list[str]) -> None:
    assert words(validate_create(obj(FLOW, "FlowSchema", spec=spec))) == wrong


@pytest.mark.parametrize(
    ("queuing", "wrong"),
    [
        ({"queues": 64, "handSize": 6, "queueLengthLimit": 50}, []),
        (
            {"queues": 64, "handSize": 65, "queueLengthLimit": 0},
            [
                "spec.limited.limitResponse.queuing.handSize: Invalid value: 65: should not be greater than queues (64)",
                "spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: 0: must be positive",
            ],
        ),
        (
            {"queues": 1024, "handSize": 8, "queueLengthLimit": 1},
            [
                "spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 1024 and"
                " handSize 8 should not be greater than 60"
            ],
        ),
    ],
)
def test_a_priority_level(queuing: Any, wrong: list[str]) -> None:
    spec = {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": queuing}}}
    assert words(validate_create(obj(FLOW, "PriorityLevelConfiguration", spec=spec))) == wrong


def test_the_fixed_flow_schemas_and_levels_stay() -> None:
    wrong = words(validate_create(obj(FLOW, "FlowSchema", "catch-all", spec=SCHEMA)))
    assert wrong == ["spec: Invalid value: spec of 'catch-all' must equal the fixed value"]
    level = {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    wrong = words(validate_create(obj(FLOW, "PriorityLevelConfiguration", "exempt", spec=level)))
    assert wrong == [
        "spec.type: Invalid value: \"Limited\": must be 'Exempt' if and only if `name` is 'exempt'",
        "spec: Invalid value: spec of 'exempt' except the 'spec.exempt' field must equal the fixed value",
    ]


def signing_request(**more: Any) -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "u")])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    text = base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"request": text, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"], **more}
    return obj("certificates.k8s.io/v1", "CertificateSigningRequest", spec=spec)


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({}, []),
        (
            {"signerName": "one/two"},
            ['spec.signerName: Invalid value: "one": should be a domain with at least two segments'],
        ),
        ({"usages": ["client auth", "client auth"]}, ['spec.usages[1]: Duplicate value: "client auth"']),
        ({"usages": []}, ["spec.usages: Required value"]),
        (
            {"expirationSeconds": 599},
            ["spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600"],
        ),
        ({"request": "eA=="}, ['spec.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST']),
    ],
)
def test_a_signing_request(more: Any, wrong: list[str]) -> None:
    found = words(validate_create(signing_request(**more)))
    assert len(found) == len(wrong)
    assert all(told.startswith(begin) for told, begin in zip(found, wrong, strict=True))


def test_approval_is_told_by_its_own_endpoint_and_never_taken_back() -> None:
    old = signing_request()
    approved = {**old, "status": {"conditions": [{"type": "Approved", "status": "True"}]}}
    assert words(validate_update(approved, old, "approval")) == []
    assert words(validate_update(approved, old, "status")) == [
        'status.conditions: Forbidden: updates may not add a condition of type "Approved"'
    ]
    assert words(validate_update(old, approved, "approval")) == [
        'status.conditions: Forbidden: updates may not remove a condition of type "Approved"'
    ]
    both = copy.deepcopy(approved)
    both["status"]["conditions"].append({"type": "Denied", "status": "True"})
    assert words(validate_update(both, old, "approval")) == [
        'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'
    ]


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"taints": [{"key": "k", "effect": "NoSchedule"}]}, []),
        ({"taints": [{"key": "", "effect": ""}]}, ["metadata.taints[0].effect: Required value"]),
        (
            {"taints": [{"key": "k", "effect": "NoSchedule"}] * 2},
            [
                'metadata.taints[1]: Duplicate value: {"Key":"k","Value":"","Effect":"NoSchedule","TimeAdded":null}: taints must be'
            ],
        ),
        (
            {"podCIDRs": ["10.0.0.0/24", "10.0.1.0/24"]},
            ['spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR'],
        ),
    ],
)
def test_a_node(spec: Any, wrong: list[str]) -> None:
    found = words(validate_create(obj("v1", "Node", spec=spec)))
    for begin in wrong:
        assert any(told.startswith(begin) for told in found), found
    assert bool(found) == bool(wrong)


def test_claims_for_devices_name_requests_that_there_are() -> None:
    request = {"name": "r", "exactly": {"deviceClassName": "c", "allocationMode": "ExactCount", "count": 1}}
    devices = {"requests": [request], "constraints": [{"requests": ["r", "s"], "matchAttribute": "a.b/c"}]}
    wrong = words(validate_create(obj(DEVICES, "ResourceClaim", namespace="n", spec={"devices": devices})))
    assert wrong == [
        'spec.devices.constraints[0].requests[1]: Invalid value: "s": must be the name of a request in the claim or the name of a'
        " request and a subrequest separated by '/'"
    ]


def test_a_slice_says_in_one_way_where_its_devices_are() -> None:
    pool = {"name": "p", "generation": 1, "resourceSliceCount": 1}
    devices = [{"name": "d", "attributes": {"a": {"version": "1.0"}, "b": {"int": 1, "bool": True}}}]
    spec = {"driver": "a.b", "pool": pool, "allNodes": True, "nodeName": "n", "devices": devices}
    assert words(validate_create(obj(DEVICES, "ResourceSlice", spec=spec))) == [
        'spec.devices[0].attributes[a].version: Invalid value: "1.0": must be a string compatible with semver.org spec 2.0.0',
        'spec.devices[0].attributes[b]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified',
        'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`,'
        " `perDeviceNodeSelection` is required, but multiple fields are set",
    ]


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ({"nfs": {"server": "s", "path": "rel"}}, ['spec.nfs.path: Invalid value: "rel": must be an absolute path']),
        (
            {"nfs": {}},
            [
                'spec.nfs.path: Invalid value: "": must be an absolute path',
                "spec.nfs.path: Required value",
                "spec.nfs.server: Required value",
            ],
        ),
        ({"local": {"path": "/x"}}, ["spec.nodeAffinity: Required value: Local volume requires node affinity"]),
        (
            {"hostPath": {"path": "/x"}, "cephfs": {}},
            ["spec.cephFS: Forbidden: may not specify more than 1 volume type"],
        ),
        (
            {"iscsi": {"targetPortal": "p", "iqn": "bad"}},
            ['spec.iscsi.iqn: Invalid value: "bad": must be valid format'],
        ),
        ({"fc": {"targetWWNs": ["w"]}}, ["spec.fc.lun: Required value: lun is required if targetWWNs is specified"]),
        ({}, ["spec: Required value: must specify a volume type"]),
    ],
)
def test_where_a_volume_lies(source: Any, wrong: list[str]) -> None:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", **source}
    assert words(validate_create(obj("v1", "PersistentVolume", spec=spec))) == wrong


def test_both_ways_to_name_what_a_claim_begins_with_agree() -> None:
    one, other = ({"kind": "PersistentVolumeClaim", "name": name} for name in "ab")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = obj("v1", "PersistentVolumeClaim", namespace="n", spec={**spec, "dataSource": one, "dataSourceRef": other})
    assert words(validate_create(claim)) == ["spec: Invalid value: {}: must match dataSourceRef"]


def test_a_drivers_registration_on_a_node_stays_but_for_its_limits() -> None:
    driver = {"name": "a.b", "nodeID": "i", "topologyKeys": ["t"], "allocatable": {"count": 1}}
    old = obj(STORAGE, "CSINode", spec={"drivers": [driver]})
    more = obj(STORAGE, "CSINode", spec={"drivers": [{**driver, "allocatable": {"count": 2}}]})
    assert words(validate_update(more, old)) == []
    other = obj(STORAGE, "CSINode", spec={"drivers": [{**driver, "nodeID": "j"}]})
    assert [told.partition(": ")[0] for told in words(validate_update(other, old))] == ["spec.drivers"]


def test_addresses_and_ranges_are_canonical() -> None:
    parent = {"parentRef": {"resource": "services", "name": "s", "namespace": "n"}}
    group = "networking.k8s.io/v1"
    assert words(validate_create(obj(group, "IPAddress", "10.0.0.7", spec=parent))) == []
    assert words(validate_create(obj(group, "IPAddress", "FE80::1", spec=parent))) == [
        'metadata.name: Invalid value: "FE80::1": must be in canonical form ("fe80::1")'
    ]
    wrong = words(validate_create(obj(group, "ServiceCIDR", spec={"cidrs": ["10.1.0.0/16", "10.2.0.0/16"]})))
    assert wrong == [
        'spec.cidrs: Invalid value: ["10.1.0.0/16","10.2.0.0/16"]: may specify no more than one IP for each IP family,'
        " i.e 192.168.0.0/24 and 2001:db8::/64"
    ]


def test_a_quota_for_a_scope_says_how() -> None:
    one = {"scopeName": "PriorityClass", "operator": "In", "values": []}
    two = {"scopeName": "Terminating", "operator": "In", "values": ["x"]}
    selector = {"matchExpressions": [one, two]}
    quota = obj("v1", "ResourceQuota", namespace="n", spec={"hard": {"pods": "1"}, "scopeSelector": selector})
    at = "spec.scopeSelector.matchExpressions"
    found = words(validate_create(quota))
    assert [told.partition(":")[0] for told in found] == [f"{at}.operator", f"{at}.values"]


def test_of_a_budget_nothing_of_metadata_is_told_before_the_rest_is_right() -> None:
    spec = {"minAvailable": "200%"}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"namespace": "n"}, "spec": spec}
    assert [cause.field for cause in validate_create(budget)] == ["spec.minAvailable"]
    budget["spec"] = {"minAvailable": 1}
    assert [cause.field for cause in validate_create(budget)] == ["metadata.name"]
