"""Defaults inside containers: image, ports, probes, hooks, environment."""

import re
from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_CORE = "io.k8s.api.core.v1."
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_LONGEST_NAME = 255


def image_tag(image: str) -> str:
    """The tag an image reference means: "latest" if it has neither tag nor digest, "" if it is no reference at all."""
    name, at, digest = image.partition("@")
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        head, tag = name, ""
    domain, slash, rest = head.partition("/")
    has_domain = slash and ("." in domain or ":" in domain or domain == "localhost" or domain != domain.lower())
    path = rest if has_domain else head
    parts = path.split("/")
    if len(path) > _LONGEST_NAME or not all(_COMPONENT.fullmatch(part) for part in parts):
        return ""
    if (tag and not _TAG.fullmatch(tag)) or (at and ":" not in digest):
        return ""
    return tag or ("" if at else "latest")


def pull_policy(image: str) -> str:
    """Always for the tag `latest`, else IfNotPresent."""
    return "Always" if image_tag(image) == "latest" else "IfNotPresent"


def _container(value: Object) -> None:
    if "imagePullPolicy" not in value:
        value["imagePullPolicy"] = pull_policy(str(value.get("image") or ""))
    fill(value, "terminationMessagePath", "/dev/termination-log")
    fill(value, "terminationMessagePolicy", "File")


def _container_port(value: Object) -> None:
    fill(value, "protocol", "TCP")


def _probe(value: Object) -> None:
    fill(value, "timeoutSeconds", 1)
    fill(value, "periodSeconds", 10)
    fill(value, "successThreshold", 1)
    fill(value, "failureThreshold", 3)


def _http_get(value: Object) -> None:
    fill(value, "path", "/")
    fill(value, "scheme", "HTTP")


def _grpc(value: Object) -> None:
    fill(value, "service", "")


def _field_reference(value: Object) -> None:
    fill(value, "apiVersion", "v1")


def _file_key(value: Object) -> None:
    fill(value, "optional", False)


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _CORE + "Container": _container,
    _CORE + "EphemeralContainer": _container,
    _CORE + "ContainerPort": _container_port,
    _CORE + "Probe": _probe,
    _CORE + "HTTPGetAction": _http_get,
    _CORE + "GRPCAction": _grpc,
    _CORE + "ObjectFieldSelector": _field_reference,
    _CORE + "FileKeySelector": _file_key,
}
