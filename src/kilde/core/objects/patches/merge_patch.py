"""JSON merge patch (RFC 7386)."""

from kilde.core.basics.values import Json, Object
from kilde.core.objects.patches.errors import BadPatch


def merge_patch(document: Object, patch: Json) -> Object:
    """The document with the patch merged in: null removes a key, maps merge, all else replaces. BadPatch if it is no object."""
    if not isinstance(patch, dict):
        raise BadPatch("Invalid JSON Patch")
    try:
        merged = _merged(document, patch)
    except RecursionError as error:
        raise BadPatch("the patch is nested too deeply") from error
    return merged if isinstance(merged, dict) else {}


def _merged(value: Json, patch: Json) -> Json:
    if not isinstance(patch, dict):
        return patch
    out = dict(value) if isinstance(value, dict) else {}
    for key, wanted in patch.items():
        if wanted is None:
            out.pop(key, None)
        else:
            out[key] = _merged(out.get(key), wanted)
    return out
