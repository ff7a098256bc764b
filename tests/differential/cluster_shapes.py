"""Random objects of the kinds that administrators write: quotas, classes, admission, bindings, devices and nodes."""

from differential.pod_shapes import template
from differential.shapes import Dice, Object, quantity

_RBAC = "rbac.authorization.k8s.io"


def pod_template(dice: Dice) -> Object:
    return {"template": template(dice)}


def replication_controller(dice: Dice) -> Object:
    chosen = dice.odd({"app": "a"}, {}, {"app": "b"}, {"bad!": "x"})
    return {
        "spec": {"template": template(dice)} | dice.some(selector=chosen, replicas=dice.odd(2, -1), minReadySeconds=1)
    }


def endpoints(dice: Dice) -> Object:
    def address(number: int) -> Object:
        target = {"kind": "Pod", "name": "p", "namespace": "{ns}"}
        return {"ip": dice.odd(f"10.1.0.{number}", "x", "127.0.0.1", "", "fe80::1")} | dice.some(
            hostname=dice.odd("h", "Bad!"), nodeName=dice.odd("n", "Bad!"), targetRef=target
        )

    def port(number: int) -> Object:
        return {"port": dice.odd(80 + number, 0, 70000)} | dice.some(
            name=dice.odd(f"p{number}", "P!", ""), protocol=dice.odd(dice.one("TCP", "UDP"), "X"), appProtocol="http"
        )

    def subset(number: int) -> Object:
        return dice.some(
            addresses=dice.few(2, address), notReadyAddresses=dice.few(1, address), ports=dice.few(2, port)
        )

    return {"subsets": dice.few(2, subset)} if dice.maybe(0.9) else {}


def limit_range(dice: Dice) -> Object:
    def item(number: int) -> Object:
        kind = dice.odd(dice.one("Container", "Pod", "PersistentVolumeClaim"), "X", "example.com/y", "")
        name = "storage" if kind == "PersistentVolumeClaim" else dice.one("cpu", "memory")
        return {"type": kind} | dice.some(
            default={name: quantity(dice)},
            defaultRequest={name: dice.odd("1", "9")},
            max={name: dice.odd("2", "x", "-1")},
            min={name: dice.odd("1", "5")},
            maxLimitRequestRatio={name: dice.odd("2", "0.5", "0")},
        )

    return {"spec": {"limits": dice.few(2, item)}}


def resource_quota(dice: Dice) -> Object:
    names = (
        "pods",
        "requests.cpu",
        "limits.memory",
        "count/deployments.apps",
        "services",
        "example.com/gpu",
        "bad name",
    )
    term = {
        "scopeName": dice.odd(dice.one("PriorityClass", "BestEffort"), "X", "Terminating"),
        "operator": dice.odd(dice.one("In", "Exists"), "Nope", "NotIn"),
        **dice.some(values=dice.odd(["a"], [], ["Bad!"])),
    }
    return {
        "spec": dice.some(
            hard={name: dice.odd(dice.one("3", "100m", 5), "-1", "x", "1.5") for name in names if dice.maybe(0.3)},
            scopes=[dice.odd(dice.one("BestEffort", "NotTerminating", "Terminating"), "X", "PriorityClass")],
            scopeSelector={"matchExpressions": [term]},
        )
    }


def cluster_role_binding(dice: Dice) -> Object:
    def subject(number: int) -> Object:
        return dice.one(
            {"kind": "User", "name": dice.odd("u", "")},
            {"kind": "ServiceAccount", "name": dice.odd("default", "Bad!"), **dice.some(namespace="default")},
            {"kind": "Group", "name": "g", **dice.some(apiGroup=dice.odd(_RBAC, "x"))},
            {"kind": "X", "name": "x"},
        )

    reference = {"kind": dice.odd("ClusterRole", "Role", ""), "name": dice.odd("view", "", "a/b"), "apiGroup": _RBAC}
    return {"roleRef": reference} | dice.some(subjects=dice.few(2, subject))


def ingress_class(dice: Dice) -> Object:
    parameters = {"kind": dice.odd("K", "", "a/b"), "name": dice.odd("n", "", "a/b")} | dice.some(
        apiGroup=dice.odd("example.com", "Bad!"),
        scope=dice.odd(dice.one("Cluster", "Namespace"), "X"),
        namespace=dice.odd("default", "Bad!"),
    )
    return {"spec": dice.some(controller=dice.odd("example.com/c", "bad", "", "a/b c"), parameters=parameters)}


def runtime_class(dice: Dice) -> Object:
    toleration = {
        "key": "k",
        "operator": dice.odd("Exists", "Equal", "X"),
        **dice.some(effect=dice.odd("NoSchedule", "X")),
    }
    return {"handler": dice.odd("runc", "", "Bad!")} | dice.some(
        overhead={"podFixed": {dice.odd("cpu", "bad!"): quantity(dice)}},
        scheduling=dice.some(
            nodeSelector={dice.odd("k", "bad!"): dice.odd("v", "not ok!")},
            tolerations=[toleration, *dice.odd([], [toleration])],
        ),
    )


def csi_driver(dice: Dice) -> Object:
    def token(number: int) -> Object:
        return {"audience": dice.odd(f"a{number}", "a0")} | dice.some(expirationSeconds=dice.odd(600, 5))

    return {
        "spec": dice.some(
            attachRequired=dice.maybe(),
            podInfoOnMount=True,
            storageCapacity=True,
            fsGroupPolicy=dice.odd(dice.one("File", "None"), "X"),
            volumeLifecycleModes=[dice.odd(dice.one("Persistent", "Ephemeral"), "X")],
            tokenRequests=dice.few(2, token),
            requiresRepublish=True,
            seLinuxMount=False,
            nodeAllocatableUpdatePeriodSeconds=dice.odd(20, 1),
        )
    }


def csi_node(dice: Dice) -> Object:
    def driver(number: int) -> Object:
        return {
            "name": dice.odd(f"d{number}.example.com", "", "Bad!"),
            "nodeID": dice.odd("i", "", "x" * 200),
        } | dice.some(
            topologyKeys=dice.odd(["a"], ["a", "a"], ["bad!"], []), allocatable=dice.some(count=dice.odd(5, -1))
        )

    return {"spec": {"drivers": dice.few(2, driver)}}


def csi_capacity(dice: Dice) -> Object:
    return {"storageClassName": dice.odd("fast", "", "Bad!")} | dice.some(
        nodeTopology=dice.odd({"matchLabels": {"a": "b"}}, {"matchLabels": {"a": "bad!"}}, {}),
        capacity=quantity(dice),
        maximumVolumeSize=quantity(dice),
    )


def attachment(dice: Dice) -> Object:
    source = dice.odd({"persistentVolumeName": "v"}, {}, {"persistentVolumeName": ""})
    return {
        "spec": {"attacher": dice.odd("a.example.com", "", "Bad!"), "nodeName": dice.odd("n", ""), "source": source}
    }


def attributes_class(dice: Dice) -> Object:
    return {"driverName": dice.odd("d.example.com", "", "Bad!")} | dice.some(
        parameters={dice.odd(key, ""): dice.odd("v", "") for key in "ab" if dice.maybe()}
    )


def _rule(dice: Dice) -> Object:
    return {
        "apiGroups": ["nothing.test"],  # admission of other sequences must not be changed
        "apiVersions": dice.odd(["v1"], [], ["*", "v1"], [""]),
        "resources": dice.odd(["things"], [], ["*/*", "x"], ["things", "things/*", "*"], ["a/b/c"]),
        "operations": dice.odd(["CREATE"], [], ["*", "CREATE"], ["X"], ["CONNECT"]),
    } | dice.some(scope=dice.odd(dice.one("Namespaced", "*"), "X"))


def _client(dice: Dice) -> Object:
    service = {"namespace": dice.odd("default", ""), "name": dice.odd("s", "")} | dice.some(
        path=dice.odd("/a", "a", "/a//b", "/?x"), port=dice.odd(443, 0)
    )
    return dice.odd(
        dice.one({"url": "https://localhost:1/x"}, {"service": service}),
        {},
        {"url": "http://x"},
        {"url": "https://u:p@x/?q#f"},
        {"url": "https://x", "service": service},
    ) | dice.some(caBundle=dice.odd("YQ==", ""))


def _condition(dice: Dice, number: int) -> Object:
    return {
        "name": dice.odd(f"c{number}", "c0", "", "bad name"),
        "expression": dice.odd("object != null", "", "object."),
    }


def webhooks(dice: Dice) -> Object:
    def webhook(number: int) -> Object:
        return {
            "name": dice.odd(f"w{number}.example.com", "short", "w0.example.com", ""),
            "clientConfig": _client(dice),
            "admissionReviewVersions": dice.odd(["v1"], [], ["v9"], ["v1", "v1"], ["v1", "x!"]),
            "sideEffects": dice.odd(dice.one("None", "NoneOnDryRun"), "Some", "X"),
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "nothing"}},
        } | dice.some(
            rules=[_rule(dice)],
            failurePolicy=dice.odd("Ignore", "X"),
            matchPolicy=dice.odd("Exact", "X"),
            timeoutSeconds=dice.odd(5, 0, 31),
            objectSelector=dice.odd({"matchLabels": {"a": "b"}}, {"matchLabels": {"a": "bad!"}}),
            matchConditions=dice.few(2, lambda n: _condition(dice, n)),
        )

    return {"webhooks": dice.few(2, webhook)}


def mutating_webhooks(dice: Dice) -> Object:
    made = webhooks(dice)
    for one in made["webhooks"]:
        one.update(dice.some(reinvocationPolicy=dice.odd("IfNeeded", "X")))
    return made


def _constraints(dice: Dice) -> Object:
    return dice.some(
        resourceRules=[_rule(dice)],
        excludeResourceRules=[_rule(dice) | dice.some(resourceNames=dice.odd(["a"], ["a", "a"], ["b/c"]))],
        matchPolicy=dice.odd("Exact", "X"),
        namespaceSelector={"matchLabels": {"a": dice.odd("b", "bad!")}},
        objectSelector={},
    )


def admission_policy(dice: Dice) -> Object:
    def check(number: int) -> Object:
        return {"expression": dice.odd("object.spec.replicas > 1", "", "object.")} | dice.some(
            message=dice.odd("no", "", "a\nb"),
            reason=dice.odd("Forbidden", "X"),
            messageExpression=dice.odd("'a'", " "),
        )

    def variable(number: int) -> Object:
        return {"name": dice.odd(f"v{number}", "v0", "", "1x"), "expression": dice.odd("1 + 1", "")}

    def note(number: int) -> Object:
        return {"key": dice.odd(f"k{number}", "k0", "", "bad!"), "valueExpression": dice.odd("'a'", "")}

    return {
        "spec": {"matchConstraints": _constraints(dice) | {"resourceRules": [_rule(dice)]}}
        | dice.some(
            validations=dice.few(2, check),
            variables=dice.few(2, variable),
            auditAnnotations=dice.few(2, note),
            failurePolicy=dice.odd("Ignore", "X"),
            paramKind=dice.some(apiVersion=dice.odd("v1", "a/b/c", ""), kind=dice.odd("ConfigMap", "a/b", "")),
            matchConditions=dice.few(2, lambda n: _condition(dice, n)),
        )
    }


def policy_binding(dice: Dice) -> Object:
    reference = dice.odd(
        {"name": "p"}, {}, {"name": "p", "selector": {}}, {"selector": {"matchLabels": {"a": "b"}}}, likely=0.3
    )
    return {
        "spec": {
            "policyName": dice.odd("nothing", "", "Bad!"),
            "validationActions": dice.odd(["Deny"], [], ["Deny", "Warn"], ["Audit", "Audit"], ["X"], likely=0.2),
        }
        | dice.some(
            paramRef=reference | dice.some(namespace="default", parameterNotFoundAction=dice.odd("Deny", "X")),
            matchResources=_constraints(dice),
        )
    }


def device_claim_spec(dice: Dice) -> Object:
    cel = {"cel": {"expression": dice.odd("device.driver == 'd'", "")}}

    def exactly(number: int) -> Object:
        return {"deviceClassName": dice.odd("c", "", "Bad!")} | dice.some(
            allocationMode=dice.odd(dice.one("ExactCount", "All"), "X"),
            count=dice.odd(2, -1, 0),
            selectors=[cel],
            tolerations=[{"key": "k", "operator": dice.odd("Exists", "X"), "effect": dice.odd("NoExecute", "X")}],
        )

    def request(number: int) -> Object:
        options = [{"name": dice.odd(f"s{n}", "s0"), **exactly(n)} for n in range(dice.randint(1, 2))]
        way = dice.odd({"exactly": exactly(number)}, {}, {"firstAvailable": options}, likely=0.3)
        return {"name": dice.odd(f"r{number}", "r0", "", "Bad!"), **way}

    return {
        "devices": dice.some(
            requests=dice.few(2, request),
            constraints=[
                dice.some(requests=dice.odd(["r0"], ["x"], ["r0", "r0"]), matchAttribute=dice.odd("d/a", "a", ""))
            ],
            config=[
                dice.some(
                    requests=["r0"],
                    opaque={"driver": dice.odd("d.example.com", ""), "parameters": dice.odd({"a": 1}, None, "x")},
                )
            ],
        )
    }


def resource_claim(dice: Dice) -> Object:
    return {"spec": device_claim_spec(dice)}


def resource_claim_template(dice: Dice) -> Object:
    labelled = {"labels": {"a": dice.odd("b", "bad!")}}
    return {"spec": {"spec": device_claim_spec(dice)} | dice.some(metadata=labelled)}


def device_class(dice: Dice) -> Object:
    return {
        "spec": dice.some(
            selectors=[{"cel": {"expression": dice.odd("device.driver == 'd'", "")}}],
            config=[{"opaque": {"driver": dice.odd("d.example.com", "Bad!"), "parameters": {"a": 1}}}],
            extendedResourceName=dice.odd("example.com/x", "bad", ""),
        )
    }


def revision(dice: Dice) -> Object:
    return {"revision": dice.odd(1, -1, 0)} | dice.some(data=dice.odd({"a": 1}, "x", [1], {}))


def node(dice: Dice) -> Object:
    def taint(number: int) -> Object:
        return {"key": dice.odd(f"k{number}", "", "bad!"), "effect": dice.odd("NoSchedule", "X", "")} | dice.some(
            value=dice.odd("v", "not ok!")
        )

    return {
        "spec": dice.some(
            podCIDR=dice.odd("10.9.0.0/24", "x"),
            podCIDRs=dice.odd(["10.9.0.0/24"], ["10.9.0.0/24", "10.8.0.0/24"]),
            providerID=dice.odd("a", "b"),
            unschedulable=True,
            taints=dice.few(2, taint),
        )
    } | dice.some(status={"capacity": {"cpu": quantity(dice)}})


def namespace(dice: Dice) -> Object:
    return (
        {"spec": dice.some(finalizers=dice.odd(["kubernetes"], [], ["bad"], ["example.com/a"]))} if dice.maybe() else {}
    )


def signing_request(dice: Dice) -> Object:
    return {
        "spec": {
            "request": dice.odd("YQ==", "", "%%"),
            "signerName": dice.odd("example.com/s", "", "bad", "kubernetes.io/kube-apiserver-client"),
        }
        | dice.some(
            usages=dice.odd(["client auth"], [], ["x"], ["client auth", "client auth"]),
            expirationSeconds=dice.odd(600, 5),
            username="u",
        )
    }


def old_autoscaler(dice: Dice) -> Object:
    return {
        "spec": {
            "scaleTargetRef": {"kind": dice.odd("Deployment", ""), "name": dice.odd("a", "")},
            "maxReplicas": dice.odd(5, 0),
        }
        | dice.some(minReplicas=dice.odd(1, 0, 9), targetCPUUtilizationPercentage=dice.odd(50, 0, -1))
    }
