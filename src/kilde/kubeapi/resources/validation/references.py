"""Validation of a container's or a volume's references to the pod itself: its fields, and what containers ask for."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import quantity
from kilde.kubeapi.resources.validation.names import qualified_name

POD_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_SUBSCRIPTED = ("metadata.annotations", "metadata.labels")
_DOWNWARD_FIELDS = (
    *POD_FIELDS,
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_RENAMED = {"spec.host": "spec.nodeName"}
_CONTAINER_RESOURCES = tuple(
    f"{side}.{name}" for side in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
)
_SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_DIVISORS = {
    "cpu": (("1m", "1"), "1m and 1 are supported with the cpu"),
    "memory": (_SIZES, f"{', '.join(_SIZES)} are supported with the memory"),
    "ephemeral-storage": (_SIZES, f"{', '.join(_SIZES)} are supported with the local ephemeral storage"),
    "hugepages": (_SIZES, f"{', '.join(_SIZES)} are supported with the hugepages"),
}


def resource_ref(source: Object, at: str, *, volume: bool = False) -> Iterator[Cause]:
    """A reference to what a container asks for; in a volume it must say which container."""
    resource = source.get("resource") or ""
    if volume and not source.get("containerName"):
        yield required(f"{at}.containerName")
    elif not resource:
        yield required(f"{at}.resource")
    elif resource not in _CONTAINER_RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield not_supported(f"{at}.resource", resource, _CONTAINER_RESOURCES)
    name = resource.partition(".")[2]
    allowed, words = _DIVISORS.get("hugepages" if name.startswith("hugepages-") else name, ((), ""))
    divisor = quantity(source.get("divisor", "0"))
    if allowed and divisor is not None and divisor.value and divisor.text not in allowed:
        yield invalid(f"{at}.divisor", resource, f"only divisor's values {words} resource")


def field_ref(source: Object, allowed: tuple[str, ...], at: str) -> Iterator[Cause]:
    """A reference to a field of the pod itself."""
    path = source.get("fieldPath") or ""
    if not source.get("apiVersion"):
        yield required(f"{at}.apiVersion")
        return
    if not path:
        yield required(f"{at}.fieldPath")
        return
    head, key = _split(path)
    problem = _unconverted(source["apiVersion"], path, head)
    if problem:
        yield invalid(f"{at}.fieldPath", path, f"error converting fieldPath: {problem}")
    elif head:
        name = key.lower() if head == "metadata.annotations" else key
        yield from (invalid(at, name, text) for text in qualified_name(name))
    elif _RENAMED.get(path, path) not in allowed:
        yield not_supported(f"{at}.fieldPath", _RENAMED.get(path, path), allowed)


def _split(path: str) -> tuple[str, str]:
    """The map and the key of a path with a subscript; ("", "") of one without."""
    head, bracket, key = path.removesuffix("']").partition("['")
    return (head, key) if bracket and path.endswith("']") else ("", "")


def _unconverted(version: str, path: str, head: str) -> str:
    """Why no pod has such a field."""
    if version != "v1":
        return f"unsupported pod version: {version}"
    if head and head not in _SUBSCRIPTED:
        return f"field label does not support subscript: {path}"
    return "" if head or _RENAMED.get(path, path) in _DOWNWARD_FIELDS else f"field label not supported: {path}"
