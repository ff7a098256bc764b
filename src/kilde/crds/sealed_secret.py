"""SealedSecret's schema, as Bitnami's Sealed Secrets has it."""

from typing import Any

from kilde.crds.schema import Schema, fields, flag, many, moment, text, text_map, texts, whole

COLUMNS: tuple[dict[str, Any], ...] = (
    {"jsonPath": ".status.conditions[0].message", "name": "Status", "type": "string"},
    {"jsonPath": ".status.conditions[0].status", "name": "Synced", "type": "string"},
    {"jsonPath": ".metadata.creationTimestamp", "name": "Age", "type": "date"},
)


def schema() -> dict[str, Schema]:
    """`spec` and `status`."""
    return {"spec": _spec(), "status": _status()}


def _spec() -> Schema:
    sealed = {**text_map("Item to sealed value, in base64."), "x-kubernetes-preserve-unknown-fields": True}
    properties = {
        "data": text("One sealed value over a whole Secret. Deprecated: use encryptedData.", format="byte"),
        "encryptedData": sealed,
        "template": template("Item to template, in Go's text/template over the opened values.", "SealedSecret"),
    }
    return fields(properties, required=("encryptedData",))


def template(data_words: str, kind: str) -> Schema:
    """What a Secret is made with; `data_words` describe its `data`, `kind` names the object it is of."""
    metadata = {
        **fields(
            {
                "annotations": text_map(),
                "finalizers": texts(),
                "labels": text_map(),
                "name": text(),
                "namespace": text(),
            },
            description=f"The Secret's metadata; its name and namespace are those of the {kind}.",
        ),
        "nullable": True,
        "x-kubernetes-preserve-unknown-fields": True,
    }
    data = {**text_map(data_words), "nullable": True}
    properties = {
        "data": data,
        "immutable": flag("Whether the Secret is made immutable."),
        "metadata": metadata,
        "type": text("The Secret's type."),
    }
    return fields(properties, description="What the Secret is made with, beside the values.")


def _status() -> Schema:
    condition = fields(
        {
            "lastTransitionTime": moment("When the status last changed."),
            "lastUpdateTime": moment("When the condition was last written."),
            "message": text("Why it does not open."),
            "reason": text(),
            "status": text("True, False or Unknown."),
            "type": text("Synced."),
        },
        required=("status", "type"),
    )
    generation = whole("The generation that the controller has seen.")
    return fields({"conditions": many(condition), "observedGeneration": generation})
