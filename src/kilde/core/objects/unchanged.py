"""Unchanged: a part of a new object that is, byte for byte, the same part of the stored one, which need not be worked out again."""

import msgspec

from kilde.core.basics.values import Object

_encode = msgspec.json.Encoder().encode


class Unchanged(dict[str, object]):
    """A map that was decoded, defaulted and judged when it was stored. Whoever changes it copies it first, which makes it a plain one."""

    __slots__ = ()


def mark_unchanged(new: Object, old: Object) -> None:
    """Marks the spec of `new`, or what of it has not changed. `new` and its spec may be replaced in it; nothing is shared with `old`.

    Bytes are compared, since 1, 1.0 and True are equal in Python and not of the same type.
    """
    spec, before = new.get("spec"), old.get("spec")
    if not isinstance(spec, dict) or not isinstance(before, dict) or type(spec) is Unchanged:
        return
    if _encode(spec) == _encode(before):
        new["spec"] = Unchanged(spec)
        return
    new["spec"] = {
        key: Unchanged(child) if isinstance(child, dict) and _same(child, before.get(key)) else child
        for key, child in spec.items()
    }


def unmarked(obj: Object) -> Object:
    """The object with plain maps, for those who change it or look at types."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return obj
    return {**obj, "spec": {key: dict(part) if type(part) is Unchanged else part for key, part in spec.items()}}


def _same(child: Object, before: object) -> bool:
    return type(child) is Unchanged or (isinstance(before, dict) and _encode(child) == _encode(before))
