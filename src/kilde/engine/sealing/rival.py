"""The real controller: whether it runs in a namespace, told by the image of what runs there."""

import msgspec
import structlog

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.ports.cluster import Cluster, Resource

log = structlog.get_logger()

_IMAGE = "sealed-secrets-controller"
_PODS = Resource("", "v1", "Pod", "pods", True)
_DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", True)
_OVER = ("Succeeded", "Failed")


async def rival(cluster: Cluster, namespace: str) -> str:
    """What runs the real controller there, by kind and name; "" if nothing does, or if we may not look."""
    for resource in (_DEPLOYMENTS, _PODS):
        try:
            found = await cluster.list(resource, namespace)
        except ClusterError as error:
            log.warning("cannot look for the Sealed Secrets controller", problem=str(error))
            continue
        for raw in found:
            body = msgspec.json.decode(raw)
            if _runs_it(body):
                return f"{resource.kind} {namespace}/{body['metadata']['name']}"
    return ""


def _runs_it(body: Object) -> bool:
    spec = body.get("spec") or {}
    if (body.get("status") or {}).get("phase") in _OVER or spec.get("replicas") == 0:
        return False
    pod = spec.get("template", {}).get("spec") or spec
    return any(_IMAGE in str(each.get("image", "")) for each in pod.get("containers") or ())
