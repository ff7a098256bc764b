"""Older releases: what they say otherwise than the newest one of kinds and fields that both have."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported
from kilde.kubeapi.resources.printers.column import AGE, NAME, Column, Printer
from kilde.kubeapi.resources.validation.names import dns_1035_label

# How a warning begins, and the first minor of 1.x that gives it.
_WARNED_SINCE: Mapping[str, int] = {
    "spec.externalIPs is deprecated": 36,
    "spec.trafficDistribution: ": 35,
    "spec.serviceAccountTokenInSecrets is unset": 35,
}
# The first minor that words it as the newest does, how that is, how it was before.
_WORDS = (
    (34, "when `hostUsers` is false", "when `pod.Spec.HostUsers` is false"),
    (34, '"PreferClose", "PreferSameZone", "PreferSameNode"', '"PreferClose"'),
    (35, "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`", "`configMapKeyRef` or `secretKeyRef`"),
    (35, 'supported values: "Equal", "Exists", "Lt", "Gt"', 'supported values: "Equal", "Exists"'),
)
_FREE_SERVICE_NAMES, _NEAR_TRAFFIC, _RESTART_RULES, _NO_SECRETS_COLUMN = 36, 34, 34, 35
_SECRETS = Column("Secrets", lambda obj, now: len(obj.get("secrets") or ()), "string")
_ACCOUNTS = Printer((NAME, _SECRETS, AGE))


def printer(minor: int, storage: str) -> Printer | None:
    """How release 1.`minor` prints these; None for as the newest one does."""
    return _ACCOUNTS if storage == "serviceaccounts" and minor < _NO_SECRETS_COLUMN else None


def is_warned(minor: int, text: str) -> bool:
    """Whether release 1.`minor` has this warning."""
    return all(minor >= since for words, since in _WARNED_SINCE.items() if text.startswith(words))


def worded(minor: int, cause: Cause) -> Cause:
    """A cause in the words of release 1.`minor`."""
    text = cause.message
    for since, new, old in _WORDS:
        if minor < since:
            text = text.replace(new, old)
    return cause if text == cause.message else replace(cause, message=text)


def problems(minor: int, storage: str, obj: Object) -> Iterator[Cause]:
    """What release 1.`minor` refuses in a new object, and the newest one does not."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    if storage == "services":
        if minor < _FREE_SERVICE_NAMES:
            name = str(obj["metadata"].get("name") or "")
            yield from (invalid("metadata.name", name, text) for text in dns_1035_label(name))
        wanted = spec.get("trafficDistribution")
        if minor < _NEAR_TRAFFIC and wanted in ("PreferSameZone", "PreferSameNode"):
            yield not_supported("spec.trafficDistribution", wanted, ("PreferClose",))
    elif storage == "ingresses.networking.k8s.io" and minor < _FREE_SERVICE_NAMES:
        yield from _backends(spec)
    elif storage == "pods" and minor < _RESTART_RULES:
        for index, container in enumerate(spec.get("containers") or ()):
            if container.get("restartPolicy"):
                yield forbidden(f"spec.containers[{index}].restartPolicy", "may not be set for non-init containers")


def _backends(spec: Object) -> Iterator[Cause]:
    found = [("spec.defaultBackend", spec.get("defaultBackend") or {})]
    for number, rule in enumerate(spec.get("rules") or ()):
        for index, path in enumerate((rule.get("http") or {}).get("paths") or ()):
            found.append((f"spec.rules[{number}].http.paths[{index}].backend", path.get("backend") or {}))
    for at, backend in found:
        name = str((backend.get("service") or {}).get("name") or "")
        if name:
            yield from (invalid(f"{at}.service.name", name, text) for text in dns_1035_label(name))
