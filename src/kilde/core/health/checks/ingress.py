"""Ingress: progressing until it has an address."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import part
from kilde.core.health.health import HEALTHY, Health, progressing


def judge(obj: Object) -> Health:
    """Argo CD's getIngressHealth; any version of either group."""
    return HEALTHY if part(obj, "status", "loadBalancer").get("ingress") else progressing("")
