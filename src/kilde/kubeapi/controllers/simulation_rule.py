"""The CustomResourceDefinition of SimulationRule: what a simulated cluster is to pretend, as an object that is applied like others."""

from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.rule_steps import STEPS

GROUP, KIND, PLURAL = "sim.kilde.dev", "SimulationRule", "simulationrules"
_TEXT: dict[str, Any] = {"type": "string"}
_ANY: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}


def _text(description: str) -> dict[str, Any]:
    return {**_TEXT, "description": description}


_MATCH: dict[str, Any] = {
    "type": "object",
    "description": "What the rule is about; everything that is given has to fit, nothing given fits everything.",
    "properties": {
        "kind": _text(
            "Kind of the thing itself (Pod, PersistentVolumeClaim, Service, Ingress, Node) or of a pod's owner."
        ),
        "name": _text("Its name, a glob."),
        "namespace": _text("Its namespace, a glob; things without one are meant in any case."),
        "labelSelector": {
            **_ANY,
            "type": "object",
            "description": "matchLabels and matchExpressions, or labels alone.",
        },
        "image": _text("Image of a container, a glob."),
        "container": _text("Name of a container, a glob."),
    },
}
_SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["script"],
    "properties": {
        "match": _MATCH,
        "script": {
            "type": "array",
            "description": "Steps; a later one wins over an earlier one.",
            "items": {"type": "object", "properties": dict.fromkeys(STEPS, _ANY)},
        },
        "override": {
            "type": "boolean",
            "description": "Whether the rule wins over annotations; they win over it otherwise.",
        },
    },
}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "SimulationRule says what pretended things do, and which faults they have.",
    "required": ["spec"],
    "properties": {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}, "spec": _SPEC},
}
_COLUMNS = [
    {"name": "Kind", "type": "string", "jsonPath": ".spec.match.kind"},
    {"name": "Name", "type": "string", "jsonPath": ".spec.match.name"},
    {"name": "Image", "type": "string", "jsonPath": ".spec.match.image"},
]


def definition() -> Object:
    """The definition, to be created or applied. It is not there by default: a new cluster has no custom resources."""
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _SCHEMA},
        "additionalPrinterColumns": _COLUMNS,
    }
    names = {"kind": KIND, "listKind": f"{KIND}List", "plural": PLURAL, "singular": KIND.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Cluster", "names": names, "versions": [version]},
    }
