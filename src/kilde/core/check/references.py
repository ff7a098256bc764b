"""What an object names that must be there for it to work: by kind, name and the field that says so; and what makes such things."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.yaml_reader import Path


class Reference(NamedTuple):
    """A name in the same namespace: the kind that is meant, and the field."""

    kind: str
    name: str
    path: Path


class PodTemplate(NamedTuple):
    """A pod as a workload makes it: labels and spec, and where the spec stands."""

    labels: dict[str, str]
    spec: Object
    path: Path


_TEMPLATES: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("argoproj.io", "Rollout"): ("spec", "template"),
}
WORKLOADS = frozenset(_TEMPLATES)
"""Group and kind of what makes pods."""
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def pod_template(manifest: Manifest) -> PodTemplate | None:
    """The pods of a workload; None for what makes none."""
    path = _TEMPLATES.get((manifest.group, manifest.kind))
    if path is None:
        return None
    found = at(manifest.body, *path)
    spec = at(found, "spec")
    if not isinstance(spec, dict):
        return None
    labels = at(found, "metadata", "labels")
    return PodTemplate(_texts(labels), spec, (*path, "spec"))


def containers(pod: PodTemplate) -> Iterator[tuple[Object, Path]]:
    """The containers of a pod, each with where it stands."""
    for field in _CONTAINERS:
        for number, container in enumerate(_maps(pod.spec.get(field))):
            yield container, (*pod.path, field, number)


def pod_references(pod: PodTemplate) -> Iterator[Reference]:
    """ConfigMaps, Secrets, claims and the ServiceAccount that the pod cannot start without; what is optional is left out."""
    account = pod.spec.get("serviceAccountName") or pod.spec.get("serviceAccount")
    if isinstance(account, str) and account != "default":
        yield Reference("ServiceAccount", account, (*pod.path, "serviceAccountName"))
    for number, secret in enumerate(_maps(pod.spec.get("imagePullSecrets"))):
        if isinstance(secret.get("name"), str):
            yield Reference("Secret", secret["name"], (*pod.path, "imagePullSecrets", number, "name"))
    for number, volume in enumerate(_maps(pod.spec.get("volumes"))):
        yield from _volume(volume, (*pod.path, "volumes", number))
    for container, path in containers(pod):
        yield from _environment(container, path)


def _volume(volume: Object, path: Path) -> Iterator[Reference]:
    yield from _source(volume, "configMap", "ConfigMap", "name", path)
    yield from _source(volume, "secret", "Secret", "secretName", path)
    yield from _source(volume, "persistentVolumeClaim", "PersistentVolumeClaim", "claimName", path)
    for number, source in enumerate(_maps(at(volume, "projected", "sources"))):
        inside = (*path, "projected", "sources", number)
        yield from _source(source, "configMap", "ConfigMap", "name", inside)
        yield from _source(source, "secret", "Secret", "name", inside)


def _source(holder: Object, field: str, kind: str, key: str, path: Path) -> Iterator[Reference]:
    found = holder.get(field)
    if isinstance(found, dict) and isinstance(found.get(key), str) and found[key] and not found.get("optional"):
        yield Reference(kind, found[key], (*path, field, key))


def _environment(container: Object, path: Path) -> Iterator[Reference]:
    for number, variable in enumerate(_maps(container.get("env"))):
        source = variable.get("valueFrom")
        if isinstance(source, dict):
            inside = (*path, "env", number, "valueFrom")
            yield from _source(source, "configMapKeyRef", "ConfigMap", "name", inside)
            yield from _source(source, "secretKeyRef", "Secret", "name", inside)
    for number, source in enumerate(_maps(container.get("envFrom"))):
        yield from _source(source, "configMapRef", "ConfigMap", "name", (*path, "envFrom", number))
        yield from _source(source, "secretRef", "Secret", "name", (*path, "envFrom", number))


class Made(NamedTuple):
    """Something that a controller makes of an object: `everywhere` in every namespace."""

    kind: str
    name: str
    everywhere: bool = False


def makes(manifest: Manifest) -> Iterator[Made]:
    """What comes to be beside the object itself."""
    key, body = (manifest.group, manifest.kind), manifest.body
    if key == ("bitnami.com", "SealedSecret"):
        yield Made("Secret", _text(body, "spec", "template", "metadata", "name") or manifest.name)
    elif key in (("external-secrets.io", "ExternalSecret"), ("external-secrets.io", "ClusterExternalSecret")):
        name = _text(body, "spec", "target", "name") or _text(body, "spec", "externalSecretName") or manifest.name
        yield Made("Secret", name, manifest.kind == "ClusterExternalSecret")
    elif key == ("cert-manager.io", "Certificate"):
        yield Made("Secret", _text(body, "spec", "secretName"))
    elif key == ("trust.cert-manager.io", "Bundle"):
        yield Made("ConfigMap", manifest.name, everywhere=True)
        yield Made("Secret", manifest.name, everywhere=True)
    elif manifest.kind == "Ingress" and any(name.startswith("cert-manager.io/") for name in manifest.annotations):
        for tls in _maps(at(body, "spec", "tls")):
            yield Made("Secret", str(tls.get("secretName") or ""))
    elif key == ("apps", "StatefulSet"):
        replicas = at(body, "spec", "replicas")
        for template in _maps(at(body, "spec", "volumeClaimTemplates")):
            claim = _text(template, "metadata", "name")
            for number in range(replicas if isinstance(replicas, int) and 0 <= replicas <= 1000 else 1):
                yield Made("PersistentVolumeClaim", f"{claim}-{manifest.name}-{number}")


MADE_BY_KUBERNETES = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})
"""What every namespace has."""


def at(value: Any, *steps: str) -> Any:
    """What is at a path of maps; None where something on the way is no map."""
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: Any, *steps: str) -> str:
    found = at(value, *steps)
    return found if isinstance(found, str) else ""


def _texts(value: Any) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}


def _maps(value: Any) -> list[Object]:
    """The items of a list, what is no map as an empty one: places stay right."""
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []
