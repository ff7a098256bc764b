"""The schema of GuardedSpaces: what Git owns in one namespace, as the guard's policy reads it."""

from kilde.crds.schema import Schema, text


def schema() -> dict[str, Schema]:
    """`data`: the key of an object (core/guard/entries.py) → the sentence for who tries to write it."""
    return {"data": {"type": "object", "additionalProperties": text()}}
