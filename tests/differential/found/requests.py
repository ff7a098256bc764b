"""Requests about one object of a kind, and the small objects that many cases begin with."""

from typing import Any

from differential.steps import Step

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
CONTROLLERS, ENDPOINTS = Of("api/v1", "replicationcontrollers"), Of("api/v1", "endpoints")
REPLICA_SETS, SLICES = Of("apis/apps/v1", "replicasets"), Of("apis/discovery.k8s.io/v1", "endpointslices")
QUOTAS = Of("api/v1", "resourcequotas")
JOBS = Of("apis/batch/v1", "jobs")
POLICIES = Of("apis/networking.k8s.io/v1", "networkpolicies")
DEPLOYMENTS, STATEFUL_SETS = (Of("apis/apps/v1", plural) for plural in ("deployments", "statefulsets"))
DAEMON_SETS = Of("apis/apps/v1", "daemonsets")
ROLES, CRON_JOBS = Of("apis/rbac.authorization.k8s.io/v1", "roles"), Of("apis/batch/v1", "cronjobs")
BUDGETS, WIDGETS = Of("apis/policy/v1", "poddisruptionbudgets"), Of("apis/fuzz.test/v1", "widgets")
NOTHING = {"metadata": {}}
APPLIED = {"apiVersion": "apps/v1", "kind": "StatefulSet", **deployment()}
WIDGET = {"apiVersion": "fuzz.test/v1", "kind": "Widget", "metadata": {"name": "x"}}
