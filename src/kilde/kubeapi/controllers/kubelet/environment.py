"""What a pod needs before it can start: the ConfigMaps and Secrets that it mounts or takes variables from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import namespace_of
from kilde.kubeapi.controllers.pods import spec_of
from kilde.kubeapi.controllers.steps import View

CONFIG_MAP, SECRET = "configmaps", "secrets"
_WORDS = {CONFIG_MAP: ("configmap", "ConfigMap"), SECRET: ("secret", "Secret")}


class Need(NamedTuple):
    """A ConfigMap or Secret that has to be there, with these keys."""

    resource: str
    name: str
    keys: tuple[str, ...]


def missing_mount(pod: Object, view: View) -> str:
    """Why the first volume that cannot be mounted cannot, as the kubelet says it; empty if all can."""
    for volume in spec_of(pod).get("volumes") or ():
        for need in _volume_needs(volume):
            why = _lacks(need, namespace_of(pod), view, mounted=True)
            if why:
                return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}'
    return ""


def missing_variable(pod: Object, container: Mapping[str, Any], view: View) -> str:
    """Why a container's variables cannot be filled, as the kubelet says it; empty if they can."""
    for need in _variable_needs(container):
        why = _lacks(need, namespace_of(pod), view, mounted=False)
        if why:
            return why
    return ""


def _lacks(need: Need, namespace: str, view: View, *, mounted: bool) -> str:
    lower, upper = _WORDS[need.resource]
    found = view.get(need.resource, namespace, need.name)
    if found is None:
        return f'{lower} "{need.name}" not found'
    for key in need.keys:
        if key not in (found.get("data") or {}):
            if mounted:
                return "references non-existent " + ("config key: " if lower == "configmap" else "secret key: ") + key
            return f"couldn't find key {key} in {upper} {namespace}/{need.name}"
    return ""


def _volume_needs(volume: Mapping[str, Any]) -> Iterator[Need]:
    yield from _sources([volume], ("configMap", "name"), ("secret", "secretName"))
    yield from _sources((volume.get("projected") or {}).get("sources") or (), ("configMap", "name"), ("secret", "name"))


def _sources(
    sources: Iterable[Mapping[str, Any]], config_map: tuple[str, str], secret: tuple[str, str]
) -> Iterator[Need]:
    for source in sources:
        for resource, (field, name) in ((CONFIG_MAP, config_map), (SECRET, secret)):
            wanted = source.get(field)
            if wanted and not wanted.get("optional") and wanted.get(name):
                yield Need(resource, wanted[name], tuple(item["key"] for item in wanted.get("items") or ()))


def _variable_needs(container: Mapping[str, Any]) -> Iterator[Need]:
    for source in container.get("envFrom") or ():
        for resource, field in ((CONFIG_MAP, "configMapRef"), (SECRET, "secretRef")):
            wanted = source.get(field)
            if wanted and not wanted.get("optional"):
                yield Need(resource, wanted["name"], ())
    for variable in container.get("env") or ():
        for resource, field in ((CONFIG_MAP, "configMapKeyRef"), (SECRET, "secretKeyRef")):
            wanted = (variable.get("valueFrom") or {}).get(field)
            if wanted and not wanted.get("optional"):
                yield Need(resource, wanted["name"], (wanted["key"],))


def needs(pod: Object, resource: str, name: str) -> bool:
    """Whether a pod mentions that ConfigMap or Secret."""
    spec = spec_of(pod)
    volumes = (need for volume in spec.get("volumes") or () for need in _volume_needs(volume))
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    variables = (need for container in containers for need in _variable_needs(container))
    return any((need.resource, need.name) == (resource, name) for found in (volumes, variables) for need in found)
