"""What an application's summary takes from its live objects: images of its Pods, addresses of its Ingresses (Argo CD's rules)."""

from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.images import images_of
from kilde.core.objects.ref import GroupKind

_INGRESS_GROUPS = ("networking.k8s.io", "extensions")


def images(kind: GroupKind, live: Object) -> tuple[str, ...]:
    """Images of a live Pod; of anything else none: what runs counts, not what was asked for."""
    return images_of([live]) if kind == GroupKind("", "Pod") else ()


def external_urls(kind: GroupKind, live: Object) -> tuple[str, ...]:
    """The addresses of an Ingress: a URL for each host and path, https where its TLS block names the host or a secret."""
    if kind.kind != "Ingress" or kind.group not in _INGRESS_GROUPS:
        return ()
    spec = _map(live.get("spec"))
    entry = _first_address(live)
    found: set[str] = set()
    for rule in _maps(spec.get("rules")):
        host = str(rule.get("host") or entry)
        if not host:
            continue
        scheme = "https" if _is_secure(spec, host) else "http"
        for path in _maps(_map(rule.get("http")).get("paths")):
            found.add(f"{scheme}://{host}{str(path.get('path') or '').rstrip('*')}")
    return tuple(sorted(found))


def _first_address(live: Object) -> str:
    balancer = _map(_map(live.get("status")).get("loadBalancer"))
    for entry in _maps(balancer.get("ingress")):
        return str(entry.get("hostname") or entry.get("ip") or "")
    return ""


def _is_secure(spec: dict[str, Any], host: str) -> bool:
    return any(line.get("secretName") or host in (line.get("hosts") or ()) for line in _maps(spec.get("tls")))


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
