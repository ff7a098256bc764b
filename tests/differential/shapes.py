"""Random objects of the kinds that people write in Git: mostly what a server takes, sometimes what it must refuse."""

import random
from collections.abc import Callable
from typing import Any

Object = dict[str, Any]
LABELS = ("app", "tier", "example.com/team")


class Dice(random.Random):
    """Chance with words for what shapes need."""

    def maybe(self, likely: float = 0.5) -> bool:
        return self.random() < likely

    def one(self, *options: Any) -> Any:
        return self.choice(options)

    def odd(self, good: Any, *bad: Any, likely: float = 0.06) -> Any:
        """Mostly the good value."""
        return self.choice(bad) if self.maybe(likely) else good

    def some(self, **fields: Any) -> Object:
        """A part of these fields; callables are asked."""
        return {name: value() if callable(value) else value for name, value in fields.items() if self.maybe()}

    def few(self, most: int, make: Callable[[int], Any]) -> list[Any]:
        return [make(number) for number in range(self.randint(0, most))]


def labels(dice: Dice) -> Object:
    return {
        name: dice.odd(dice.one("a", "b", "web"), "not valid!", "x" * 64, 7, None, likely=0.03)
        for name in LABELS
        if dice.maybe(0.4)
    }


def meta(dice: Dice, name: str) -> Object:
    found: Object = {"name": name}
    if dice.maybe(0.4):
        found["labels"] = labels(dice)
    if dice.maybe(0.3):
        found["annotations"] = {"note": dice.odd(dice.one("one", "two"), 5, "", likely=0.1), **dice.some(other="x")}
    if dice.maybe(0.1):
        found["finalizers"] = [dice.odd(dice.one("example.com/a", "example.com/b"), "bad", likely=0.2)]
    if dice.maybe(0.05):
        owner = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "o",
            "uid": dice.odd("11111111-1111-1111-1111-111111111111", ""),
        }
        found["ownerReferences"] = [owner | dice.some(controller=True, blockOwnerDeletion=True)]
    return found


def quantity(dice: Dice) -> Any:
    return dice.odd(dice.one("100m", "0.1", "1", 1, "64Mi", "1Gi", "1024", "1e3"), "abc", "-1", "", None)


def resources(dice: Dice) -> Object:
    return dice.some(
        requests={name: quantity(dice) for name in ("cpu", "memory") if dice.maybe()},
        limits={name: quantity(dice) for name in ("cpu", "memory", "ephemeral-storage") if dice.maybe(0.4)},
    )


def port_number(dice: Dice) -> Any:
    return dice.odd(dice.one(80, 443, 8080), 0, 70000, -1, "http", likely=0.05)


def probe(dice: Dice) -> Object:
    how = dice.one(
        {"httpGet": {"port": dice.one(80, "http"), **dice.some(path="/x", scheme=dice.odd("HTTP", "FTP"))}},
        {"tcpSocket": {"port": port_number(dice)}},
        {"exec": {"command": ["true"]}},
        {"grpc": {"port": 90}},
        {},
    )
    return {
        **how,
        **dice.some(
            periodSeconds=dice.odd(5, -1), timeoutSeconds=3, successThreshold=dice.odd(1, 2), failureThreshold=4
        ),
    }


def env(dice: Dice, number: int) -> Object:
    name = dice.odd(dice.one("A", "B", f"C{number}"), "bad name", "", likely=0.04)
    source = dice.one(
        {"configMapKeyRef": {"name": "c", "key": "k", **dice.some(optional=True)}},
        {"secretKeyRef": {"name": "s", "key": "k"}},
        {"fieldRef": {"fieldPath": dice.odd("metadata.name", "metadata.nope")}},
        {"resourceFieldRef": {"resource": "limits.cpu"}},
    )
    return (
        {"name": name, "valueFrom": source} if dice.maybe(0.3) else {"name": name, "value": dice.odd("v", 3, None, "")}
    )


def container(dice: Dice, number: int) -> Object:
    found: Object = {"name": dice.odd(f"c{number}", "Bad_Name", "", "c0", likely=0.04)}
    found["image"] = dice.odd(dice.one("nginx", "nginx:1.25", "example.com/a/b:latest"), "", " x", likely=0.04)
    ports = dice.few(
        2,
        lambda n: {
            "containerPort": port_number(dice),
            **dice.some(name=f"p{n}", protocol=dice.odd(dice.one("TCP", "UDP"), "X")),
        },
    )
    return found | dice.some(
        ports=ports,
        env=dice.few(3, lambda n: env(dice, n)),
        resources=lambda: resources(dice),
        command=["sh"],
        args=["-c", "x"],
        imagePullPolicy=dice.odd(dice.one("Always", "IfNotPresent"), "Sometimes"),
        readinessProbe=lambda: probe(dice),
        livenessProbe=lambda: probe(dice),
        volumeMounts=dice.few(
            2,
            lambda n: {
                "name": dice.odd(f"v{n}", "nope"),
                "mountPath": f"/m{n}",
                **dice.some(readOnly=True, subPath="a"),
            },
        ),
        securityContext=lambda: dice.some(
            runAsUser=dice.odd(1000, -1), runAsNonRoot=True, privileged=False, capabilities={"drop": ["ALL"]}
        ),
        terminationMessagePolicy=dice.odd("File", "X"),
        lifecycle={"preStop": dice.odd({"exec": {"command": ["a"]}}, {})},
    )


def volume(dice: Dice, number: int) -> Object:
    source = dice.one(
        {},
        {"emptyDir": dice.some(medium="Memory", sizeLimit=quantity(dice))},
        {
            "configMap": {
                "name": "c",
                **dice.some(defaultMode=dice.odd(420, 9999), items=[{"key": "k", "path": dice.odd("p", "../p")}]),
            }
        },
        {"secret": {"secretName": "s", **dice.some(optional=True)}},
        {"hostPath": {"path": "/x", **dice.some(type=dice.odd("Directory", "Nope"))}},
        {"persistentVolumeClaim": {"claimName": "d"}},
        {"projected": {"sources": [{"configMap": {"name": "c"}}, {"serviceAccountToken": {"path": "t"}}]}},
        {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    )
    return {"name": dice.odd(f"v{number}", "v0", "V", likely=0.04), **source}


def affinity(dice: Dice) -> Object:
    term = {
        "matchExpressions": [
            {"key": "k", "operator": dice.odd(dice.one("In", "NotIn"), "Exists", "Nope"), "values": ["a"]}
        ]
    }
    pods = {"topologyKey": dice.odd("kubernetes.io/hostname", ""), "labelSelector": {"matchLabels": {"app": "a"}}}
    return dice.some(
        nodeAffinity={"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}},
        podAntiAffinity={
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": dice.odd(10, 0, 101), "podAffinityTerm": pods}
            ]
        },
    )


def pod_spec(dice: Dice, restart: str = "Always") -> Object:
    found: Object = {
        "containers": [container(dice, number) for number in range(dice.odd(dice.randint(1, 2), 0, likely=0.03))]
    }
    if restart != "Always" or dice.maybe(0.2):
        found["restartPolicy"] = dice.odd(restart, "Sometimes", "OnFailure", likely=0.1)
    toleration = {
        "key": "k",
        "operator": dice.odd("Exists", "Nope"),
        **dice.some(effect=dice.odd("NoSchedule", "X"), value="v"),
    }
    return found | {
        name: value() if callable(value) else value
        for name, value in {
            "volumes": lambda: dice.few(3, lambda n: volume(dice, n)),
            "initContainers": lambda: dice.few(1, lambda n: {**container(dice, n), "name": f"i{n}"}),
            "nodeSelector": {"k": "v"},
            "serviceAccountName": "default",
            "terminationGracePeriodSeconds": dice.odd(5, -1),
            "hostNetwork": True,
            "dnsPolicy": dice.odd("ClusterFirst", "X"),
            "tolerations": [toleration],
            "affinity": lambda: affinity(dice),
            "securityContext": lambda: dice.some(
                fsGroup=dice.odd(5, -5), runAsUser=3, sysctls=[{"name": "a.b", "value": "1"}]
            ),
            "imagePullSecrets": [{"name": dice.odd("s", "")}],
            "hostAliases": [{"ip": dice.odd("10.1.1.1", "x"), "hostnames": ["a"]}],
            "topologySpreadConstraints": [
                {
                    "maxSkew": dice.odd(1, 0),
                    "topologyKey": "z",
                    "whenUnsatisfiable": dice.odd("DoNotSchedule", "X"),
                    **dice.some(labelSelector={"matchLabels": {"app": "a"}}),
                }
            ],
            "priorityClassName": dice.odd("system-node-critical", "nope"),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
        }.items()
        if dice.maybe(0.18)
    }


def selector(dice: Dice) -> Object:
    return dice.odd(
        {"matchLabels": {"app": "a"}},
        {},
        {"matchLabels": {"app": "b"}},
        {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
    )


def template(dice: Dice, restart: str = "Always") -> Object:
    return {
        "metadata": {"labels": {"app": "a", **dice.some(tier="b")}, **dice.some(annotations={"x": "y"})},
        "spec": pod_spec(dice, restart),
    }


def percent(dice: Dice) -> Any:
    return dice.odd(dice.one(1, 0, "25%", "100%"), "abc", -1, "200%", "5", likely=0.1)


def deployment(dice: Dice) -> Object:
    rolling = {
        "type": "RollingUpdate",
        **dice.some(rollingUpdate=dice.some(maxSurge=percent(dice), maxUnavailable=percent(dice))),
    }
    strategy = dice.one(rolling, {"type": "Recreate"}, {"type": dice.odd("Recreate", "X"), "rollingUpdate": None}, {})
    return {
        "spec": {"selector": selector(dice), "template": template(dice)}
        | dice.some(
            replicas=dice.odd(dice.one(0, 1, 3), -1, "2", None),
            strategy=strategy,
            minReadySeconds=dice.odd(1, -1),
            revisionHistoryLimit=dice.odd(2, -1),
            progressDeadlineSeconds=dice.odd(60, 1),
            paused=True,
        )
    }


def stateful_set(dice: Dice) -> Object:
    claim = {"metadata": {"name": "data"}, "spec": claim_spec(dice)}
    strategy = dice.one(
        {"type": "OnDelete"},
        {"type": "RollingUpdate", "rollingUpdate": dice.some(partition=dice.odd(1, -1))},
        {"type": "X"},
    )
    return {
        "spec": {"selector": selector(dice), "template": template(dice), "serviceName": dice.odd("s", "", "Bad!")}
        | dice.some(
            replicas=dice.odd(1, -1),
            updateStrategy=strategy,
            podManagementPolicy=dice.odd("Parallel", "X"),
            volumeClaimTemplates=[claim],
            persistentVolumeClaimRetentionPolicy=dice.some(whenDeleted=dice.odd("Delete", "X"), whenScaled="Retain"),
            minReadySeconds=1,
        )
    }


def daemon_set(dice: Dice) -> Object:
    strategy = dice.one(
        {"type": "OnDelete"},
        {"type": "RollingUpdate", "rollingUpdate": dice.some(maxUnavailable=percent(dice), maxSurge=percent(dice))},
    )
    return {
        "spec": {"selector": selector(dice), "template": template(dice)}
        | dice.some(updateStrategy=strategy, minReadySeconds=2)
    }


def replica_set(dice: Dice) -> Object:
    return {
        "spec": {"selector": selector(dice), "template": template(dice)}
        | dice.some(replicas=dice.odd(2, -1), minReadySeconds=3)
    }


def job_spec(dice: Dice) -> Object:
    rule = {
        "action": dice.odd(dice.one("Ignore", "FailJob"), "X"),
        "onExitCodes": {"operator": dice.odd("In", "X"), "values": dice.one([1], [], [2, 1])},
    }
    return {"template": template(dice, "Never")} | dice.some(
        parallelism=dice.odd(1, -1),
        completions=dice.odd(2, -1),
        backoffLimit=dice.odd(1, -1),
        completionMode=dice.odd("Indexed", "NonIndexed", "X"),
        activeDeadlineSeconds=dice.odd(5, -1),
        ttlSecondsAfterFinished=dice.odd(9, -9),
        suspend=True,
        podFailurePolicy={"rules": [rule]},
        manualSelector=dice.odd(False, True),
    )


def job(dice: Dice) -> Object:
    return {"spec": job_spec(dice)}


def cron_job(dice: Dice) -> Object:
    return {
        "spec": {
            "schedule": dice.odd("*/5 * * * *", "bad", "@daily", "TZ=UTC * * * * *", "61 * * * *", likely=0.3),
            "jobTemplate": {"spec": job_spec(dice)},
        }
        | dice.some(
            concurrencyPolicy=dice.odd("Forbid", "X"),
            suspend=True,
            timeZone=dice.odd("Europe/Oslo", "Nope/Nope", ""),
            startingDeadlineSeconds=dice.odd(5, -1),
            successfulJobsHistoryLimit=dice.odd(1, -1),
            failedJobsHistoryLimit=2,
        )
    }


def config_map(dice: Dice) -> Object:
    return dice.some(
        data={
            dice.odd(key, "bad key", "..", likely=0.04): dice.odd(dice.one("1", "2", ""), 5, None, likely=0.04)
            for key in ("a", "b", "c")
            if dice.maybe()
        },
        binaryData={dice.odd("bin", "a"): dice.odd("AAEC", "***", "")},
        immutable=dice.odd(False, True),
    )


def secret(dice: Dice) -> Object:
    return dice.some(
        data={key: dice.odd("YQ==", "%%", "", likely=0.05) for key in ("a", "tls.crt", "tls.key") if dice.maybe()},
        stringData={"s": dice.one("x", "y")},
        type=dice.one(
            "Opaque", "kubernetes.io/tls", "kubernetes.io/basic-auth", "kubernetes.io/dockerconfigjson", "example.com/x"
        ),
        immutable=dice.odd(False, True),
    )


def service(dice: Dice) -> Object:
    def port(number: int) -> Object:
        return {"port": port_number(dice)} | dice.some(
            name=dice.odd(f"p{number}", "P!"),
            targetPort=dice.odd(dice.one(80, "http"), "Bad!", 0),
            protocol=dice.odd(dice.one("TCP", "UDP"), "X"),
            appProtocol="http",
        )

    return {
        "spec": {"ports": [port(number) for number in range(dice.odd(dice.randint(1, 3), 0))]}
        | dice.some(
            selector={"app": "a"},
            type=dice.odd(dice.one("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"), "X"),
            sessionAffinity=dice.odd("ClientIP", "X"),
            clusterIP=dice.odd("None", "", "1.2.3"),
            externalName=dice.odd("a.example.com", "Bad!"),
            publishNotReadyAddresses=True,
            externalTrafficPolicy=dice.odd("Local", "X"),
            internalTrafficPolicy=dice.odd("Local", "X"),
            ipFamilyPolicy=dice.odd("SingleStack", "PreferDualStack", "X"),
            externalIPs=[dice.odd("1.2.3.4", "x", "127.0.0.1")],
            loadBalancerSourceRanges=[dice.odd("10.0.0.0/8", "x")],
            loadBalancerClass=dice.odd("example.com/a", "bad!x/"),
        )
    }


def ingress(dice: Dice) -> Object:
    def backend() -> Object:
        return dice.odd(
            {
                "service": {
                    "name": "s",
                    "port": dice.odd(
                        {"number": 80}, {"name": "http"}, {}, {"number": 0}, {"number": 1, "name": "x"}, likely=0.3
                    ),
                }
            },
            {},
            {"resource": {"kind": "A", "name": "b"}},
        )

    def path(number: int) -> Object:
        return {
            "path": dice.odd(f"/p{number}", "p", "//x", "/..", likely=0.1),
            "pathType": dice.odd(dice.one("Prefix", "Exact"), "X", None),
            "backend": backend(),
        }

    def rule(number: int) -> Object:
        return dice.some(host=dice.odd("a.example.com", "*.example.com", "Bad!", "1.2.3.4", likely=0.3)) | dice.odd(
            {"http": {"paths": [path(n) for n in range(dice.randint(1, 2))]}}, {}, {"http": {"paths": []}}
        )

    return {
        "spec": dice.some(
            ingressClassName=dice.odd("nginx", "Bad!"),
            defaultBackend=backend,
            rules=dice.few(2, rule),
            tls=[dice.some(hosts=[dice.odd("a.example.com", "Bad!")], secretName="s")],
        )
    }


def network_policy(dice: Dice) -> Object:
    def peer() -> Object:
        return dice.one(
            {"podSelector": {"matchLabels": {"app": "a"}}},
            {"namespaceSelector": {}},
            {
                "ipBlock": {
                    "cidr": dice.odd("10.0.0.0/8", "x"),
                    **dice.some(**{"except": [dice.odd("10.1.0.0/16", "11.0.0.0/8")]}),
                }
            },
            {},
        )

    def port() -> Object:
        return dice.some(
            protocol=dice.odd("TCP", "X"), port=dice.odd(dice.one(80, "http"), 0, "Bad!"), endPort=dice.odd(90, 1)
        )

    return {
        "spec": {"podSelector": dice.odd({"matchLabels": {"app": "a"}}, {})}
        | dice.some(
            ingress=dice.few(2, lambda n: dice.some(**{"from": [peer()], "ports": [port()]})),
            egress=dice.few(1, lambda n: dice.some(to=[peer()], ports=[port()])),
            policyTypes=[dice.odd(dice.one("Ingress", "Egress"), "X")],
        )
    }


def service_account(dice: Dice) -> Object:
    return dice.some(imagePullSecrets=[{"name": "s"}], secrets=[{"name": "t"}], automountServiceAccountToken=False)


def role(dice: Dice) -> Object:
    def rule(number: int) -> Object:
        return dice.odd(
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": []},
            {"verbs": ["get"]},
            {"nonResourceURLs": ["/x"], "verbs": ["get"]},
            likely=0.3,
        ) | dice.some(resourceNames=["x"])

    return {"rules": dice.few(3, rule)} if dice.maybe(0.9) else {}


def role_binding(dice: Dice) -> Object:
    def subject(number: int) -> Object:
        return dice.one(
            {"kind": "User", "name": "u"},
            {"kind": "ServiceAccount", "name": "default", **dice.some(namespace="default")},
            {"kind": "Group", "name": dice.odd("g", ""), "apiGroup": "rbac.authorization.k8s.io"},
            {"kind": "X", "name": "x"},
        )

    reference = {
        "kind": dice.odd("ClusterRole", "Role", "X"),
        "name": dice.odd("view", "edit", ""),
        **dice.some(apiGroup=dice.odd("rbac.authorization.k8s.io", "x")),
    }
    return {"roleRef": reference} | dice.some(subjects=dice.few(2, subject))


def claim_spec(dice: Dice) -> Object:
    return {
        "accessModes": [dice.odd("ReadWriteOnce", "X", "ReadWriteMany")],
        "resources": {"requests": {"storage": dice.odd("1Gi", "0", "x", "-1")}},
    } | dice.some(
        storageClassName=dice.odd("fast", "", "Bad!"),
        volumeMode=dice.odd("Block", "X"),
        selector={"matchLabels": {"a": "b"}},
        volumeName="v",
        dataSource={"kind": "PersistentVolumeClaim", "name": "x"},
    )


def claim(dice: Dice) -> Object:
    return {"spec": claim_spec(dice)}


def disruption_budget(dice: Dice) -> Object:
    return {
        "spec": dice.some(
            minAvailable=percent(dice),
            maxUnavailable=percent(dice),
            selector=selector(dice),
            unhealthyPodEvictionPolicy=dice.odd("AlwaysAllow", "X"),
        )
    }


def autoscaler(dice: Dice) -> Object:
    def metric(number: int) -> Object:
        return dice.one(
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": dice.odd(
                        {"type": "Utilization", "averageUtilization": 50}, {"type": "Utilization"}, {"type": "X"}
                    ),
                },
            },
            {
                "type": "Pods",
                "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "1"}},
            },
            {
                "type": "External",
                "external": {
                    "metric": {"name": dice.odd("m", "")},
                    "target": {"type": "Value", "value": quantity(dice)},
                },
            },
            {"type": "X"},
        )

    policy = {"type": dice.odd("Pods", "X"), "value": dice.odd(4, 0), "periodSeconds": dice.odd(15, 0, 9999)}
    rules = dice.some(stabilizationWindowSeconds=dice.odd(5, -1), policies=[policy], selectPolicy=dice.odd("Max", "X"))
    return {
        "spec": {
            "scaleTargetRef": {
                "kind": dice.odd("Deployment", "", "a/b"),
                "name": dice.odd("a", ""),
                **dice.some(apiVersion="apps/v1"),
            },
            "maxReplicas": dice.odd(5, 0),
        }
        | dice.some(
            minReplicas=dice.odd(1, 0, 9),
            metrics=dice.few(2, metric),
            behavior=dice.some(scaleUp=rules, scaleDown=rules),
        )
    }


def pod(dice: Dice) -> Object:
    return {"spec": pod_spec(dice)}


def priority_class(dice: Dice) -> Object:
    return {"value": dice.odd(10, 2_000_000_000, -5)} | dice.some(
        description="d", preemptionPolicy=dice.odd("Never", "X"), globalDefault=False
    )


def storage_class(dice: Dice) -> Object:
    return {"provisioner": dice.odd("example.com/p", "", "Bad!")} | dice.some(
        reclaimPolicy=dice.odd("Retain", "X"),
        volumeBindingMode=dice.odd("WaitForFirstConsumer", "X"),
        parameters={dice.odd("a", ""): "b"},
        allowVolumeExpansion=True,
        mountOptions=["x"],
        allowedTopologies=[{"matchLabelExpressions": [{"key": "z", "values": dice.odd(["a"], [], ["a", "a"])}]}],
    )


def persistent_volume(dice: Dice) -> Object:
    source = dice.odd(
        {"hostPath": {"path": "/x"}},
        {"nfs": {"server": "s", "path": "/p"}},
        {},
        {"csi": {"driver": "d.example.com", "volumeHandle": "h"}},
        likely=0.4,
    )
    return {
        "spec": {
            "capacity": {"storage": dice.odd("1Gi", "0", "x")},
            "accessModes": [dice.odd("ReadWriteOnce", "X")],
            **source,
        }
        | dice.some(
            persistentVolumeReclaimPolicy=dice.odd("Delete", "X"),
            storageClassName="fast",
            mountOptions=["ro"],
            volumeMode=dice.odd("Block", "X"),
        )
    }


def cluster_role(dice: Dice) -> Object:
    return role(dice) | dice.some(
        aggregationRule={
            "clusterRoleSelectors": [dice.odd({"matchLabels": {"a": "b"}}, {"matchLabels": {"a": "bad!"}})]
        }
    )


def lease(dice: Dice) -> Object:
    return {
        "spec": dice.some(
            holderIdentity=dice.odd("h", ""),
            leaseDurationSeconds=dice.odd(5, 0),
            leaseTransitions=dice.odd(1, -1),
            renewTime="2024-01-01T00:00:00.000000Z",
        )
    }


def limit_range(dice: Dice) -> Object:
    return {
        "spec": {
            "limits": [
                {
                    "type": dice.odd("Container", "X"),
                    **dice.some(default={"cpu": quantity(dice)}, max={"cpu": "2"}, min={"cpu": dice.odd("1", "5")}),
                }
            ]
        }
    }


def endpoint_slice(dice: Dice) -> Object:
    return {
        "addressType": dice.odd("IPv4", "X", "FQDN"),
        "endpoints": dice.few(
            2,
            lambda n: {
                "addresses": [dice.odd("10.0.0.1", "x")],
                **dice.some(conditions={"ready": True}, hostname=dice.odd("h", "Bad!")),
            },
        ),
    } | dice.some(ports=[dice.some(name=dice.odd("p", "Bad!"), port=80, protocol=dice.odd("TCP", "X"))])


def widget(dice: Dice) -> Object:
    def item(number: int) -> Object:
        return {
            "name": dice.odd(dice.one("p", "q", "r"), None, 5, likely=0.03),
            **dice.some(value=dice.odd("x", 5), n=dice.odd(3, -1, 2.5)),
        }

    port = {"port": dice.one(80, 81), **dice.some(protocol=dice.one("TCP", "UDP"), name="n")}
    return {
        "spec": dice.some(
            replicas=dice.odd(dice.one(0, 1, 5), -1, 11, "3", None, 1.5, likely=0.1),
            name=dice.odd("abc", "x", "waytoolongname", None, likely=0.1),
            mode=dice.odd("Fast", "X", likely=0.1),
            gmap={key: dice.one("1", "2") for key in "kl" if dice.maybe()},
            amap=dice.some(a="1", b="2"),
            alist=dice.few(2, lambda n: dice.one("a", "b")),
            set=[*dice.sample("abcd", dice.randint(0, 3)), *dice.odd([], ["a", "a"])],
            mlist=dice.few(3, item),
            ports=[port],
            nested={"y": dice.some(z=dice.odd("1", 5), w=True)},
            free=dice.some(m={"p": 1}, l=[1, 2]),
            ios=dice.one(1, "50%"),
            when=dice.odd("2024-01-01T00:00:00Z", "nope"),
            nul=None,
            low=dice.one(1, 5),
            high=dice.one(3, 9),
            bogus=dice.odd(None, 1),
        )
    } | dice.some(status={"phase": "Nope"})


def bag(dice: Dice) -> Object:
    return dice.some(
        spec=dice.one({"a": 1, "b": {"c": [1, {"d": None}]}}, {"a": "x"}, {}),
        data={"x": dice.one("1", 2, None)},
        extra=[1, 2],
    )


def gadget(dice: Dice) -> Object:
    return {
        "spec": dice.some(
            size=dice.odd(3, "3", -1), color=dice.one("red", "blue"), tags=dice.few(2, lambda n: dice.one("a", "b"))
        )
    }
