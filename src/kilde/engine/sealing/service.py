"""The Service that kubeseal looks for, by name and by its first port."""

from kilde.core.basics.values import Object

SERVICE_NAME = "sealed-secrets-controller"


def kubeseals_service(namespace: str) -> Object:
    """Without a selector: what is behind it is no pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE_NAME, "namespace": namespace},
        "spec": {"ports": [{"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8080}]},
    }
