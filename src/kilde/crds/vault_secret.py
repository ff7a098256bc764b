"""VaultSecret's schema: a Secret whose values are read from Vault; Kilde's own kind."""

from typing import Any

from kilde.crds.schema import Schema, fields, many, moment, text, text_map, whole
from kilde.crds.sealed_secret import template

GROUP = "kilde.dev"
_REFERENCE = r"^vault:[^#]+#.+$"
COLUMNS: tuple[dict[str, Any], ...] = (
    {"jsonPath": '.status.conditions[?(@.type=="Ready")].status', "name": "Ready", "type": "string"},
    {"jsonPath": '.status.conditions[?(@.type=="Ready")].reason', "name": "Reason", "type": "string"},
    {"jsonPath": ".metadata.creationTimestamp", "name": "Age", "type": "date"},
)


def schema() -> dict[str, Schema]:
    """`spec` and `status`."""
    return {"spec": _spec(), "status": _status()}


def _spec() -> Schema:
    data = text_map("Item to reference: vault:MOUNT/NAME#KEY, or with a version vault:MOUNT/NAME#KEY@VERSION.")
    data["additionalProperties"] = text(pattern=_REFERENCE)
    data["minProperties"] = 1
    properties = {
        "data": data,
        "refreshInterval": text(
            "How often Vault is asked for newer versions, as in 90s, 5m or 1h (the default); 0: never."
        ),
        "template": template("Item to template, in Go's text/template over the values.", "VaultSecret"),
    }
    return fields(properties, required=("data",))


def _status() -> Schema:
    condition = fields(
        {
            "lastTransitionTime": moment("When the status last changed."),
            "lastUpdateTime": moment("When the condition was last written."),
            "message": text("Why the Secret is not as new as it could be."),
            "reason": text("The same in a word."),
            "status": text("True, False or Unknown."),
            "type": text("Ready."),
        },
        required=("status", "type"),
    )
    version = fields({"path": text("An entry of Vault."), "version": whole("What the Secret has of it.")})
    return fields(
        {
            "conditions": many(condition),
            "observedGeneration": whole("The generation that the controller has seen."),
            "versions": many(version, "What the Secret was made from."),
        }
    )
