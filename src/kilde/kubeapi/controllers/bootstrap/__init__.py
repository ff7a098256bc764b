"""What an API server puts into its storage when it starts, beside its namespaces: the roles that everybody expects."""

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.bootstrap.roles import bindings, roles
from kilde.kubeapi.interface import Api, ApiError

_MANAGER = "kube-apiserver"
_AUTHENTICATION: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"},
}


async def bootstrap(api: Api, ca: str) -> None:
    """Creates what is missing; what is there is left as its owner wants it. `ca`: the PEM that client certificates need."""
    for resource, body in _objects(ca):
        namespace, name = body["metadata"].get("namespace", ""), body["metadata"]["name"]
        try:
            await api.get(resource, namespace, name)
        except ApiError as missing:
            if missing.status != 404:
                raise
        else:
            continue
        try:
            await api.create(resource, namespace, body, manager=_MANAGER)
        except ApiError as refused:
            if refused.reason != "AlreadyExists":
                raise


def _objects(ca: str) -> list[tuple[str, Object]]:
    data = {"client-ca-file": ca} if ca else {}
    return [
        *(("clusterroles.rbac.authorization.k8s.io", role) for role in roles()),
        *(("clusterrolebindings.rbac.authorization.k8s.io", binding) for binding in bindings()),
        ("configmaps", {**_AUTHENTICATION, "data": data}),
    ]
