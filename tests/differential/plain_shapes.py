"""Random objects of the other kinds that people write in Git."""

from differential.shapes import Dice, Object, claim_spec, port_number


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


def claim(dice: Dice) -> Object:
    return {"spec": claim_spec(dice)}


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
