"""Paths: where an object or a kind lives in the API; names from Git cannot leave their place."""

from urllib.parse import quote

from kilde.core.basics.errors import ClusterError
from kilde.ports.cluster import Resource


def collection(resource: Resource, namespace: str = "") -> str:
    """The path of all objects of a kind, in one namespace or ("") in all."""
    root = f"/apis/{quote(resource.group, safe='')}" if resource.group else "/api"
    base = f"{root}/{quote(resource.version, safe='')}"
    if namespace and resource.namespaced:
        base += f"/namespaces/{_segment(namespace, resource, 'namespace')}"
    return f"{base}/{quote(resource.plural, safe='')}"


def one(resource: Resource, namespace: str, name: str, subresource: str = "") -> str:
    """The path of one object. Raises ClusterError (reason Invalid) for names that are no single path segment.

    An empty name would address the whole kind: a delete of it would delete everything, so it never leaves this function.
    """
    if resource.namespaced and not namespace:
        raise _invalid(resource, name, "a namespace is required")
    path = f"{collection(resource, namespace)}/{_segment(name, resource, 'name')}"
    return f"{path}/{subresource}" if subresource else path


def about(resource: Resource, namespace: str, name: str) -> str:
    """How errors name the object: `apps/Deployment shop/web`."""
    where = f"{namespace}/{name}" if namespace and resource.namespaced else name
    return f"{resource.group_kind} {where}".rstrip()


def _segment(text: str, resource: Resource, what: str) -> str:
    if not text or text in (".", "..") or "/" in text or "%" in text:
        raise _invalid(resource, text, f"{what} is empty" if not text else f"'{text[:80]}' cannot be a {what}")
    return quote(text, safe="")


def _invalid(resource: Resource, name: str, what: str) -> ClusterError:
    return ClusterError(what, about=about(resource, "", name[:80]), status=0, reason="Invalid")
