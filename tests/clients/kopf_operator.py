"""An operator written with kopf: it makes a ConfigMap for each Widget, keeps it, sets the status, and holds a finalizer."""

import kopf
from kubernetes import client, config


@kopf.on.startup()
def begin(settings, **_):
    settings.posting.enabled = True
    settings.networking.request_timeout = 10
    config.load_kube_config()


def body(name, namespace, size):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"{name}-size"), data={"size": str(size)})


@kopf.on.create("example.org", "v1", "widgets")
def create(spec, name, namespace, patch, **_):
    made = client.ApiClient().sanitize_for_serialization(body(name, namespace, spec["size"]))
    kopf.adopt(made)
    client.CoreV1Api().create_namespaced_config_map(namespace, made)
    print(f"created for {name}", flush=True)
    patch.status["made"] = spec["size"]


@kopf.on.update("example.org", "v1", "widgets", field="spec.size")
def update(old, new, name, namespace, patch, **_):
    client.CoreV1Api().patch_namespaced_config_map(f"{name}-size", namespace, {"data": {"size": str(new)}})
    print(f"{name}: {old} to {new}", flush=True)
    patch.status["made"] = new


@kopf.on.delete("example.org", "v1", "widgets")
def delete(name, **_):
    print(f"deleted {name}", flush=True)


@kopf.timer("example.org", "v1", "widgets", interval=0.5, idle=0.2)
def tick(name, **_):
    print(f"tick for {name}", flush=True)
