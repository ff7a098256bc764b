"""What programs do with the official Python client: create, pages, conflicts, watches, patches, logs, custom objects, deletion."""

from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException

config.load_kube_config()
core, apps, custom = client.CoreV1Api(), client.AppsV1Api(), client.CustomObjectsApi()
print("version", client.VersionApi().get_code().git_version)

labels = {"app": "web"}
container = client.V1Container(name="web", image="nginx:1.29", ports=[client.V1ContainerPort(container_port=80)])
pod = client.V1PodTemplateSpec(
    metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container])
)
spec = client.V1DeploymentSpec(replicas=2, selector=client.V1LabelSelector(match_labels=labels), template=pod)
apps.create_namespaced_deployment("default", client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec))
for event in watch.Watch().stream(apps.list_namespaced_deployment, "default", timeout_seconds=30):
    if event["object"].status.ready_replicas == 2:
        print("ready", event["object"].metadata.name, event["object"].spec.strategy.type)
        break
pods = core.list_namespaced_pod("default", label_selector="app=web").items
print("pods", len(pods), {one.status.phase for one in pods})
print("log", core.read_namespaced_pod_log(pods[0].metadata.name, "default").split(" ")[0])

for number in range(5):
    core.create_namespaced_config_map(
        "default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"page-{number}", labels={"page": "yes"}))
    )
seen, token = 0, None
while True:
    page = core.list_namespaced_config_map("default", label_selector="page=yes", limit=2, _continue=token)
    seen += len(page.items)
    token = page.metadata._continue
    if not token:
        break
print("pages", seen)
core.patch_namespaced_config_map("page-0", "default", {"data": {"a": "1"}})
stale = core.read_namespaced_config_map("page-0", "default")
core.patch_namespaced_config_map("page-0", "default", [{"op": "add", "path": "/data/b", "value": "2"}])
try:
    core.replace_namespaced_config_map("page-0", "default", stale)
except ApiException as error:
    print("stale", error.status, error.reason)
try:
    core.read_namespaced_config_map("nothing", "default")
except ApiException as error:
    print("missing", error.status)
core.delete_collection_namespaced_config_map("default", label_selector="page=yes")
print("left", len(core.list_namespaced_config_map("default", label_selector="page=yes").items))

apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 0}})
for event in watch.Watch().stream(core.list_namespaced_pod, "default", label_selector="app=web", timeout_seconds=30):
    if event["type"] == "DELETED" and not core.list_namespaced_pod("default", label_selector="app=web").items:
        print("scaled to nothing; last event", event["type"])
        break

definition = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
                    }
                },
            }
        ],
    },
}
anything = dynamic.DynamicClient(client.ApiClient())
anything.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition").create(body=definition)
body = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 3}}
custom.create_namespaced_custom_object("example.org", "v1", "default", "widgets", body)
widgets = anything.resources.get(api_version="example.org/v1", kind="Widget")
applied = widgets.server_side_apply(
    body={**body, "spec": {"size": 4}}, namespace="default", field_manager="tour", force_conflicts=True
)
print("applied", applied.spec.size, [entry["manager"] for entry in applied.metadata.managedFields])
try:
    custom.patch_namespaced_custom_object("example.org", "v1", "default", "widgets", "w", {"spec": {"size": "x"}})
except ApiException as error:
    print("invalid", error.status)
