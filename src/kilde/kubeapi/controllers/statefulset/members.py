"""Members: the numbered pods of a StatefulSet."""

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.history import POD_HASH, template_of
from kilde.kubeapi.controllers.metadata import labels_of, name_of, namespace_of
from kilde.kubeapi.controllers.pods import from_template
from kilde.kubeapi.controllers.statefulset.claims import templates_of

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


def ordinal(owner: Object, pod: Object) -> int | None:
    """The number of a pod named `<set>-<number>`; None if it is not named so."""
    parent, _, number = name_of(pod).rpartition("-")
    return int(number) if parent == name_of(owner) and number.isdigit() else None


def first(owner: Object) -> int:
    return int((owner["spec"].get("ordinals") or {}).get("start") or 0)


def revision_of(pod: Object) -> str:
    return labels_of(pod).get(POD_HASH, "")


def make_pod(owner: Object, number: int, revision: Object) -> Object:
    """The pod with that number, of that revision's template, with its claims mounted."""
    name = f"{name_of(owner)}-{number}"
    labels = {POD_NAME: name, POD_INDEX: str(number), POD_HASH: name_of(revision)}
    pod = from_template(template_of(revision), owner, namespace=namespace_of(owner), labels=labels)
    pod["metadata"]["name"] = name
    spec = {**pod["spec"], "hostname": name}
    if owner["spec"].get("serviceName"):
        spec["subdomain"] = owner["spec"]["serviceName"]
    claims = {wanted["metadata"]["name"]: f"{wanted['metadata']['name']}-{name}" for wanted in templates_of(owner)}
    if claims:
        kept = [volume for volume in spec.get("volumes") or () if volume["name"] not in claims]
        mounted = [{"name": key, "persistentVolumeClaim": {"claimName": claims[key]}} for key in sorted(claims)]
        spec["volumes"] = [*mounted, *kept]
    return {**pod, "spec": spec}
