"""ApplicationSet: many Applications from one template.

Templates inside generators are parts of a template with placeholders, and nested generators may hold any generator but nesting ones:
both are kept as they are here and judged when they are used.
"""

from kilde.crds import application
from kilde.crds.generators import generators
from kilde.crds.schema import Schema, fields, flag, many, moment, text, text_map, texts, whole, whole_or_text


def schema() -> dict[str, Schema]:
    """The fields beside apiVersion, kind and metadata."""
    return {"spec": _spec(), "status": _status()}


def _spec() -> Schema:
    metadata = fields(
        {
            "annotations": text_map(),
            "finalizers": texts(),
            "labels": text_map(),
            "name": text(),
            "namespace": text(),
        }
    )
    policy = fields(
        {
            "applicationsSync": text(enum=["create-only", "create-update", "create-delete", "sync"]),
            "preserveResourcesOnDeletion": flag(),
        }
    )
    ignored = fields({"jqPathExpressions": texts(), "jsonPointers": texts(), "name": text()})
    return fields(
        {
            "applyNestedSelectors": flag(),
            "generators": many(generators(), "What the template is filled with."),
            "goTemplate": flag("Go templates instead of {{name}}."),
            "goTemplateOptions": texts(),
            "ignoreApplicationDifferences": many(ignored),
            "preservedFields": fields({"annotations": texts(), "labels": texts()}),
            "strategy": _strategy(),
            "syncPolicy": policy,
            "template": fields({"metadata": metadata, "spec": application.spec()}, required=("metadata", "spec")),
            "templatePatch": text(),
        },
        required=("generators", "template"),
        description="What is wanted.",
    )


def _strategy() -> Schema:
    match = fields({"key": text(), "operator": text(), "values": texts()})
    step = fields({"matchExpressions": many(match), "maxUpdate": whole_or_text()})
    return fields({"deletionOrder": text(), "rollingSync": fields({"steps": many(step)}), "type": text()})


def _status() -> Schema:
    progress = fields(
        {
            "application": text(),
            "lastTransitionTime": moment(),
            "message": text(),
            "status": text(),
            "step": text(),
            "targetRevisions": texts(),
        },
        required=("application", "message", "status", "step"),
    )
    condition = fields(
        {"lastTransitionTime": moment(), "message": text(), "reason": text(), "status": text(), "type": text()},
        required=("message", "reason", "status", "type"),
    )
    return fields(
        {
            "applicationStatus": many(progress),
            "conditions": many(condition),
            "health": fields({"lastTransitionTime": moment(), "message": text(), "status": text()}),
            "resources": many(application.resource()),
            "resourcesCount": whole(),
        },
        description="What is.",
    )
