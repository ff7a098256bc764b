"""Fields that are for ever, of kinds that have no other rules for their changes here."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, invalid, required
from kilde.kubeapi.resources.validation.fields import get
from kilde.kubeapi.resources.validation.names import dns_1035_label, dns_subdomain, path_segment


def check_none(obj: Object) -> Iterator[Cause]:
    """Nothing is judged."""
    yield from ()


def check_no_change(new: Object, old: Object) -> Iterator[Cause]:
    """No change but of metadata is judged."""
    yield from ()


_HTTPS, _LARGEST_PORT = 443, 65535


def check_api_service(obj: Object) -> Iterator[Cause]:
    """What is wrong with an APIService: its name is made of its version and group."""
    spec, name = obj.get("spec") or {}, get(obj, "metadata", "name", default="")
    version, group = spec.get("version") or "", spec.get("group") or ""
    wanted = f"{version}.{group}"
    if name and name != wanted and not path_segment(name):
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
    for key in ("namespace", "name"):
        if not service.get(key):
            yield required(f"spec.service.{key}")
    number = service.get("port", _HTTPS)
    if not 0 < number <= _LARGEST_PORT:
        words = "port is not valid: must be between 1 and 65535, inclusive"
        yield invalid("spec.service.port", number, words)
    if blind and spec.get("caBundle"):
        words = "may not be true if caBundle is present"
        yield invalid("spec.insecureSkipTLSVerify", value=True, detail=words)
