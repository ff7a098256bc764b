"""Service: only a load balancer is waited for, until it has an address."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import HEALTHY, Health, progressing


def judge(obj: Object) -> Health:
    """Argo CD's getServiceHealth."""
    if text(part(obj, "spec"), "type") == "LoadBalancer" and not part(obj, "status", "loadBalancer").get("ingress"):
        return progressing("")
    return HEALTHY
