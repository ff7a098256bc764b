"""Application: what is deployed, from where, to where, and how that went."""

from typing import Any

from kilde.crds.schema import Schema, fields, flag, many, moment, text, text_map, texts, whole
from kilde.crds.source import hydrator, source

COLUMNS = (
    {"name": "Sync Status", "type": "string", "jsonPath": ".status.sync.status"},
    {"name": "Health Status", "type": "string", "jsonPath": ".status.health.status"},
    {"name": "Revision", "type": "string", "jsonPath": ".status.sync.revision", "priority": 10},
    {"name": "Project", "type": "string", "jsonPath": ".spec.project", "priority": 10},
)


def schema() -> dict[str, Schema]:
    """The fields beside apiVersion, kind and metadata."""
    return {"operation": operation(), "spec": spec(), "status": status()}


def spec() -> Schema:
    return fields(
        {
            "destination": destination(),
            "ignoreDifferences": many(ignored(), "Differences that do not count."),
            "info": many(note(), "Shown to people."),
            "project": text("The project it belongs to."),
            "revisionHistoryLimit": whole("How many deployments are remembered; 10 if unset."),
            "source": source(),
            "sourceHydrator": hydrator(),
            "sources": many(source(), "Several sources; `source` is then ignored."),
            "syncPolicy": sync_policy(),
        },
        required=("destination", "project"),
        description="What is wanted.",
    )


def destination() -> Schema:
    return fields(
        {
            "name": text("The cluster's name; or say server."),
            "namespace": text("For objects that name none."),
            "server": text("The cluster's address; or say name."),
        },
        description="Where to.",
    )


def ignored() -> Schema:
    return fields(
        {
            "group": text(),
            "jqPathExpressions": texts(),
            "jsonPointers": texts(),
            "kind": text(),
            "managedFieldsManagers": texts(),
            "name": text(),
            "namespace": text(),
        },
        required=("kind",),
    )


def note() -> Schema:
    return fields({"name": text(), "value": text()}, required=("name", "value"))


def retry() -> Schema:
    backoff = fields({"duration": text(), "factor": whole(), "maxDuration": text()})
    limit = whole("How often a failed sync is tried again; below 0: without end.")
    return fields({"backoff": backoff, "limit": limit, "refresh": flag("Try again with the newest revision.")})


def sync_policy() -> Schema:
    automated = fields(
        {
            "allowEmpty": flag("May prune everything."),
            "enabled": flag("False: as if automated were not there."),
            "prune": flag("Deletes what is no longer in Git."),
            "selfHeal": flag("Undoes changes made in the cluster."),
        },
        description="Syncs without being asked.",
    )
    return fields(
        {
            "automated": automated,
            "managedNamespaceMetadata": namespace_metadata(),
            "retry": retry(),
            "syncOptions": texts("Such as CreateNamespace=true."),
        },
        description="When and how it is synced.",
    )


def namespace_metadata() -> Schema:
    return fields({"annotations": text_map(), "labels": text_map()})


def operation() -> Schema:
    picked = fields({"group": text(), "kind": text(), "name": text(), "namespace": text()}, required=("kind", "name"))
    forced = fields({"force": flag()})
    sync = fields(
        {
            "autoHealAttemptsCount": whole(),
            "dryRun": flag(),
            "manifests": texts(),
            "prune": flag(),
            "resources": many(picked, "Only these objects."),
            "revision": text(),
            "revisions": texts(),
            "source": source(),
            "sources": many(source()),
            "syncOptions": texts(),
            "syncStrategy": fields({"apply": forced, "hook": forced}),
        }
    )
    return fields(
        {"info": many(note()), "initiatedBy": initiated_by(), "retry": retry(), "sync": sync},
        description="What it is asked to do once.",
    )


def initiated_by() -> Schema:
    return fields({"automated": flag(), "username": text()})


def status() -> Schema:
    condition = fields(
        {"lastTransitionTime": moment(), "message": text(), "type": text()}, required=("message", "type")
    )
    summary = fields({"externalURLs": texts(), "images": texts(), "isAppOfApps": flag()})
    return fields(
        {
            "conditions": many(condition, "What people should know."),
            "controllerNamespace": text(),
            "health": fields({"lastTransitionTime": moment(), "message": text(), "status": text()}),
            "history": many(_deployment(), "Successful deployments."),
            "observedAt": moment(),
            "operationState": _operation_state(),
            "reconciledAt": moment(),
            "resourceHealthSource": text(),
            "resources": many(resource(), "What it consists of."),
            "sourceHydrator": _hydration(),
            "sourceType": text(),
            "sourceTypes": texts(),
            "summary": summary,
            "sync": _comparison(),
        },
        description="What is.",
    )


def _revisions() -> dict[str, Any]:
    return {"revision": text(), "revisions": texts(), "source": source(), "sources": many(source())}


def _deployment() -> Schema:
    own = {"deployStartedAt": moment(), "deployedAt": moment(), "id": whole(), "initiatedBy": initiated_by()}
    return fields({**own, **_revisions()}, required=("deployedAt", "id"))


def _comparison() -> Schema:
    compared = fields(
        {
            "destination": destination(),
            "ignoreDifferences": many(ignored()),
            "source": source(),
            "sources": many(source()),
        },
        required=("destination",),
    )
    return fields(
        {"comparedTo": compared, "revision": text(), "revisions": texts(), "status": text()}, required=("status",)
    )


def resource() -> Schema:
    """What a status tells of one object."""
    return fields(
        {
            "group": text(),
            "health": fields({"lastTransitionTime": moment(), "message": text(), "status": text()}),
            "hook": flag(),
            "kind": text(),
            "name": text(),
            "namespace": text(),
            "requiresDeletionConfirmation": flag(),
            "requiresPruning": flag(),
            "status": text(),
            "syncWave": whole(),
            "version": text(),
        }
    )


def _operation_state() -> Schema:
    words = ("hookPhase", "hookType", "message", "status", "syncPhase")
    named = ("group", "kind", "name", "namespace", "version")
    result = fields({**{word: text() for word in sorted((*words, *named))}, "images": texts()}, required=named)
    synced = fields(
        {"managedNamespaceMetadata": namespace_metadata(), "resources": many(result), **_revisions()},
        required=("revision",),
    )
    return fields(
        {
            "finishedAt": moment(),
            "message": text(),
            "operation": operation(),
            "phase": text(),
            "retryCount": whole(),
            "startedAt": moment(),
            "syncResult": synced,
        },
        required=("operation", "phase", "startedAt"),
        description="The operation that runs, or the last one.",
    )


def _hydration() -> Schema:
    done = {"drySHA": text(), "hydratedSHA": text(), "sourceHydrator": hydrator()}
    current = fields(
        {
            **done,
            "finishedAt": moment(),
            "message": text(),
            "phase": text(enum=["Hydrating", "Failed", "Hydrated"]),
            "startedAt": moment(),
        },
        required=("message", "phase"),
    )
    return fields({"currentOperation": current, "lastSuccessfulOperation": fields(done)})
