"""What programs do with lightkube: apply, wait, watch, generic resources, patches, scale, logs, deletion."""

from lightkube import ApiError, Client
from lightkube.generic_resource import load_in_cluster_generic_resources
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Namespace, Pod
from lightkube.types import PatchType

client = Client(field_manager="tour")
client.apply(Namespace(metadata=ObjectMeta(name="tour")))
labels = {"app": "web"}
template = PodTemplateSpec(
    metadata=ObjectMeta(labels=labels), spec=PodSpec(containers=[Container(name="web", image="nginx:1.29")])
)
web = Deployment(
    metadata=ObjectMeta(name="web", namespace="tour"),
    spec=DeploymentSpec(replicas=2, selector=LabelSelector(matchLabels=labels), template=template),
)
client.apply(web)
ready = client.wait(Deployment, "web", for_conditions=["Available"], namespace="tour")
print("available", ready.status.availableReplicas)
print("pods", len(list(client.list(Pod, namespace="tour", labels=labels))))
pod = next(iter(client.list(Pod, namespace="tour")))
print("log", next(iter(client.log(pod.metadata.name, namespace="tour"))).split(" ")[0])
client.patch(
    Deployment,
    "web",
    {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.30"}]}}}},
    namespace="tour",
)
for kind, found in client.watch(Deployment, namespace="tour"):
    if found.status.updatedReplicas == 2 and found.status.observedGeneration == found.metadata.generation:
        print("rolled out", kind)
        break
client.create(ConfigMap(metadata=ObjectMeta(name="c", namespace="tour"), data={"a": "1"}))
patched = client.patch(
    ConfigMap, "c", [{"op": "replace", "path": "/data/a", "value": "2"}], namespace="tour", patch_type=PatchType.JSON
)
print("patched", patched.data)
try:
    client.create(ConfigMap(metadata=ObjectMeta(name="c", namespace="tour")))
except ApiError as error:
    print("again", error.status.code, error.status.reason)
load_in_cluster_generic_resources(client)
client.delete(Namespace, "tour")
for kind, _ in client.watch(Namespace, fields={"metadata.name": "tour"}):
    if kind == "DELETED":
        print("namespace gone")
        break
