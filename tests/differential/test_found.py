"""Sequences that the fuzzer found to be answered otherwise, cut down: what was mended stays mended, on both servers."""

from typing import Any

import pytest

from differential.compare import Side as Compared
from differential.compare import different
from differential.known import known
from differential.peers import Peer, both, open_namespace
from differential.steps import APPLY, JSON_PATCH, MERGE, STRATEGIC, Step

pytestmark = [pytest.mark.live, pytest.mark.timeout(300), pytest.mark.usefixtures("real_programs")]

POD: dict[str, Any] = {"containers": [{"name": "c", "image": "nginx"}]}
PORTS = [{"containerPort": 80}, {"containerPort": 443, "name": "p", "protocol": "UDP"}]


def deployment(**container: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "c", "image": "nginx", **container}]},
    }
    return {
        "metadata": {"name": "x"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "a"}}, "template": template},
    }


def relabelled(policy: str) -> dict[str, Any]:
    """A Deployment whose pods' volumes get their labels of SELinux this way."""
    found = deployment()
    found["spec"]["template"]["spec"]["securityContext"] = {"seLinuxChangePolicy": policy}
    return found


class Of:
    """Requests about one object."""

    def __init__(self, group: str, plural: str) -> None:
        self.all = f"/{group}/namespaces/{{ns}}/{plural}"

    def post(self, body: Any) -> Step:
        return Step("POST", self.all, body, about=f"{self.all}/x")

    def put(self, body: Any, below: str = "") -> Step:
        return Step("PUT", f"{self.all}/x{below}", body, about=f"{self.all}/x")

    def patch(self, media: str, body: Any, below: str = "") -> Step:
        return Step("PATCH", f"{self.all}/x{below}?fieldManager=m", body, media, f"{self.all}/x")

    def delete(self, body: Any = None) -> Step:
        return Step("DELETE", f"{self.all}/x", body, about=f"{self.all}/x")


PODS, SERVICES, SECRETS = (Of("api/v1", plural) for plural in ("pods", "services", "secrets"))
ACCOUNTS, MAPS, CLAIMS = (
    Of("api/v1", plural) for plural in ("serviceaccounts", "configmaps", "persistentvolumeclaims")
)
CONTROLLERS = Of("api/v1", "replicationcontrollers")
REPLICA_SETS, SLICES = Of("apis/apps/v1", "replicasets"), Of("apis/discovery.k8s.io/v1", "endpointslices")
QUOTAS, NOBODY = Of("api/v1", "resourcequotas"), {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": ""}
JOBS = Of("apis/batch/v1", "jobs")
POLICIES = Of("apis/networking.k8s.io/v1", "networkpolicies")
DEPLOYMENTS, STATEFUL_SETS = (Of("apis/apps/v1", plural) for plural in ("deployments", "statefulsets"))
DAEMON_SETS = Of("apis/apps/v1", "daemonsets")
ROLES, CRON_JOBS = Of("apis/rbac.authorization.k8s.io/v1", "roles"), Of("apis/batch/v1", "cronjobs")
BUDGETS, WIDGETS = Of("apis/policy/v1", "poddisruptionbudgets"), Of("apis/fuzz.test/v1", "widgets")
GO_S_OWN = (
    "the resourceVersion of a quoted object",
    "the diff of Go's internal types in the message of an immutable spec",
)
NOTHING = {"metadata": {}}
WARNED = {"name": "c", "image": "nginx", "resources": {"limits": {"memory": "100m"}}}
DAEMONS = {
    "selector": {"matchLabels": {"app": "a"}},
    "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [WARNED]}},
}
NULL_BYTES = {"metadata": {"name": "x"}, "binaryData": {"bin": None}}
ONE_GIBIBYTE = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "x"}, "spec": {"replicas": 2}}
CLAIM = {"metadata": {"name": "d"}, "spec": {"accessModes": [], "resources": {"requests": {}}}}

DOCKER = {"metadata": {"name": "x"}, "type": "kubernetes.io/dockerconfigjson"}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}
POLICY = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"}}
EMPTY_PARTS: tuple[dict[str, Any], ...] = (
    {"podSelector": {"matchLabels": {}}},
    {"podSelector": {}},
    {"podSelector": {"matchExpressions": []}},
    {"egress": []},
    {"egress": [{}]},
    {"egress": [{}]},
    {"egress": [{"to": [], "ports": [{}]}]},
    {"egress": [{"to": [{"namespaceSelector": {}}]}]},
    {"egress": [{"to": [{"namespaceSelector": {}}]}]},
    {"egress": [{"to": [{"namespaceSelector": {"matchLabels": {}}}]}]},
    {"egress": None, "podSelector": {"matchLabels": None}},
)
APPLIED = {"apiVersion": "apps/v1", "kind": "StatefulSet", **deployment()}
WIDGET = {"apiVersion": "fuzz.test/v1", "kind": "Widget", "metadata": {"name": "x"}}
TOKENS = {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}
LINUX_ALONE: dict[str, Any] = {
    "hostUsers": True,
    "hostPID": True,
    "hostIPC": True,
    "shareProcessNamespace": False,
    "securityContext": {
        "appArmorProfile": {"type": "Unconfined"},
        "seLinuxOptions": {},
        "seccompProfile": {"type": "Unconfined"},
        "fsGroup": 0,
        "fsGroupChangePolicy": "Always",
        "sysctls": [{"name": "a", "value": "b"}],
        "runAsUser": 0,
        "runAsGroup": 0,
        "supplementalGroups": [0],
        "supplementalGroupsPolicy": "Merge",
        "seLinuxChangePolicy": "Recursive",
    },
}
NOTHING_OF_LINUX = {"hostPID": False, "hostIPC": False, "securityContext": {"sysctls": []}}
HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
HINTS = {"forZones": [{"name": "a b"}] * 2, "forNodes": [{"name": "N!"}] * 2}
BAD_ENDPOINTS: list[dict[str, Any]] = [
    {"addresses": ["x", "::1", "127.0.0.1"], "hostname": "H!", "nodeName": "N!", "hints": HINTS},
    {"addresses": ["10.0.0.1"] * 101, "hints": {"forNodes": [{"name": "n"}] * 9}},
]
BAD_PORTS = [{"name": "Bad!", "protocol": "X"}, {"name": "Bad!", "appProtocol": "a b"}]
NO_STORAGE = {"resources": {"requests": {"storage": ""}}}
BAD_SERVICES: tuple[dict[str, Any], ...] = (
    {
        "type": "ClusterIP",
        "ports": [{"port": 0}, {"port": 1}],
        "sessionAffinity": "X",
        "loadBalancerClass": "a/b",
        "loadBalancerSourceRanges": ["x"],
        "externalTrafficPolicy": "Local",
        "internalTrafficPolicy": "X",
    },
    {"type": "ExternalName", "ipFamilyPolicy": "SingleStack", "selector": {"a": "b c"}},
)
BAD_POD = {
    "containers": [],
    "restartPolicy": "X",
    "dnsPolicy": "X",
    "hostAliases": [{"ip": "x"}],
    "tolerations": [{"operator": "X"}],
    "securityContext": {"fsGroup": -1},
    "topologySpreadConstraints": [{"maxSkew": 0}],
}
BAD_DEPLOYMENT = {
    "minReadySeconds": -1,
    "revisionHistoryLimit": -1,
    "selector": {"matchLabels": {"app": "a"}},
    "template": {"metadata": {"labels": {"app": "a"}}, "spec": BAD_POD},
}
BAD_STATEFUL_SET = {
    "selector": {},
    "serviceName": "Bad!",
    "replicas": -1,
    "podManagementPolicy": "X",
    "volumeClaimTemplates": [CLAIM],
    "template": {"spec": POD},
}
BAD_CRON_JOB = {
    "schedule": "bad",
    "successfulJobsHistoryLimit": -1,
    "startingDeadlineSeconds": -1,
    "jobTemplate": {"spec": {"template": {"spec": {"containers": [], "restartPolicy": "Never"}}}},
}

SEQUENCES: dict[str, list[Step]] = {
    "a write after a scale puts the order of owned ports right, once": [
        DEPLOYMENTS.post(deployment(ports=PORTS)),
        DEPLOYMENTS.put(SCALE, "/scale"),
        DEPLOYMENTS.put(SCALE, "/scale"),
        DEPLOYMENTS.patch(MERGE, NOTHING),
        DEPLOYMENTS.patch(MERGE, NOTHING),
        DEPLOYMENTS.put(SCALE, "/scale"),
    ],
    "a scale leaves owners without such lists as they were": [
        DEPLOYMENTS.post(deployment()),
        DEPLOYMENTS.put(SCALE, "/scale"),
        DEPLOYMENTS.patch(MERGE, NOTHING),
    ],
    "metadata moved to where texts are expected": [
        BUDGETS.post(
            {
                "metadata": {"name": "x", "finalizers": ["example.com/a"]},
                "spec": {"selector": {"matchLabels": {"a": "b"}}},
            }
        ),
        BUDGETS.patch(JSON_PATCH, [{"op": "move", "from": "/metadata", "path": "/spec/selector/matchLabels"}]),
        BUDGETS.patch(JSON_PATCH, [{"op": "copy", "from": "/metadata", "path": "/metadata/labels"}]),
        BUDGETS.patch(
            MERGE, {"metadata": {"b": 1, "a": 1}, "spec": {"selector": {"matchLabels": {"d": 1, "c": True}}}}
        ),
        BUDGETS.patch(STRATEGIC, {"spec": {"selector": 1, "minAvailable": {}}}),
    ],
    "a scale that is no number": [
        DEPLOYMENTS.post(deployment()),
        DEPLOYMENTS.patch(MERGE, {"spec": {"replicas": "x"}}, "/scale"),
    ],
    "an update that lets the last finalizer go answers what was sent": [
        ROLES.post({"metadata": {"name": "x", "finalizers": ["example.com/a"]}}),
        ROLES.delete(),
        ROLES.put({"metadata": {"name": "x"}, "rules": []}),
    ],
    "int-or-string takes anything until it is decoded": [
        SERVICES.patch(APPLY, {**SERVICE, "spec": {"ports": [{"port": 1, "targetPort": port}]}})
        for port in ({}, {"a": 1}, [], [1], True)
    ],
    "two ports of one number": [
        SERVICES.post({"metadata": {"name": "x"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}),
        SERVICES.patch(MERGE, {"spec": {"ports": [{"port": 80, "nodePort": 30001}, {"port": 81, "nodePort": 30001}]}}),
    ],
    "a name becomes a headless Service": [
        SERVICES.post({"metadata": {"name": "x"}, "spec": {"type": "ExternalName", "externalName": "a.example.com"}}),
        SERVICES.patch(APPLY, {**SERVICE, "spec": {"type": "ClusterIP", "clusterIP": "None"}}),
    ],
    "items without their key": [
        ACCOUNTS.post({"metadata": {"name": "x"}, "secrets": [{}]}),
        ACCOUNTS.patch(STRATEGIC, {"secrets": [], "metadata": None}),
        WIDGETS.post({**WIDGET, "spec": {"mlist": [None, {}]}}),
        WIDGETS.post({**WIDGET, "spec": {"ports": [None, {}]}}),
    ],
    "unknown fields of a custom resource are told by path": [
        WIDGETS.post({**WIDGET, "spec": {"nested": {"y": {"a": 1}}, "bogus": 1}}),
    ],
    "of length and pattern the first that is broken is told": [
        WIDGETS.post({**WIDGET, "spec": {"name": name}}) for name in ("", "A", "A-longer-name", "A-b")
    ],
    "a DaemonSet is warned of where its template changes": [
        DAEMON_SETS.post({"metadata": {"name": "x"}, "spec": {**DAEMONS, "minReadySeconds": 1}}),
        DAEMON_SETS.patch(MERGE, {"spec": {"minReadySeconds": 2}}),
        DAEMON_SETS.patch(MERGE, {"spec": {"template": {"metadata": {"labels": {"b": "c"}}}}}),
        DAEMON_SETS.patch(MERGE, {"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}}),
    ],
    "a pod's tokens need an account": [
        PODS.post({"metadata": {"name": "x"}, "spec": POD}),
        PODS.put({"metadata": {"name": "x"}, "spec": {**POD, "volumes": [TOKENS]}}),
    ],
    "faults of a Service in order": [SERVICES.post({"metadata": {"name": "x"}, "spec": spec}) for spec in BAD_SERVICES],
    "faults of workloads in order": [
        DEPLOYMENTS.post(
            deployment(
                imagePullPolicy="X",
                volumeMounts=[{"name": "v", "mountPath": "/m"}],
                livenessProbe={},
                securityContext={"runAsUser": -1},
            )
        ),
        DEPLOYMENTS.post({"metadata": {"name": "x"}, "spec": BAD_DEPLOYMENT}),
        STATEFUL_SETS.post({"metadata": {"name": "x"}, "spec": BAD_STATEFUL_SET}),
        CRON_JOBS.post({"metadata": {"name": "x"}, "spec": BAD_CRON_JOB}),
        SECRETS.post({"metadata": {"name": "x"}}),
        SECRETS.put({"metadata": {"name": "x"}, "type": "kubernetes.io/tls"}),
    ],
    "a claim that asked for no class keeps asking for none": [
        CLAIMS.post({"metadata": {"name": "x"}, "spec": {**ONE_GIBIBYTE, "storageClassName": ""}}),
        CLAIMS.put({"metadata": {"name": "x"}, "spec": ONE_GIBIBYTE}),
        CLAIMS.put({"metadata": {"name": "x"}, "spec": {**ONE_GIBIBYTE, "storageClassName": "a"}}),
    ],
    "an empty protocol of applications is none": [
        SERVICES.post({"metadata": {"name": "x"}, "spec": {"ports": [{"port": 80, "appProtocol": ""}]}}),
    ],
    "null for bytes is another value than the empty one that was kept": [
        MAPS.post({**NULL_BYTES, "immutable": True}),
        MAPS.put({**NULL_BYTES, "immutable": True}),
        MAPS.put(NULL_BYTES),
        SECRETS.post({"metadata": {"name": "x"}, "data": {"a": None}, "immutable": True}),
        SECRETS.put({"metadata": {"name": "x"}, "data": {"a": None}, "immutable": True}),
        SECRETS.delete(),
        SECRETS.post({**DOCKER, "data": {".dockerconfigjson": "e30="}, "immutable": True}),
        SECRETS.put({**DOCKER, "data": {".dockerconfigjson": None}, "immutable": True}),
    ],
    "an object that is gone is told as it was stored last": [
        ACCOUNTS.post({"metadata": {"name": "x"}}),
        ACCOUNTS.delete({"propagationPolicy": "Foreground"}),
        ACCOUNTS.delete({"propagationPolicy": "Background"}),
        PODS.post({"metadata": {"name": "x"}, "spec": POD}),
        PODS.delete({"propagationPolicy": "Foreground"}),
        PODS.delete({"propagationPolicy": "Background"}),
    ],
    **{
        f"a scale of {of} that changes nothing takes its owner's entry apart, and the next one drops the part": [
            *steps,
            *(
                about.patch(MERGE, body, below)
                for body in ({}, NOTHING)
                for below in ("/scale", "/scale", "", "/scale")
            ),
            about.patch(MERGE, {"spec": {"replicas": 3}}, "/scale"),
            about.patch(MERGE, {"spec": {"replicas": 3}}, "/scale"),
            about.patch(MERGE, {"metadata": {"labels": {"a": "b"}}}),
            *(
                []
                if about is WIDGETS
                else [about.patch(APPLY, {**SCALE, "spec": {"replicas": n}}, "/scale") for n in (3, 4)]
            ),
            about.patch(MERGE, {}, "/scale"),
        ]
        for of, about, steps in (
            ("a ReplicaSet", REPLICA_SETS, [REPLICA_SETS.post(deployment(ports=PORTS))]),
            ("a Deployment", DEPLOYMENTS, [DEPLOYMENTS.post(deployment())]),
            ("a custom resource", WIDGETS, [WIDGETS.post({**WIDGET, "spec": {"replicas": 0}})]),
            ("what was applied", STATEFUL_SETS, [STATEFUL_SETS.patch(APPLY, APPLIED)]),
        )
    },
    "a scale that changes nothing before another write": [
        DEPLOYMENTS.post(deployment()),
        DEPLOYMENTS.patch(MERGE, {}, "/scale"),
        DEPLOYMENTS.patch(MERGE, {}),
        DEPLOYMENTS.patch(MERGE, {}, "/scale"),
    ],
    "empty lists and maps count as changes of a NetworkPolicy": [
        POLICIES.post({"metadata": {"name": "x"}, "spec": {"policyTypes": ["Egress"]}}),
        *(
            POLICIES.put({"metadata": {"name": "x"}, "spec": {"policyTypes": ["Egress"], **part}})
            for part in EMPTY_PARTS
        ),
        POLICIES.patch(MERGE, {"spec": {"podSelector": {"matchLabels": {}}}}),
        POLICIES.patch(MERGE, {"spec": {"ingress": [{}]}}),
        POLICIES.patch(STRATEGIC, {"spec": {"egress": []}}),
        POLICIES.patch(JSON_PATCH, [{"op": "add", "path": "/spec/podSelector/matchLabels", "value": {}}]),
        POLICIES.patch(APPLY, {**POLICY, "spec": {"egress": []}}),
        POLICIES.patch(APPLY, {**POLICY, "spec": {"egress": []}}),
        POLICIES.patch(APPLY, {**POLICY, "spec": {"podSelector": {"matchLabels": {}}}}),
        POLICIES.patch(MERGE, {}),
        POLICIES.put({"metadata": {"name": "x"}, "spec": {"policyTypes": []}}),
    ],
    "metadata of an EndpointSlice is judged twice": [
        SLICES.post({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": []}),
        SLICES.put({"metadata": {"name": "x", "finalizers": [None], "labels": {"a": "b c"}}, "addressType": "IPv4"}),
    ],
    "a job of whose template nothing was labelled gets labels with its first write": [
        JOBS.post({"metadata": {"name": "x"}, "spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}}),
        Step("GET", f"{JOBS.all}?labelSelector=job-name%3Dx", about=JOBS.all),
        JOBS.patch(APPLY, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}}),
        JOBS.patch(APPLY, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}}),
    ],
    "a claim is pending in storage only with its first write": [
        CLAIMS.post(
            {
                "metadata": {"name": "x", "labels": {"a": "b"}},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }
        ),
        CLAIMS.patch(MERGE, {}),
        CLAIMS.patch(MERGE, {}),
    ],
    "doubled scopes of a quota are the same scopes": [
        QUOTAS.post({"metadata": {"name": "x"}, "spec": {"scopes": ["Terminating"]}}),
        QUOTAS.put({"metadata": {"name": "x"}, "spec": {"scopes": ["Terminating", "Terminating"]}}),
        QUOTAS.put({"metadata": {"name": "x"}, "spec": {"scopes": ["Terminating", "NotTerminating"]}}),
    ],
    "a policy for labels of SELinux that is behind a gate is only for what had one": [
        *(DEPLOYMENTS.post(relabelled(policy)) for policy in ("MountOption", "X", "Recursive")),
        *(DEPLOYMENTS.put(relabelled(policy)) for policy in ("X", "MountOption")),
    ],
    "a watch is told what was stored last, and not what let an object go": [
        MAPS.post({"metadata": {"name": "x", "finalizers": ["example.com/a"]}}),
        MAPS.delete(),
        MAPS.put({"metadata": {"name": "x"}, "data": {"a": "b"}}),
        Step("WATCH", f"{MAPS.all}?watch=true&resourceVersion=<<begin>>", about=MAPS.all),
    ],
    "a ReplicationController is warned of what it had": [
        CONTROLLERS.post({"metadata": {"name": "x"}, "spec": {**DAEMONS, "selector": {"app": "a"}}}),
        CONTROLLERS.patch(MERGE, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "a"}]}}}}),
        CONTROLLERS.patch(MERGE, {"spec": {"template": DAEMONS["template"]}}),
    ],
    "collisions are counted from what was there": [
        DEPLOYMENTS.post(deployment()),
        *(DEPLOYMENTS.patch(MERGE, {"status": {"collisionCount": n}}, "/status") for n in (-1, 1, 0, None)),
    ],
    "networks of a node that are none": [
        Step(
            "POST", "/api/v1/nodes", {"metadata": {"name": "{ns}-x"}, "spec": {"podCIDRs": both}}, about="/api/v1/nodes"
        )
        for both in (["10.9.0.0/24", ""], ["10.9.0.1", "::/200"])
    ],
    "ports of a slice are judged before its endpoints, and those only where they change": [
        SLICES.post({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": BAD_ENDPOINTS, "ports": BAD_PORTS}),
        SLICES.post({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": BAD_ENDPOINTS[1:] * 1001}),
        SLICES.post({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]}),
        SLICES.put({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": BAD_ENDPOINTS, "ports": BAD_PORTS}),
    ],
    "an applied configuration is read before its name": [
        STATEFUL_SETS.patch(
            APPLY, {**APPLIED, "metadata": meta, "spec": {"volumeClaimTemplates": [{"spec": NO_STORAGE}]}}
        )
        for meta in ({}, {"name": "y"}, {"name": "x", "namespace": "other"})
    ],
    "metadata of hooks is judged as if it were new, and not as a change besides": [
        Step(
            "POST", HOOKS, {"metadata": {"name": "{ns}-x", "finalizers": ["example.com/a"]}}, about=f"{HOOKS}/{{ns}}-x"
        ),
        Step("DELETE", f"{HOOKS}/{{ns}}-x", about=f"{HOOKS}/{{ns}}-x"),
        Step(
            "PUT",
            f"{HOOKS}/{{ns}}-x",
            {"metadata": {"name": "{ns}-x", "labels": {"a": "b c"}, "finalizers": ["example.com/b"]}},
            about=f"{HOOKS}/{{ns}}-x",
        ),
    ],
    "what a pod for Windows cannot have": [
        PODS.post({"metadata": {"name": "x"}, "spec": {**POD, "os": {"name": "windows"}, **LINUX_ALONE}}),
        PODS.post({"metadata": {"name": "x"}, "spec": {**POD, "os": {"name": "windows"}, **NOTHING_OF_LINUX}}),
    ],
    "a RuntimeClass without a name, and a device where one of two mounts of a volume is": [
        PODS.post({"metadata": {"name": "x"}, "spec": {**POD, "runtimeClassName": ""}}),
        DEPLOYMENTS.post(
            deployment(
                volumeMounts=[{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}],
                volumeDevices=[{"name": "v", "devicePath": "/a"}, {"name": "w", "devicePath": "/b"}],
            )
        ),
    ],
    "new finalizers are told of before owners": [
        MAPS.post({"metadata": {"name": "x", "finalizers": ["example.com/a"]}}),
        MAPS.delete(),
        MAPS.patch(MERGE, {"metadata": {"finalizers": ["example.com/b"], "ownerReferences": [NOBODY]}}),
    ],
    "a Service of names keeps a policy that it does not show": [
        SERVICES.patch(
            APPLY,
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "x"},
                "spec": {"type": "ExternalName", "externalName": "a.b", "internalTrafficPolicy": "Local"},
            },
        ),
        SERVICES.put({"metadata": {"name": "x"}, "spec": {"type": "ExternalName", "externalName": "b.c"}}),
        SERVICES.patch(MERGE, {"spec": {"internalTrafficPolicy": "Cluster"}}),
        Step("GET", f"{SERVICES.all}/x", about=f"{SERVICES.all}/x"),
        Step(
            "PATCH",
            f"{SERVICES.all}/x?fieldManager=n",
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "x"},
                "spec": {"internalTrafficPolicy": "Local"},
            },
            APPLY,
            f"{SERVICES.all}/x",
        ),
    ],
}


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with both(tmp_path_factory.mktemp("found")) as found:
        yield found


@pytest.mark.parametrize("what", SEQUENCES)
def test_both_answer_alike(peers: tuple[Peer, Peer], what: str) -> None:
    name = f"n{list(SEQUENCES).index(what)}"
    sides = [Compared(peer, name) for peer in peers]
    for side in sides:
        open_namespace(side.peer, name)
    for step in SEQUENCES[what]:
        _, real = sides[0].send(step)
        _, ours = sides[1].send(step)
        assert real == ours or known(step, real, ours) in GO_S_OWN, different(real, ours)
