"""Fields that are for ever, of kinds that have no other rules for their changes here."""

from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, invalid, required
from kilde.kubeapi.resources.validation.fields import IMMUTABLE, get, unchanged
from kilde.kubeapi.resources.validation.names import dns_1035_label, dns_subdomain

_EVENT_FIELDS = (
    ("involvedObject", "regarding"),
    ("reason", "reason"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reason", "reason"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingController", "reportingController"),
    ("reportingInstance", "reportingInstance"),
)
_REFERENCE = {
    "Kind": "kind",
    "Namespace": "namespace",
    "Name": "name",
    "UID": "uid",
    "APIVersion": "apiVersion",
    "ResourceVersion": "resourceVersion",
    "FieldPath": "fieldPath",
}


def _held(value: Json, names: Mapping[str, str]) -> Struct:
    """A value as the server holds it: Go's names, empty where nothing is set."""
    return Struct({name: get(value, key, default="") for name, key in names.items()})


def check_none(obj: Object) -> Iterator[Cause]:
    """Nothing is judged."""
    yield from ()


def check_api_service(obj: Object) -> Iterator[Cause]:
    """What is wrong with an APIService: its name is made of its version and group."""
    spec, name = obj.get("spec") or {}, get(obj, "metadata", "name", default="")
    version, group = spec.get("version") or "", spec.get("group") or ""
    wanted = f"{version}.{group}"
    if name != wanted:
        yield invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"')
    if not group and version != "v1":
        yield required("spec.group", "only v1 may have an empty group and it better be legacy kube")
    elif group:
        yield from (invalid("spec.group", group, text) for text in dns_subdomain(group))
    yield from (invalid("spec.version", version, text) for text in dns_1035_label(version))
    for key, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        value = spec.get(key) or 0
        if not 0 < value <= most:
            yield invalid(f"spec.{key}", value, f"must be positive and less than {most}")
    yield from _api_target(spec)


def _api_target(spec: Object) -> Iterator[Cause]:
    service, blind = spec.get("service"), bool(spec.get("insecureSkipTLSVerify"))
    if service is None:
        if spec.get("caBundle"):
            yield invalid(
                "spec.caBundle", f"{len(spec['caBundle'])} bytes", "local APIServices may not have a caBundle"
            )
        if blind:
            words = "local APIServices may not have insecureSkipTLSVerify"
            yield invalid("spec.insecureSkipTLSVerify", value=True, detail=words)
        return
    if blind and spec.get("caBundle"):
        words = "may not be true if caBundle is present"
        yield invalid("spec.insecureSkipTLSVerify", value=True, detail=words)
    for key in ("name", "namespace"):
        if not service.get(key):
            yield required(f"spec.service.{key}")


def check_slice_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ResourceSlice."""
    for path in (("driver",), ("nodeName",), ("pool", "name")):
        yield from unchanged(get(new, "spec", *path), get(old, "spec", *path), f"spec.{'.'.join(path)}")


def check_new_event_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of an Event of events.k8s.io: only its series may go on."""
    for at, key in dict.fromkeys(_EVENT_FIELDS):
        value = new.get(key)
        if value != old.get(key):
            yield invalid(at, _held(value, _REFERENCE) if key in ("regarding", "related") else value, IMMUTABLE)
