"""Pods and what makes them."""

from typing import Any

from differential.found.requests import (
    APPLIED,
    CONTROLLERS,
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    POD,
    PODS,
    REPLICA_SETS,
    SECRETS,
    STATEFUL_SETS,
    deployment,
)
from differential.steps import APPLY, MERGE, Step


def relabelled(policy: str) -> dict[str, Any]:
    """A Deployment whose pods' volumes get their labels of SELinux this way."""
    found = deployment()
    found["spec"]["template"]["spec"]["securityContext"] = {"seLinuxChangePolicy": policy}
    return found


WARNED = {"name": "c", "image": "nginx", "resources": {"limits": {"memory": "100m"}}}

DAEMONS = {
    "selector": {"matchLabels": {"app": "a"}},
    "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [WARNED]}},
}

CLAIM = {"metadata": {"name": "d"}, "spec": {"accessModes": [], "resources": {"requests": {}}}}

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

NO_STORAGE = {"resources": {"requests": {"storage": ""}}}

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
BARE, LABELLED = {"spec": POD}, {"metadata": {"labels": {"app": "a"}}, "spec": POD}
PATHS = (
    *(
        "METADATA.LABELS['a']",
        "metadata.name['a']",
        "['a']",
        "metadata.labels['a",
        "metadata.labels[']",
        "metadata.uid']",
    ),
    *("metadata.annotations['A B']", "metadata.labels['A B']", "metadata.labels['']", "metadata.labels", "spec.host"),
)


def variables(*paths: str, version: str = "v1") -> list[dict[str, Any]]:
    """One environment variable of each path."""
    sources = [{"fieldRef": {"apiVersion": version, "fieldPath": path}} for path in paths]
    return [{"name": f"V{number}", "valueFrom": source} for number, source in enumerate(sources)]


UNREADABLE = {
    "matchExpressions": [{"values": ["a"], "operator": "In", "key": "app"}, {"operator": "X", "key": ""}],
    "matchLabels": {"app": "a"},
}

SEQUENCES: dict[str, list[Step]] = {
    "a selector that cannot be read is quoted in the order of Go's fields": [
        about.post({**deployment(), "spec": {**deployment()["spec"], "selector": UNREADABLE}})
        for about in (DAEMON_SETS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS)
    ],
    "a selector that may not change is quoted in the order of Go's fields": [
        step
        for about, body in (
            (DAEMON_SETS, deployment()),
            (DEPLOYMENTS, deployment()),
            (REPLICA_SETS, deployment()),
            (JOBS, {"metadata": {"name": "x"}, "spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}}),
        )
        for step in (
            about.post(body),
            about.patch(MERGE, {"spec": {"selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}}),
        )
    ],
    "the bounds of a DaemonSet's update are judged after its numbers": [
        about.post(
            {**deployment(), "spec": {**deployment()["spec"], key: {"type": "RollingUpdate", "rollingUpdate": rolling}}}
        )
        for about, key in ((DAEMON_SETS, "updateStrategy"), (DEPLOYMENTS, "strategy"))
        for rolling in (
            {"maxUnavailable": "200%", "maxSurge": "5"},
            {"maxUnavailable": "200%", "maxSurge": "300%"},
            {"maxUnavailable": "x", "maxSurge": 0},
        )
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
    "a job of whose template nothing was labelled gets labels with its first write": [
        JOBS.post({"metadata": {"name": "x"}, "spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}}),
        Step("GET", f"{JOBS.all}?labelSelector=job-name%3Dx", about=JOBS.all),
        JOBS.patch(APPLY, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}}),
        JOBS.patch(APPLY, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}}),
    ],
    "a policy for labels of SELinux that is behind a gate is only for what had one": [
        *(DEPLOYMENTS.post(relabelled(policy)) for policy in ("MountOption", "X", "Recursive")),
        *(DEPLOYMENTS.put(relabelled(policy)) for policy in ("X", "MountOption")),
    ],
    "a ReplicationController is warned of what it had": [
        CONTROLLERS.post({"metadata": {"name": "x"}, "spec": {**DAEMONS, "selector": {"app": "a"}}}),
        CONTROLLERS.patch(MERGE, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "a"}]}}}}),
        CONTROLLERS.patch(MERGE, {"spec": {"template": DAEMONS["template"]}}),
    ],
    "an applied configuration is read before its name": [
        STATEFUL_SETS.patch(
            APPLY, {**APPLIED, "metadata": meta, "spec": {"volumeClaimTemplates": [{"spec": NO_STORAGE}]}}
        )
        for meta in ({}, {"name": "y"}, {"name": "x", "namespace": "other"})
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
    "faults of a ReplicationController in order": [
        CONTROLLERS.post(
            {"metadata": {"name": "x"}, "spec": {"replicas": -1, "minReadySeconds": -1, "template": BARE}}
        ),
        CONTROLLERS.post({"metadata": {"name": "x"}, "spec": {"selector": {"app": "a"}, "template": LABELLED}}),
        CONTROLLERS.put({"metadata": {"name": "x"}, "spec": {"replicas": -1, "selector": {}, "template": BARE}}),
    ],
    "a variable of a field that no pod has": [
        PODS.post({"metadata": {"name": "x"}, "spec": {"containers": [{**WARNED, "env": variables(*PATHS)}]}}),
        PODS.post(
            {"metadata": {"name": "x"}, "spec": {"containers": [{**WARNED, "env": variables("a", version="v2")}]}}
        ),
    ],
    "a pod without a name is not admitted": [
        PODS.post({"metadata": {}, "spec": {**POD, field: "nope"}})
        for field in ("priorityClassName", "runtimeClassName", "serviceAccountName")
    ],
}
