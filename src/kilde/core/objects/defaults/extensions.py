"""Defaults of CustomResourceDefinitions and APIServices."""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."


def _names(value: Object) -> None:
    kind = value.get("kind")
    if kind and not value.get("singular"):
        value["singular"] = str(kind).lower()
    if kind and not value.get("listKind"):
        value["listKind"] = f"{kind}List"


def _definition(value: Object) -> None:
    spec, status = value.get("spec"), value.get("status")
    if not isinstance(spec, dict) or not isinstance(status, dict):
        return
    _names(spec["names"])
    fill(spec, "conversion", {"strategy": "None"})
    if not status.get("storedVersions"):
        stored = [
            each.get("name") for each in spec.get("versions") or () if isinstance(each, dict) and each.get("storage")
        ]
        if stored:
            status["storedVersions"] = stored[:1]


def _service(value: Object) -> None:
    fill(value, "port", 443)


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _EXTENSIONS + "CustomResourceDefinition": _definition,
    _EXTENSIONS + "ServiceReference": _service,
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": _service,
}
