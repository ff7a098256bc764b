"""Validation of built-in kinds: each rule by an object that breaks it, judged as it would be stored."""

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificate_requests import der
from kilde.core.objects.defaults.apply import apply_defaults
from kilde.kubeapi.resources import go_asn1
from kilde.kubeapi.resources.causes import Cause, invalid_message, invalid_status
from kilde.kubeapi.resources.kinds import BUILTIN
from kilde.kubeapi.resources.validation import validate_create, validate_update
from kilde.kubeapi.resources.validation.names import dns_label, label_value, port_name, qualified_name
from kilde.kubeapi.resources.validation.schedules import schedule_problem

Patch = dict[str, Any]
REQUEST = der("anna", ("ops",), ("b.c",))


def obj(api_version: str, kind: str, **rest: Any) -> dict[str, Any]:
    metadata = {"name": "x", "namespace": "n", **rest.pop("metadata", {})}
    if kind in ("PersistentVolume", "StorageClass", "PriorityClass", "ClusterRole", "ClusterRoleBinding", "Namespace"):
        del metadata["namespace"]
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def merged(value: Any, patch: Any) -> Any:
    """The value with parts replaced; a key of digits is an index, "~" takes a key away."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if isinstance(value, list):
        out = list(value)
        for index, child in patch.items():
            out[int(index)] = merged(out[int(index)], child)
        return out
    found = dict(value) if isinstance(value, dict) else {}
    for key, child in patch.items():
        if child == "~":
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), child)
    return found


POD = {"containers": [{"name": "c", "image": "i"}]}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
SELECTED = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
BASE: dict[str, dict[str, Any]] = {
    "pod": obj("v1", "Pod", spec=POD),
    "deployment": obj("apps/v1", "Deployment", spec=SELECTED),
    "statefulset": obj("apps/v1", "StatefulSet", spec={**SELECTED, "serviceName": "s"}),
    "daemonset": obj("apps/v1", "DaemonSet", spec=SELECTED),
    "cronjob": obj(
        "batch/v1",
        "CronJob",
        spec={
            "schedule": "0 * * * *",
            "jobTemplate": {"spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}},
        },
    ),
    "service": obj("v1", "Service", spec={"ports": [{"port": 80}]}),
    "configmap": obj("v1", "ConfigMap", data={"k": "v"}),
    "secret": obj("v1", "Secret", data={"k": "dg=="}),
    "ingress": obj(
        "networking.k8s.io/v1",
        "Ingress",
        spec={
            "rules": [
                {
                    "host": "a.example.com",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "s", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ]
        },
    ),
    "networkpolicy": obj(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec={"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}]},
    ),
    "claim": obj(
        "v1",
        "PersistentVolumeClaim",
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    ),
    "volume": obj(
        "v1",
        "PersistentVolume",
        spec={"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "nfs": {"server": "s", "path": "/p"}},
    ),
    "autoscaler": obj(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        spec={"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}},
    ),
    "role": obj(
        "rbac.authorization.k8s.io/v1", "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    ),
    "binding": obj(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        roleRef={"kind": "Role", "name": "r"},
        subjects=[{"kind": "User", "name": "u"}],
    ),
    "priority": obj("scheduling.k8s.io/v1", "PriorityClass", value=5),
    "limits": obj("v1", "LimitRange", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}}]}),
}


def stored(name: str, patch: Patch | None = None) -> dict[str, Any]:
    return apply_defaults(merged(BASE[name], patch or {}))


def words(causes: list[Cause]) -> list[str]:
    return sorted({str(cause) for cause in causes})


@pytest.mark.parametrize("name", sorted(BASE))
def test_a_plain_object_is_right_and_may_stay_as_it_is(name: str) -> None:
    found = stored(name)
    assert validate_create(found) == []
    assert validate_update(copy.deepcopy(found), found) == []


C0 = "spec.containers[0]"
CASES: list[tuple[str, Patch, list[str]]] = [
    ("configmap", {"metadata": {"name": "~"}}, ["metadata.name: Required value: name or generateName is required"]),
    (
        "configmap",
        {"metadata": {"finalizers": ["x"]}},
        [
            'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified'
        ],
    ),
    (
        "configmap",
        {"metadata": {"annotations": {"k": "v" * 262144}}},
        ["metadata.annotations: Too long: may not be more than 262144 bytes"],
    ),
    ("configmap", {"data": {"..": "v"}}, ["data[..]: Invalid value: \"..\": must not be '..'"]),
    ("configmap", {"binaryData": {"k": ""}}, ['data[k]: Invalid value: "k": duplicate of key present in binaryData']),
    (
        "secret",
        {"type": "kubernetes.io/basic-auth"},
        ["data[password]: Required value", "data[username]: Required value"],
    ),
    ("secret", {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "e30="}}, []),
    ("pod", {"spec": {"containers": []}}, ["spec.containers: Required value"]),
    (
        "pod",
        {"spec": {"restartPolicy": "Sometimes"}},
        ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ),
    (
        "pod",
        {"spec": {"dnsPolicy": "None"}},
        ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    ),
    (
        "pod",
        {"spec": {"containers": {"0": {"image": " i"}}}},
        [f'{C0}.image: Invalid value: " i": must not have leading or trailing whitespace'],
    ),
    ("pod", {"spec": {"containers": {"0": {"env": [{"name": ""}]}}}}, [f"{C0}.env[0].name: Required value"]),
    (
        "pod",
        {"spec": {"containers": {"0": {"env": [{"name": "A", "valueFrom": {}}]}}}},
        [
            f'{C0}.env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`,'
            " `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ],
    ),
    (
        "pod",
        {
            "spec": {
                "containers": {
                    "0": {
                        "env": [{"name": "A", "value": "1", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
                    }
                }
            }
        },
        [f'{C0}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ),
    (
        "pod",
        {"spec": {"containers": {"0": {"envFrom": [{}]}}}},
        [f'{C0}.envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'],
    ),
    (
        "pod",
        {"spec": {"containers": {"0": {"livenessProbe": {}}}}},
        [f"{C0}.livenessProbe: Required value: must specify a handler type"],
    ),
    (
        "pod",
        {"spec": {"containers": {"0": {"lifecycle": {"preStop": {"exec": {}, "tcpSocket": {"port": 1}}}}}}},
        [
            f"{C0}.lifecycle.preStop.exec.command: Required value",
            f"{C0}.lifecycle.preStop.tcpSocket: Forbidden: may not specify more than 1 handler type",
        ],
    ),
    (
        "pod",
        {"spec": {"containers": {"0": {"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}}}}},
        [
            f'{C0}.securityContext: Invalid value: {{"Capabilities":null,"Privileged":true,"SELinuxOptions":null,'
            '"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,'
            '"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot'
            " set `allowPrivilegeEscalation` to false and `privileged` to true",
        ],
    ),
    (
        "pod",
        {"spec": {"volumes": [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}]}},
        ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
    ),
    ("pod", {"spec": {"volumes": [{"name": "v"}, {"name": "v"}]}}, ['spec.volumes[1].name: Duplicate value: "v"']),
    ("pod", {"spec": {"serviceAccountName": "A"}}, ["spec.serviceAccountName"]),
    (
        "pod",
        {"spec": {"hostAliases": [{"ip": "nope"}]}},
        [
            'spec.hostAliases[0].ip: Invalid value: "nope": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
        ],
    ),
    (
        "deployment",
        {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}}},
        ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ),
    (  # a text of a number is none of a percentage, and counts as the number
        "deployment",
        {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "5"}}}},
        ["spec.strategy.rollingUpdate.maxUnavailable"],
    ),
    (
        "deployment",
        {"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}}},
        ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ),
    (
        "deployment",
        {"spec": {"progressDeadlineSeconds": 5, "minReadySeconds": 5}},
        ["spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"],
    ),
    (
        "deployment",
        {"spec": {"strategy": {"type": "Blue"}}},
        [
            'spec.strategy: Unsupported value: {"Type":"Blue","RollingUpdate":null}: '
            'supported values: "Recreate", "RollingUpdate"'
        ],
    ),
    (
        "daemonset",
        {"spec": {"updateStrategy": {"type": "X"}}},
        [
            'spec.updateStrategy: Unsupported value: {"Type":"X","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"'
        ],
    ),
    ("statefulset", {"metadata": {"name": "a.b"}}, ["metadata.name"]),
    (
        "cronjob",
        {"metadata": {"name": "x" * 53}},
        [f'metadata.name: Invalid value: "{"x" * 53}": must be no more than 52 characters'],
    ),
    (
        "service",
        {"spec": {"ports": [{"port": 80}, {"port": 81}]}},
        ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ),
    (
        "service",
        {"spec": {"ports": {"0": {"nodePort": 30000}}}},
        ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ),
    (
        "service",
        {"spec": {"type": "NodePort", "clusterIP": "None", "clusterIPs": ["None"]}},
        ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"],
    ),
    (
        "service",
        {"spec": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}},
        ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ),
    (
        "ingress",
        {"spec": {"rules": {"0": {"host": "10.0.0.1"}}}},
        ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
    ),
    (
        "ingress",
        {"spec": {"rules": {"0": {"http": {"paths": {"0": {"path": "/a/../b"}}}}}}},
        ["spec.rules[0].http.paths[0].path: Invalid value: \"/a/../b\": must not contain '/../'"],
    ),
    (
        "ingress",
        {"spec": {"rules": {"0": {"http": {"paths": {"0": {"backend": {"service": {"port": {"name": "p"}}}}}}}}}},
        ['spec.rules[0].http.paths[0].backend: Invalid value: "": cannot set both port name & port number'],
    ),
    (
        "networkpolicy",
        {"spec": {"ingress": {"0": {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/8"]}}]}}}},
        ['spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/8": must be a strict subset of `cidr`'],
    ),
    (
        "networkpolicy",
        {"spec": {"ingress": {"0": {"from": [{}]}}}},
        ["spec.ingress[0].from[0]: Required value: must specify a peer"],
    ),
    (
        "networkpolicy",
        {"spec": {"ingress": {"0": {"ports": [{"port": 80, "endPort": 79}]}}}},
        ["spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`"],
    ),
    (
        "cronjob",
        {"spec": {"jobTemplate": {"spec": {"manualSelector": True}}}},
        ['spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"'],
    ),
    (
        "claim",
        {"spec": {"accessModes": ["ReadWriteOncePod", "ReadOnlyMany"]}},
        ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
    ),
    (
        "volume",
        {"spec": {"hostPath": {}}},
        [
            "spec.hostPath.path: Required value",
            "spec.nfs: Forbidden: may not specify more than 1 volume type",
        ],
    ),
    ("volume", {"spec": {"nfs": "~"}}, ["spec: Required value: must specify a volume type"]),
    (
        "autoscaler",
        {"spec": {"maxReplicas": 0}},
        [
            "spec.maxReplicas: Required value: must be set and greater than 0",
            "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
        ],
    ),
    (
        "role",
        {"rules": {"0": {"verbs": []}}},
        ["rules[0].verbs: Required value: verbs must contain at least one value"],
    ),
    (
        "role",
        {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]},
        ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
    ),
    (
        "binding",
        {"subjects": [{"kind": "Robot", "name": "r"}]},
        ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"'],
    ),
    (
        "priority",
        {"value": 1000000001},
        ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
    ),
    (
        "limits",
        {"spec": {"limits": {"0": {"min": {"cpu": "2"}}}}},
        [
            'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
            'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1',
            'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
        ],
    ),
    ("statefulset", {"spec": {"serviceName": "S"}}, ["spec.serviceName"]),
    (
        "pod",
        {"spec": {"containers": {"0": {"name": "a.b"}}}},
        ['spec.containers[0].name: Invalid value: "a.b": must not contain dots'],
    ),
    ("service", {"spec": {"externalIPs": ["127.0.0.1"]}}, ["spec.externalIPs[0]"]),
    ("service", {"spec": {"trafficDistribution": "Far"}}, ["spec.trafficDistribution"]),
    (
        "networkpolicy",
        {"spec": {"ingress": {"0": {"ports": [{"endPort": 80}]}}}},
        ["spec.ingress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is not specified"],
    ),
    (
        "autoscaler",
        {"spec": {"scaleTargetRef": {"apiVersion": "v1"}}},
        ['spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group'],
    ),
    (
        "cronjob",
        {"spec": {"jobTemplate": {"spec": {"selector": {}}}}},
        ["spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated"],
    ),
]


@pytest.mark.parametrize(("name", "patch", "wrong"), CASES)
def test_a_broken_rule_is_named(name: str, patch: Patch, wrong: list[str]) -> None:
    found = validate_create(stored(name, patch))
    if len(wrong) == 1 and ": " not in wrong[0]:
        assert {cause.field for cause in found} == {wrong[0]}
    else:
        assert words(found) == sorted(wrong)


IMMUTABLE: list[tuple[str, Patch, list[str]]] = [
    (
        "deployment",
        {"spec": {"selector": {"matchLabels": {"c": "d"}}, "template": {"metadata": {"labels": {"c": "d"}}}}},
        ['spec.selector: Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable'],
    ),
    ("deployment", {"spec": {"replicas": 7}}, []),
    ("statefulset", {"spec": {"replicas": 7}}, []),
    ("pod", {"spec": {"containers": {"0": {"image": "other"}}}}, []),
    ("pod", {"spec": {"tolerations": [{"operator": "Exists"}]}}, []),
    ("pod", {"spec": {"hostNetwork": True}}, ["spec"]),
    ("claim", {"spec": {"storageClassName": "fast"}}, []),
    ("claim", {"spec": {"accessModes": ["ReadOnlyMany"]}}, ["spec"]),
    ("volume", {"spec": {"nfs": {"path": "/other"}}}, ["spec.persistentvolumesource"]),
    (
        "claim",
        {"spec": {"volumeMode": "Block", "resources": {"requests": {"storage": "1Mi"}}}},
        [
            "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
            '\n@@ -6,12 +6,12 @@\n  "Resources": {\n   "Limits": null,\n'
            '   "Requests": {\n-   "storage": "1Gi"\n+   "storage": "1Mi"\n   }\n'
            '  },\n  "VolumeName": "",\n  "StorageClassName": null,\n- "VolumeMode": "Filesystem",\n+ "VolumeMode": "Block",\n'
            '  "DataSource": null,\n  "DataSourceRef": null,\n  "VolumeAttributesClassName": null\n',
            'volumeMode: Invalid value: "Block": field is immutable',
        ],
    ),
    (
        "binding",
        {"roleRef": {"name": "other"}},
        [
            'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"other"}: cannot change roleRef'
        ],
    ),
    ("priority", {"value": 6}, ["value: Forbidden: may not be changed in an update."]),
    ("configmap", {"metadata": {"uid": "u"}}, ['metadata.uid: Invalid value: "u": field is immutable']),
]


@pytest.mark.parametrize(("name", "patch", "wrong"), IMMUTABLE)
def test_what_is_for_ever_may_not_change(name: str, patch: Patch, wrong: list[str]) -> None:
    old = stored(name)
    found = validate_update(apply_defaults(merged(old, patch)), old)
    if len(wrong) == 1 and ": " not in wrong[0]:
        assert {cause.field for cause in found} == {wrong[0]}
    else:
        assert words(found) == sorted(wrong)


DEBUG = {"name": "d", "image": "i", "imagePullPolicy": "Always", "targetContainerName": "c"}


def _choosing(*expressions: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": key, "operator": "Exists"} for key in expressions]}]
    required = {"nodeSelectorTerms": terms if expressions else [{}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


_GATES: dict[str, Any] = {"schedulingGates": [{"name": "a"}, {"name": "b"}]}
_TERM = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        (_GATES, {"schedulingGates": [{"name": "b"}]}, []),
        (_GATES, {"schedulingGates": None}, []),
        (_GATES, {"schedulingGates": [{"name": "c"}]}, ["spec.schedulingGates[0].name"]),
        (_GATES, {"nodeSelector": {"disk": "ssd"}}, []),
        (_GATES | {"nodeSelector": {"disk": "ssd"}}, {"nodeSelector": {"disk": "hdd"}}, ["spec.nodeSelector"]),
        ({}, {"nodeSelector": {"disk": "ssd"}}, ["spec"]),
        (_GATES, _choosing("disk"), []),
        (_GATES | _choosing("disk"), _choosing("disk", "zone"), []),
        (_GATES | _choosing("disk"), _choosing("zone"), [f"{_TERM}[0]"]),
        (_GATES | _choosing("disk"), {"affinity": None}, [_TERM]),
        (_GATES | _choosing(), _choosing("disk"), [f"{_TERM}[0]"]),
        ({}, _choosing("disk"), ["spec"]),
        (
            _GATES,
            {
                "affinity": {
                    "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}
                }
            },
            ["spec"],
        ),
        ({"terminationGracePeriodSeconds": -1}, {"terminationGracePeriodSeconds": 1}, []),
        ({"terminationGracePeriodSeconds": 5}, {"terminationGracePeriodSeconds": 1}, ["spec"]),
    ],
)
def test_a_pod_that_is_held_back_may_still_choose_its_node(before: Patch, after: Patch, wrong: list[str]) -> None:
    old = stored("pod")
    old["spec"] |= before
    new = stored("pod")
    new["spec"] |= before | after
    assert [cause.field for cause in validate_update(new, old)] == wrong


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        ([], [DEBUG], []),
        ([DEBUG], [DEBUG, {**DEBUG, "name": "e"}], []),
        (
            [DEBUG],
            [{**DEBUG, "image": "j"}],
            [
                'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be changed\n@@ -1,6 +1,6 @@\n {\n'
                '  "Name": "d",\n- "Image": "i",\n+ "Image": "j",\n  "Command": null,\n  "Args": null,\n  "WorkingDir": "",\n'
            ],
        ),
        ([DEBUG], [], ['spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be removed\n']),
        ([], [{**DEBUG, "name": "c"}], ['spec.ephemeralContainers[0].name: Duplicate value: "c"']),
        (
            [],
            [{**DEBUG, "targetContainerName": "x"}],
            ['spec.ephemeralContainers[0].targetContainerName: Not found: "x"'],
        ),
    ],
)
def test_debug_containers_only_become_more(before: list[Patch], after: list[Patch], wrong: list[str]) -> None:
    old = stored("pod", {"spec": {"ephemeralContainers": before}})
    new = apply_defaults(merged(old, {"spec": {"ephemeralContainers": after}}))
    assert words(validate_update(new, old, "ephemeralcontainers")) == wrong
    assert bool(validate_update(new, old)) is (before != after)


@pytest.mark.parametrize(
    ("conditions", "status", "wrong"),
    [
        (["SuccessCriteriaMet", "Complete"], {"startTime": "t", "completionTime": "t"}, []),
        (["Complete"], {"startTime": "t", "completionTime": "t"}, ["status.conditions"]),
        (["FailureTarget", "Failed"], {"startTime": "t"}, []),
        (["FailureTarget", "Failed"], {}, ["status.startTime"]),
        (["FailureTarget", "Failed"], {"startTime": "t", "active": 1}, ["status.active"]),
        ([], {"completionTime": "t"}, ["status.completionTime"]),
        ([], {"succeeded": -1}, ["status.succeeded"]),
    ],
)
def test_a_job_ends_in_one_way(conditions: list[str], status: Patch, wrong: list[str]) -> None:
    old = obj("batch/v1", "Job", spec={})
    new = {**old, "status": {**status, "conditions": [{"type": kind, "status": "True"} for kind in conditions]}}
    assert sorted({cause.field for cause in validate_update(new, old, "status")}) == wrong


def test_an_immutable_secret_keeps_its_data_and_its_seal() -> None:
    old = stored("secret", {"immutable": True})
    new = {**old, "immutable": False, "data": {"k": "eA=="}}
    sealed = "Forbidden: field is immutable when `immutable` is set"
    assert words(validate_update(new, old)) == [f"data: {sealed}", f"immutable: {sealed}"]


def test_no_new_finalizers_join_an_object_that_is_being_deleted() -> None:
    old = stored("configmap", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a.b/c"]}})
    new = merged(old, {"metadata": {"finalizers": ["a.b/c", "d.e/f"]}})
    words_ = 'no new finalizers can be added if the object is being deleted, found new finalizers []string{"d.e/f"}'
    assert words(validate_update(new, old)) == [f"metadata.finalizers: Forbidden: {words_}"]


@pytest.mark.parametrize("resource", BUILTIN, ids=lambda one: f"{one.group}/{one.kind}")
def test_an_object_with_nothing_in_it_is_judged_without_stumbling(resource: Any) -> None:
    empty = {"apiVersion": resource.api_version, "kind": resource.kind}
    causes = validate_create(empty)
    # What an Event lies in is asked before its metadata.
    assert ("namespace" if resource.kind == "Event" and not resource.group else "metadata.name") in {
        cause.field for cause in causes
    }
    validate_update({**empty, "spec": {}}, empty)


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("*/5 * * * *", ""),
        ("0 3 1 jan mon-fri", ""),
        ("@daily", ""),
        ("@every 1h30m", ""),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
        ("@often", "unrecognized descriptor: @often"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
    ],
)
def test_a_schedule_is_read_as_cron_does(schedule: str, problem: str) -> None:
    assert schedule_problem(schedule) == problem


@given(st.text(alphabet="0123456789*/-,? @abcnoj", max_size=20))
def test_any_schedule_is_judged(schedule: str) -> None:
    assert isinstance(schedule_problem(schedule), str)


@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True))
def test_a_label_is_also_a_label_value_and_a_qualified_name(text: str) -> None:
    assert dns_label(text) == label_value(text) == qualified_name(text) == []


@pytest.mark.parametrize(
    ("name", "good"),
    [("http", True), ("a-1", True), ("-a", False), ("a--b", False), ("123", False), ("A", False), ("x" * 16, False)],
)
def test_a_port_name_is_an_iana_service_name(name: str, *, good: bool) -> None:
    assert (port_name(name) == []) is good


def test_several_causes_stand_in_brackets_each_once() -> None:
    causes = [Cause("a", "R", "x"), Cause("b", "R", "y"), Cause("a", "R", "x")]
    assert invalid_message("apps", "Deployment", "d", causes) == 'Deployment.apps "d" is invalid: [a: x, b: y]'
    status = invalid_status("", "Pod", "p", causes[:1])
    assert status["message"] == 'Pod "p" is invalid: a: x'
    assert status["details"] == {"name": "p", "kind": "Pod", "causes": [{"reason": "R", "message": "x", "field": "a"}]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "asn1: syntax error: sequence truncated"),
        (b"0", "asn1: syntax error: truncated tag or length"),
        (b"0\x80\0\0", "asn1: syntax error: indefinite length found (not DER)"),
        (REQUEST + b"x", "asn1: syntax error: trailing data"),
        (REQUEST[:-1], "asn1: syntax error: data truncated"),
        (
            b"\x02\x01\x00",
            "asn1: structure error: tags don't match (16 vs {class:0 tag:2 length:1 isCompound:false}) {optional:false explicit:false"
            " application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false}"
            " certificateRequest @2",
        ),
    ],
)
def test_what_is_no_certificate_request_is_told_as_go_does(data: bytes, words: str) -> None:
    with pytest.raises(go_asn1.Fault) as told:
        go_asn1.check_request(data)
    assert str(told.value) == words


@given(st.binary(max_size=60), st.integers(0, len(REQUEST)), st.integers(0, len(REQUEST)))
def test_any_bytes_are_a_certificate_request_or_have_a_fault(junk: bytes, begin: int, end: int) -> None:
    for data in (junk, b"0" + junk, REQUEST[:begin] + junk + REQUEST[end:]):
        with contextlib.suppress(go_asn1.Fault):
            assert go_asn1.check_request(data)[:1] == b"0"
