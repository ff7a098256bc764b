"""Objects that configure built-in plugins, and the files of configurations, crds and openapi."""

import random
from typing import Any

from fuzz.kinds import Kinds
from fuzz.objects import Object
from fuzz.patches import Patches
from fuzz.style import Writer


class Plugins:
    """Made with the same dice as the objects."""

    def __init__(self, kinds: Kinds, patches: Patches, dice: random.Random) -> None:
        self.kinds, self.patches, self.dice = kinds, patches, dice

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def pick(self, *choices: Any) -> Any:
        return self.dice.choice(choices)

    def field_spec(self, path: str) -> Object:
        found: Object = {"path": path}
        found |= self.kinds.some(
            {"kind": self.pick("Deployment", "Thing", "ConfigMap", "Service"), "create": self.chance(0.7)}, 0.6
        )
        return found | self.kinds.some({"group": self.pick("apps", "example.com"), "version": "v1"}, 0.15)

    def field_specs(self, *paths: str) -> list[Object]:
        return [self.field_spec(path) for path in self.dice.sample(paths, self.dice.randint(1, len(paths)))]

    def transformer(self, found: Object, write: Any) -> Object:
        """A built-in transformer's configuration."""
        kind, body = self.pick(
            ("PrefixTransformer", lambda: {"prefix": self.pick("t-", ""), "fieldSpecs": self.field_specs("metadata/name", "spec/configName")}),
            ("SuffixTransformer", lambda: {"suffix": "-t", "fieldSpecs": self.field_specs("metadata/name", "data/a")}),
            ("LabelTransformer", lambda: {"labels": {"t": "1"}, "fieldSpecs": self.field_specs("metadata/labels", "spec/template/metadata/labels")}),
            ("AnnotationsTransformer", lambda: {"annotations": {"t": "yes"}, "fieldSpecs": self.field_specs("metadata/annotations", "spec/x")}),
            ("ImageTagTransformer", lambda: {"imageTag": {"name": "nginx", "newTag": "9"}, "fieldSpecs": self.field_specs("spec/image", "spec/containers[]/image")}),
            ("NamespaceTransformer", self.namespace),
            ("ReplicaCountTransformer", lambda: {"replica": {"name": found["metadata"]["name"], "count": 7}, "fieldSpecs": self.field_specs("spec/replicas")}),
            ("PatchTransformer", lambda: self.patches.entry(found, write)),
            ("PatchStrategicMergeTransformer", lambda: {"patches": self.text(self.patches.strategic(found))}),
            ("PatchJson6902Transformer", lambda: self.json6902(found)),
            ("ReplacementTransformer", lambda: {"replacements": [self.patches.replacement(self.kinds.made)]}),
            ("HashTransformer", dict),
            ("ValueAddTransformer", lambda: self.value_add(found)),
            ("PrefixSuffixTransformer", lambda: {"prefix": "q-", "suffix": "-q", "fieldSpecs": self.field_specs("metadata/name")}),
        )  # fmt: skip
        metadata: Object = {"name": "plugin"}
        made = body()
        metadata |= made.pop("metadata", {})
        return {"apiVersion": "builtin", "kind": kind, "metadata": metadata, **made}

    def namespace(self) -> Object:
        modes = self.pick("defaultOnly", "allServiceAccounts", "none")
        return {
            "metadata": {"namespace": self.pick("prod", "tns")},
            **self.kinds.some({"unsetOnly": self.chance(0.7), "setRoleBindingSubjects": modes}, 0.5),
            **self.kinds.some({"fieldSpecs": self.field_specs("metadata/namespace", "subjects", "metadata/name")}, 0.7),
        }

    def json6902(self, found: Object) -> Object:
        target = {"kind": found["kind"], "name": found["metadata"]["name"]}
        return {"target": target, "jsonOp": self.text(self.patches.operations(found))}

    def value_add(self, found: Object) -> Object:
        target = {"selector": {"kind": found["kind"]}, "fieldPath": self.pick("metadata/namespace", "spec/x", "data/a")}
        return {"value": "added", "targets": [target | self.kinds.some({"filePathPosition": self.pick(0, 1, 2)})]}

    def text(self, value: Any) -> str:
        return Writer(self.dice, 0.1).document(value)

    def generator(self) -> Object:
        kind, body = self.pick(
            ("ConfigMapGenerator", lambda: {"literals": ["p=1", "q=two"], **self.kinds.some({"behavior": "merge"}, 0.1)}),
            ("SecretGenerator", lambda: {"literals": ["p=1"], "type": "x", **self.kinds.some({"options": {"labels": {"o": "p"}}})}),
            ("IAMPolicyGenerator", lambda: {
                "cloud": "gke", "kubernetesService": {"namespace": "prod", "name": "k"}, "serviceAccount": {"name": "g", "projectId": "p"}}),
        )  # fmt: skip
        metadata = {"name": self.pick("cm", "sec", "pgen"), **self.kinds.some({"namespace": "prod"}, 0.2)}
        return {"apiVersion": "builtin", "kind": kind, "metadata": metadata, **body()}

    def configuration(self) -> Object:
        """A file of `configurations`."""
        reference = {
            "kind": self.pick("ConfigMap", "Secret", "Deployment", "Thing"),
            "fieldSpecs": self.field_specs("spec/configName", "spec/list/name", "metadata/annotations/a", "data/a"),
        }
        return self.kinds.some(
            {
                "nameReference": [reference],
                "namePrefix": self.field_specs("spec/configName", "data/b"),
                "nameSuffix": self.field_specs("spec/configName"),
                "namespace": self.field_specs("spec/ns", "data/c"),
                "commonLabels": self.field_specs("spec/labels"),
                "labels": self.field_specs("spec/labels2"),
                "templateLabels": self.field_specs("spec/labels3"),
                "commonAnnotations": self.field_specs("spec/annotations"),
                "images": self.field_specs("spec/image", "spec/list[]/image"),
                "replicas": self.field_specs("spec/replicas"),
                "varReference": self.field_specs("data", "spec/list/v", "metadata/annotations"),
            },
            0.3,
        ) or {"varReference": [{"path": "data"}]}  # fmt: skip

    def crds(self) -> Object:
        properties = {
            "spec": {"$ref": "example.v1.ThingSpec"},
            "metadata": {"$ref": "k8s.io/x.ObjectMeta"},
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
        }
        spec = {
            "configName": {
                "type": "string",
                "x-kubernetes-object-ref-api-version": "v1",
                "x-kubernetes-object-ref-kind": "ConfigMap",
            },
            "list": {"type": "array", "x-kubernetes-annotation": ""},
            "f0": {"type": "object", "x-kubernetes-label-selector": ""},
        }
        return {
            "example.v1.Thing": {"Schema": {"properties": properties}, "Dependencies": ["example.v1.ThingSpec"]},
            "example.v1.ThingSpec": {"Schema": {"properties": spec}, "Dependencies": []},
        }

    def openapi(self) -> Object:
        strategy: Object = {"x-kubernetes-patch-strategy": "merge"}
        strategy |= self.pick(
            {"x-kubernetes-patch-merge-key": "name"}, {"x-kubernetes-list-map-keys": ["name", "v"]}, {}
        )
        thing: Object = {
            "type": "object",
            "properties": {"spec": {"$ref": "#/definitions/example.ThingSpec"}},
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}],
        }
        gvk = {"group": "example.com", "version": "v1", "kind": "Thing"}
        scope = self.pick("", "namespaces/{namespace}/")
        paths = {f"/apis/example.com/v1/{scope}things": {"get": {"x-kubernetes-group-version-kind": gvk}}}
        return {
            **self.kinds.some({"paths": paths}, 0.5),
            "definitions": {
                "example.Thing": thing,
                "example.ThingSpec": {
                    "type": "object",
                    "properties": {
                        "list": {"type": "array", "items": {"type": "object"}, **strategy},
                        "containers": {
                            "type": "array",
                            "items": {"$ref": "#/definitions/io.k8s.api.core.v1.Container"},
                            **strategy,
                        },
                    },
                },
            },
        }
