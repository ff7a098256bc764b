"""JSON merge patch (RFC 7386), as the API server does it: nulls inside what is new are dropped, in lists too."""

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


def patch_between(old: Object, new: Object) -> Object:
    """The patch that makes the object `old` into `new` ({} when they are equal)."""
    patch: Object = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if before == value and key in old:
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            patch[key] = patch_between(before, value)
        else:
            patch[key] = value
    return patch


def _merged(value: Json, patch: Json) -> Json:
    if not isinstance(value, dict):
        return _without_nulls(patch)
    if not isinstance(patch, dict):
        return patch
    out = dict(value)
    for key, wanted in patch.items():
        if wanted is None:
            out.pop(key, None)
        else:
            out[key] = _merged(out.get(key), wanted)
    return out


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_nulls(child) for key, child in value.items() if child is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
