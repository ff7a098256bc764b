"""Secret values never reach a diff, a log or a record: here they are taken out, so that equality shows but content does not."""

from typing import Any

from kilde.core.basics.values import Object

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def is_secret(body: Object) -> bool:
    return body.get("kind") == "Secret" and body.get("apiVersion") == "v1"


def mask_pair(live: Object | None, wanted: Object | None) -> tuple[Object | None, Object | None]:
    """Both sides of a comparison with each secret value as `+` runs: equal values get equal runs, others differ in length."""
    seen: dict[Any, str] = {}
    return _masked(live, seen), _masked(wanted, seen)


def masked(body: Object) -> Object:
    """One object without its secret values."""
    return _masked(body, {}) or {}


def _masked(body: Object | None, seen: dict[Any, str]) -> Object | None:
    if body is None or not is_secret(body):
        return body
    out = dict(body)
    for block in ("data", "stringData"):
        if isinstance(out.get(block), dict):
            out[block] = {key: _run(value, seen) for key, value in out[block].items()}
    meta = out.get("metadata")
    if isinstance(meta, dict) and _LAST_APPLIED in (meta.get("annotations") or {}):
        annotations = {**meta["annotations"], _LAST_APPLIED: _run(meta["annotations"][_LAST_APPLIED], seen)}
        out["metadata"] = {**meta, "annotations": annotations}
    return out


def _run(value: Any, seen: dict[Any, str]) -> str:
    return seen.setdefault(value if isinstance(value, str) else repr(value), "+" * (8 + len(seen)))
