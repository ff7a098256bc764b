"""A Flux as it is met: its kinds, a Deployment of kustomize-controller, and a Kustomization with what it has applied.

The Deployment's image is not run. `reconcile` does what the controller does with a Kustomization: nothing while it is suspended, else a
server-side apply of the folder with its labels by its field manager, and the status. Its garbage collection is not played.
"""

import json
from collections.abc import Iterable
from typing import Any

from e2e.argo import config_map, deployment
from e2e.stage import Stage

CONTROLLER = "kustomize-controller"
FINALIZER = "finalizers.fluxcd.io"
KINDS = {"kustomize": ("Kustomization",), "source": ("GitRepository",), "helm": ("HelmRelease",)}


def flux_definition(group: str, kind: str) -> dict[str, Any]:
    plural = "gitrepositories" if kind == "GitRepository" else f"{kind.lower()}s"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema, "subresources": {"status": {}}}
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    spec = {"group": group, "names": names, "scope": "Namespaced", "versions": [version]}
    meta = {"name": f"{plural}.{group}"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": meta,
        "spec": spec,
    }


def _controller() -> dict[str, Any]:
    chosen = {"app": CONTROLLER}
    labels = {"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/component": CONTROLLER}
    pod = {"metadata": {"labels": chosen}, "spec": {"containers": [{"name": "manager", "image": "flux"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": chosen}, "template": pod}
    meta = {"name": CONTROLLER, "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def _listed(bodies: Iterable[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)})


class Flux:
    """One Kustomization `shop` with a Deployment and a ConfigMap in a namespace of their own."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.space = f"{stage.space}-shop"[-60:].lstrip("-")
        self.bodies = [deployment(), config_map("config", k="one")]

    def begin(self) -> None:
        stage = self.stage
        kinds = [
            flux_definition(f"{group}.toolkit.fluxcd.io", kind) for group, kinds in KINDS.items() for kind in kinds
        ]
        files = {f"shop/{body['kind'].lower()}.json": json.dumps(body) for body in self.bodies}
        listed = json.dumps({"resources": ["deployment.json", "configmap.json"]})
        stage.create_repository({**files, "shop/kustomization.yaml": listed})
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.space}}
        self._put(*kinds, space, _controller())
        names = [f"crd/{body['metadata']['name']}" for body in kinds]
        stage.kubectl("wait", "--for=condition=Established", *names)
        source = {"interval": "1m", "url": stage.url, "ref": {"branch": "main"}}
        spec = {"interval": "10m", "path": "./shop", "prune": True, "targetNamespace": self.space}
        spec |= {"sourceRef": {"kind": "GitRepository", "name": "config"}}
        body = self._made("kustomize", "Kustomization", "shop", spec)
        body["metadata"]["finalizers"] = [FINALIZER]
        self._put(self._made("source", "GitRepository", "config", source), body)
        self.reconcile()

    def end(self) -> None:
        """Its objects would be met by the next one: the whole cluster is read."""
        patch = json.dumps({"metadata": {"finalizers": None}})
        self._of_kustomization("patch", "--type=merge", "-p", patch)
        self._of_kustomization("delete")

    def reconcile(self) -> bool:
        """Whether it was not suspended."""
        found = self.kustomization()
        if found["spec"].get("suspend"):
            return False
        group = "kustomize.toolkit.fluxcd.io"
        labels = {f"{group}/name": "shop", f"{group}/namespace": self.stage.space}
        words = ("apply", "--server-side", "--force-conflicts", f"--field-manager={CONTROLLER}", "-f", "-")
        mine = {"namespace": self.space, "labels": labels}
        applied = [{**body, "metadata": {**body["metadata"], **mine}} for body in self.bodies]
        self.stage.kubectl(*words, stdin=_listed(applied))
        status = {
            "inventory": {"entries": [self._entry(body) for body in self.bodies]},
            "lastAppliedRevision": f"main@sha1:{self.stage.git('rev-parse', 'HEAD').strip()}",
            "observedGeneration": found["metadata"]["generation"],
            "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded"}],
        }
        patch = json.dumps({"status": status})
        self._of_kustomization("patch", "--subresource=status", "--type=merge", "-p", patch)
        return True

    def _entry(self, body: dict[str, Any]) -> dict[str, str]:
        group, _, version = body["apiVersion"].rpartition("/")
        return {"id": f"{self.space}_{body['metadata']['name']}_{group}_{body['kind']}", "v": version}

    def kustomization(self) -> dict[str, Any]:
        found = self.stage.get("-n", self.stage.space, "kustomizations.kustomize.toolkit.fluxcd.io", "shop")
        assert found is not None
        return found

    def change(self, patch: dict[str, Any]) -> None:
        self._of_kustomization("patch", "--type=merge", "-p", json.dumps(patch))

    def owners(self, kind: str, name: str) -> list[tuple[str, str]]:
        found = self.stage.get("-n", self.space, kind, name, "--show-managed-fields")
        assert found is not None
        entries = found["metadata"]["managedFields"]
        mine = ("kilde", CONTROLLER)
        return [(one["manager"], one["operation"]) for one in entries if one["manager"] in mine]

    def marks(self, kind: str, name: str) -> tuple[dict[str, str], dict[str, str]]:
        """Labels and annotations."""
        found = self.stage.get("-n", self.space, kind, name)
        assert found is not None
        meta = found["metadata"]
        return meta.get("labels") or {}, meta.get("annotations") or {}

    def state(self) -> dict[str, tuple[str, Any]]:
        """UID and generation of all that stands in the application's namespace, pods included; of Deployments their spec.

        For these a server counts a new annotation, such as a mark, as a new generation.
        """
        kinds = "pods,replicasets,deployments,configmaps,secrets,services"
        found = json.loads(self.stage.kubectl("get", kinds, "-n", self.space, "-o", "json"))["items"]
        return {
            f"{one['kind']}/{one['metadata']['name']}": (
                one["metadata"]["uid"],
                one["spec"] if one["kind"] == "Deployment" else one["metadata"].get("generation"),
            )
            for one in found
        }

    def is_whole(self) -> bool:
        """Whether the cluster's controllers have made what they make."""
        there = self.state()
        return sum(name.startswith("Pod/") for name in there) == 2 and "ConfigMap/kube-root-ca.crt" in there

    def whole(self) -> str:
        """Everything that a refused move must leave as it is."""
        kinds = "kustomizations.kustomize.toolkit.fluxcd.io,configmaps,applications.argoproj.io,appprojects.argoproj.io"
        here = self.stage.kubectl("get", kinds, "-n", self.stage.space, "-o", "json", "--show-managed-fields")
        there = self.stage.kubectl("get", "cm", "config", "-n", self.space, "-o", "json", "--show-managed-fields")
        return f"{here}{there}" + json.dumps(self.state())

    def _of_kustomization(self, verb: str, *words: str) -> None:
        kind = "kustomizations.kustomize.toolkit.fluxcd.io"
        self.stage.kubectl("-n", self.stage.space, verb, kind, "shop", *words)

    def _made(self, group: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        api = f"{group}.toolkit.fluxcd.io/v1"
        return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec}

    def _put(self, *bodies: dict[str, Any]) -> None:
        self.stage.kubectl("-n", self.stage.space, "apply", "-f", "-", stdin=_listed(bodies))
