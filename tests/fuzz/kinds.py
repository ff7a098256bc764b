"""The kinds: what each has below its metadata."""

import random
from collections.abc import Callable

from fuzz.objects import GENERATED, IMAGES, NAMES, NAMESPACES, RBAC, Object, Objects
from fuzz.style import Plain


class Kinds(Objects):
    """Makes objects of all kinds and remembers them, so that others can refer to them."""

    def __init__(self, dice: random.Random, wild: float) -> None:
        super().__init__(dice, wild)
        self.table: dict[str, tuple[tuple[str, ...], Callable[[], Object]]] = {
            "Pod": (("v1",), lambda: {"spec": self.pod_spec()}),
            "PodTemplate": (("v1",), lambda: {"template": self.template()}),
            "Deployment": (("apps/v1", "apps/v1", "apps/v1", "extensions/v1beta1"), self.workload),
            "ReplicaSet": (("apps/v1",), self.workload),
            "StatefulSet": (("apps/v1",), self.stateful_set),
            "DaemonSet": (("apps/v1",), self.workload),
            "ReplicationController": (("v1",), lambda: {"spec": {"selector": self.labels(), "template": self.template()}}),
            "Job": (("batch/v1",), self.workload),
            "CronJob": (("batch/v1", "batch/v1beta1"), self.cron_job),
            "Service": (("v1",), self.service),
            "ConfigMap": (("v1",), self.config_map),
            "Secret": (("v1",), self.secret),
            "ServiceAccount": (("v1",), self.service_account),
            "Role": ((f"{RBAC}/v1",), self.role),
            "ClusterRole": ((f"{RBAC}/v1",), self.role),
            "RoleBinding": ((f"{RBAC}/v1",), self.binding),
            "ClusterRoleBinding": ((f"{RBAC}/v1",), self.binding),
            "Ingress": (("networking.k8s.io/v1", "networking.k8s.io/v1beta1"), self.ingress),
            "IngressClass": (("networking.k8s.io/v1",), lambda: {"spec": {"controller": "x.example/c"}}),
            "NetworkPolicy": (("networking.k8s.io/v1",), self.network_policy),
            "PodDisruptionBudget": (("policy/v1",), lambda: {"spec": {"minAvailable": 1, "selector": self.selector()}}),
            "HorizontalPodAutoscaler": (("autoscaling/v1", "autoscaling/v2", "autoscaling/v2beta2"), self.autoscaler),
            "PersistentVolumeClaim": (("v1",), self.claim),
            "PersistentVolume": (("v1",), self.volume_object),
            "StorageClass": (("storage.k8s.io/v1",), self.storage_class),
            "PriorityClass": (("scheduling.k8s.io/v1",), lambda: {"value": 1000}),
            "Namespace": (("v1",), dict),
            "Node": (("v1",), lambda: {"spec": {"configSource": {"configMap": {"name": self.name()}}}}),
            "LimitRange": (("v1",), lambda: {"spec": {"limits": [{"type": "Pod", "max": {"cpu": self.scalar()}}]}}),
            "ResourceQuota": (("v1",), lambda: {"spec": {"hard": self.mapping()}}),
            "Endpoints": (("v1",), lambda: {"subsets": [{"ports": [{"port": 1}]}]}),
            "CustomResourceDefinition": (("apiextensions.k8s.io/v1",), self.definition),
            "APIService": (("apiregistration.k8s.io/v1",), self.api_service),
            "ValidatingWebhookConfiguration": (("admissionregistration.k8s.io/v1",), self.webhooks),
            "MutatingWebhookConfiguration": (("admissionregistration.k8s.io/v1",), self.webhooks),
            "ValidatingAdmissionPolicyBinding": (("admissionregistration.k8s.io/v1",), lambda: {"spec": {"policyName": self.name()}}),
            "ValidatingAdmissionPolicy": (("admissionregistration.k8s.io/v1",), lambda: {"spec": {"x": 1}}),
            "Thing": (("example.com/v1", "example.com/v1beta1", "v1"), self.custom),
            "KThing": (("serving.knative.dev/v1",), lambda: {"spec": {"template": self.template()}}),
        }  # fmt: skip
        self.weights = [
            5
            if kind in ("Deployment", "ConfigMap", "Service")
            else 3
            if kind in ("StatefulSet", "Secret", "Thing")
            else 1
            for kind in self.table
        ]
        self.made: list[Object] = []

    def new(self, kind: str = "") -> Object:
        """A new object; no two of them have the same id."""
        for _ in range(20):
            chosen = kind or self.dice.choices(list(self.table), self.weights)[0]
            versions, body = self.table[chosen]
            name = self.name()
            namespace = self.dice.choice(NAMESPACES) if self.chance(0.2) else ""
            if not any(self.same(found, chosen, name) for found in self.made):
                break
        else:
            name = f"{name}-{len(self.made)}"
        if chosen in ("ConfigMap", "Secret") and name in GENERATED and self.chance(0.9):
            name += "-plain"
        found = {
            "apiVersion": self.dice.choice(versions),
            "kind": chosen,
            "metadata": self.metadata(name, namespace),
            **body(),
        }
        self.made.append(found)
        return found

    @staticmethod
    def same(found: Object, kind: str, name: str) -> bool:
        return bool(found["kind"] == kind and found["metadata"]["name"] == name)

    def workload(self) -> Object:
        return {
            "spec": {
                **self.some({"replicas": self.pick(1, 3, "2", Plain("0x3"), None)}, 0.5),
                **self.some({"selector": self.selector}, 0.7),
                "template": self.template(),
            }
        }

    def stateful_set(self) -> Object:
        found = self.workload()
        found["spec"] |= self.some({"serviceName": self.name, "volumeClaimTemplates": self.claim_templates}, 0.5)
        return found

    def claim_templates(self) -> list[Object]:
        return [
            {
                "metadata": {"name": "data", **self.some({"labels": self.labels})},
                "spec": {"storageClassName": self.name()},
            }
        ]

    def cron_job(self) -> Object:
        job: Object = {"spec": {"template": self.template(), **self.some({"selector": self.selector})}}
        job |= self.some({"metadata": {"labels": {"a": "b"}}}, 0.3)
        return {"spec": {"schedule": "*/5 * * * *", "jobTemplate": job}}

    def service(self) -> Object:
        ports = [
            {
                "port": port,
                **self.some({"protocol": self.pick("TCP", "UDP"), "targetPort": self.pick(80, "http"), "name": "p"}),
            }
            for port in self.dice.sample((80, 443, 53), self.dice.randint(1, 2))
        ]
        return {
            "spec": self.some(
                {"ports": ports, "selector": self.labels(), "type": "ClusterIP", "clusterIP": "None"}, 0.6
            )
        }

    def config_map(self) -> Object:
        return self.some(
            {"data": self.texts if self.chance(0.5) else self.mapping, "binaryData": {"z": "aGVsbG8="}}, 0.7
        )

    def secret(self) -> Object:
        return self.some({"data": {"a": "YQ=="}, "stringData": self.texts, "type": "Opaque"}, 0.6)

    def service_account(self) -> Object:
        return self.some(
            {"secrets": lambda: [{"name": self.name()}], "imagePullSecrets": lambda: [{"name": self.name()}]}, 0.5
        )

    def role(self) -> Object:
        return {
            "rules": [
                {
                    "apiGroups": [self.pick("", "*", "apps")],
                    "resources": [self.pick("configmaps", "secrets", "services")],
                    "verbs": ["get"],
                    **self.some({"resourceNames": [self.name(), self.name()]}, 0.6),
                }
                for _ in range(self.dice.randint(1, 2))
            ]
        }

    def binding(self) -> Object:
        return {
            "roleRef": {"apiGroup": RBAC, "kind": self.pick("Role", "ClusterRole"), "name": self.name()},
            "subjects": [
                {"kind": self.pick("ServiceAccount", "ServiceAccount", "User", "Group"), "name": self.name()}
                | self.some({"namespace": self.dice.choice(NAMESPACES)}, 0.6)
                for _ in range(self.dice.randint(1, 2))
            ],
        }

    def ingress(self) -> Object:
        backend = self.pick(
            {"service": {"name": self.name(), "port": {"number": 80}}},
            {"serviceName": self.name(), "servicePort": 80},
            {"resource": {"kind": "Thing", "name": self.name()}},
        )
        spec = self.some(
            {
                "rules": [
                    {
                        "host": self.pick("a.example", "$(VAR).example"),
                        "http": {"paths": [{"path": "/", "backend": backend}]},
                    }
                ],
                "tls": [{"secretName": self.name(), "hosts": ["a.example"]}],
                "ingressClassName": self.name(),
                "defaultBackend": backend,
                "backend": backend,
            },
            0.5,
        )
        return {"spec": spec}

    def network_policy(self) -> Object:
        peer = self.pick(
            {"podSelector": self.selector()},
            {"namespaceSelector": self.selector()},
            {"ipBlock": {"cidr": "10.0.0.0/8"}},
        )
        return {
            "spec": {
                "podSelector": self.selector(),
                **self.some({"ingress": [{"from": [peer]}], "egress": [{"to": [peer]}]}),
            }
        }

    def autoscaler(self) -> Object:
        target = {
            "apiVersion": "apps/v1",
            "kind": self.pick("Deployment", "StatefulSet", "ReplicaSet"),
            "name": self.name(),
        }
        metric = {
            "type": "Object",
            "object": {"metric": {"name": "m"}, "describedObject": {"kind": "Service", "name": self.name()}},
        }
        return {"spec": {"scaleTargetRef": target, "maxReplicas": 5, **self.some({"metrics": [metric]})}}

    def claim(self) -> Object:
        return {
            "spec": self.some(
                {"storageClassName": self.name(), "volumeName": self.name(), "accessModes": ["ReadWriteOnce"]}, 0.6
            )
        }

    def volume_object(self) -> Object:
        return {
            "spec": self.some(
                {
                    "storageClassName": self.name(), "claimRef": {"name": self.name(), "namespace": "prod"},
                    "azureFile": {"secretName": self.name()}, "rbd": {"secretRef": {"name": self.name()}},
                    "csi": {"nodeStageSecretRef": {"name": self.name(), "namespace": "x"}, "controllerPublishSecretRef": {"name": self.name()}},
                },
                0.4,
            )
        }  # fmt: skip

    def storage_class(self) -> Object:
        return {
            "provisioner": "x.example/p",
            **self.some(
                {"parameters": {"restuserkey": "k", "restsecret": self.name(), "secretName": self.name()}}, 0.6
            ),
        }

    def definition(self) -> Object:
        conversion = {
            "strategy": "Webhook",
            "webhook": {"clientConfig": {"service": {"name": self.name(), "namespace": "x"}}},
        }
        return {
            "spec": {"group": "example.com", "names": {"kind": "Thing"}, **self.some({"conversion": conversion}, 0.5)}
        }

    def api_service(self) -> Object:
        return {"spec": self.some({"service": {"name": self.name(), "namespace": "x"}, "group": "example.com"}, 0.6)}

    def webhooks(self) -> Object:
        return {
            "webhooks": [
                {
                    "name": name,
                    "clientConfig": self.pick(
                        {"service": {"name": self.name(), "namespace": self.dice.choice(NAMESPACES)}},
                        {"url": "https://x"},
                    ),
                }
                for name in self.dice.sample(("a.example", "b.example"), self.dice.randint(1, 2))
            ]
        }

    def custom(self) -> Object:
        return self.some(
            {
                "spec": lambda: {
                    **self.some(
                        {"containers": [self.container("main")], "image": self.dice.choice(IMAGES), "replicas": 2}, 0.3
                    ),
                    **{f"f{n}": self.tree() for n in range(self.dice.randint(0, 3))},
                    **self.some(
                        {"list": [{"name": n, "v": self.scalar()} for n in NAMES[:2]], "configName": self.name()}, 0.3
                    ),
                },
                "status": lambda: self.tree(),
                "data": self.mapping,
            },
            0.6,
        )
