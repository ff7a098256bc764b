"""Random pods and their templates."""

from differential.shapes import Dice, Object, port_number, quantity, resources


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
    return (
        found
        | dice.some(
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
        | rare_container(dice)
    )


def rare_container(dice: Dice) -> Object:
    """What few containers have."""
    found = {
        "startupProbe": lambda: probe(dice),
        "envFrom": dice.few(
            2,
            lambda n: dice.some(
                prefix=dice.odd("P", "=x"), configMapRef={"name": dice.odd("c", "", "Bad!")}, secretRef={"name": "s"}
            ),
        ),
        "volumeDevices": dice.few(
            2, lambda n: {"name": dice.odd(f"v{n}", "", "nope"), "devicePath": dice.odd(f"/d{n}", "", "/../a", "/m0")}
        ),
        "resizePolicy": dice.few(
            2,
            lambda n: {
                "resourceName": dice.odd(dice.one("cpu", "memory"), "x", ""),
                "restartPolicy": dice.odd(dice.one("NotRequired", "RestartContainer"), "X", ""),
            },
        ),
        "restartPolicy": dice.odd(dice.one("Always", "Never"), "X"),
        "restartPolicyRules": [
            {
                "action": dice.odd("Restart", "X"),
                **dice.some(exitCodes={"operator": dice.odd("In", "X"), "values": [1]}),
            }
        ],
        "resources": dice.some(
            requests={
                name: dice.odd(dice.one("1", "2"), "1.5", "-1")
                for name in ("example.com/gpu", "hugepages-2Mi", "x", "a/b/c")
                if dice.maybe(0.3)
            },
            limits={
                name: dice.odd("2", "1500m")
                for name in ("example.com/gpu", "hugepages-2Mi", "pods", "requests.cpu")
                if dice.maybe(0.3)
            },
            claims=dice.few(
                2, lambda n: {"name": dice.odd("r", "", "nope"), **dice.some(request=dice.odd("q", "Bad!"))}
            ),
        ),
        "securityContext": dice.some(
            runAsGroup=dice.odd(5, -5),
            procMount=dice.odd("Default", "X", "Unmasked"),
            allowPrivilegeEscalation=False,
            capabilities={"add": ["CAP_SYS_ADMIN"]},
            seccompProfile=dice.some(type=dice.odd("RuntimeDefault", "X", "Localhost"), localhostProfile="a"),
            appArmorProfile=dice.some(type=dice.odd("Unconfined", "X", "Localhost"), localhostProfile=""),
            windowsOptions=dice.some(runAsUserName=dice.odd("a", ""), hostProcess=True),
        ),
        "volumeMounts": dice.few(
            2,
            lambda n: (
                {"name": dice.odd("v0", "", "nope"), "mountPath": dice.odd(f"/m{n}", "", "/m0")}
                | dice.some(
                    subPathExpr=dice.odd("a", "/a", "../a"),
                    subPath=dice.odd("a", "/a", "a/.."),
                    mountPropagation=dice.odd(dice.one("None", "HostToContainer"), "X", "Bidirectional"),
                    recursiveReadOnly=dice.odd(dice.one("Enabled", "Disabled"), "X"),
                    readOnly=True,
                )
            ),
        ),
        "env": [
            {
                "name": "F",
                **dice.some(value="v"),
                "valueFrom": dice.some(
                    fileKeyRef={
                        "volumeName": dice.odd("v0", "", "nope"),
                        "key": dice.odd("k", "", "=x"),
                        "path": dice.odd("p", "", "../p"),
                    },
                    fieldRef={"fieldPath": dice.odd("metadata.labels['a']", "metadata.labels", "spec.nope", "")},
                    resourceFieldRef=dice.some(
                        resource=dice.odd("limits.memory", "x"), divisor=dice.odd("1Mi", "1m", "3")
                    ),
                ),
            }
        ],
        "ports": dice.few(
            3,
            lambda n: {
                "containerPort": 80 + n,
                **dice.some(hostPort=dice.odd(80, 70000), hostIP="1.2.3.4", name=dice.odd("p", "Bad!", "pp")),
            },
        ),
    }
    if dice.maybe(0.75):
        return {}
    return {key: value() if callable(value) else value for key, value in found.items() if dice.maybe(0.12)}


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
    return (
        found
        | {
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
        | rare_parts(dice)
    )


def rare_parts(dice: Dice) -> Object:
    """What few pods have."""
    windows = dice.some(
        runAsUserName=dice.odd("A\\b", "", "a\\b\\c", "..", "x;"),
        hostProcess=True,
        gmsaCredentialSpecName=dice.odd("a", "B"),
    )
    claim = {"name": dice.odd("r", "", "Bad!")} | dice.some(
        resourceClaimName=dice.odd("a", "Bad!"), resourceClaimTemplateName="b"
    )
    gate = {"name": dice.odd("example.com/g", "", "bad!")}
    found = {
        "initContainers": lambda: [container(dice, 7) | dice.some(restartPolicy=dice.odd("Always", "Never", "X"))],
        "resourceClaims": [claim, *dice.odd([], [claim])],
        "schedulingGates": [gate, *dice.odd([], [gate])],
        "readinessGates": [{"conditionType": dice.odd("example.com/c", "", "bad!")}],
        "dnsConfig": dice.some(
            nameservers=[dice.odd("1.2.3.4", "x")],
            searches=[dice.odd("a.b", "Bad!", ".")],
            options=[dice.odd({"name": "o"}, {})],
        ),
        "overhead": {"cpu": quantity(dice)},
        "os": {"name": dice.odd(dice.one("linux", "windows"), "x", "")},
        "hostUsers": dice.maybe(),
        "hostPID": True,
        "hostIPC": True,
        "shareProcessNamespace": True,
        "hostname": dice.odd("h", "Bad!"),
        "subdomain": dice.odd("s", "Bad!"),
        "hostnameOverride": dice.odd("h", "Bad!", ""),
        "setHostnameAsFQDN": True,
        "runtimeClassName": dice.odd("r", "", "Bad!"),
        "preemptionPolicy": dice.odd("Never", "X", ""),
        "activeDeadlineSeconds": dice.odd(5, 0),
        "nodeName": dice.odd("n", "Bad!"),
        "resources": lambda: resources(dice),
        "securityContext": lambda: dice.some(
            runAsGroup=dice.odd(5, -5),
            supplementalGroups=[dice.odd(5, -5)],
            fsGroupChangePolicy=dice.odd("Always", "X"),
            seccompProfile=dice.some(
                type=dice.odd("RuntimeDefault", "X", "Localhost"), localhostProfile=dice.odd("a", "/a")
            ),
            appArmorProfile=dice.some(
                type=dice.odd("RuntimeDefault", "X", "Localhost"), localhostProfile=dice.odd("a", " a")
            ),
            supplementalGroupsPolicy=dice.odd("Merge", "X"),
            seLinuxChangePolicy=dice.odd("Recursive", "X"),
            windowsOptions=windows,
            sysctls=[{"name": dice.odd("a.b", "", "A!"), "value": "1"}],
        ),
    }
    if dice.maybe(0.75):
        return {}
    return {key: value() if callable(value) else value for key, value in found.items() if dice.maybe(0.12)}


def pod(dice: Dice) -> Object:
    return {"spec": pod_spec(dice)}


def template(dice: Dice, restart: str = "Always") -> Object:
    return {
        "metadata": {"labels": {"app": "a", **dice.some(tier="b")}, **dice.some(annotations={"x": "y"})},
        "spec": pod_spec(dice, restart),
    }
